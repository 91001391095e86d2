//! Runs a command: parses its command line and reports its errors.

use super::command::{Call, Exit, Face, Misuse, WrongUsage};
use super::flag::Flags;
use super::parse::{self, ParseError, Parsed};
use super::{stdio, usage, version};
use std::ffi::OsString;

impl Call<'_> {
    /// Parses the command line and runs the command.
    pub(crate) fn run<A: Flags>(
        &self,
        run: impl Fn(&A, &[OsString]) -> anyhow::Result<Exit>,
    ) -> Exit {
        let Parsed { flags, standard, operands } =
            match parse::parse::<A>(self.arguments, self.face()) {
                Ok(parsed) => parsed,
                Err(ParseError::Help) => {
                    stdio::complain(&usage::text(self.command, &self.program));
                    return Exit::Done;
                }
                Err(error) => {
                    let meant = error.meant(&usage::flags_of(self.command, self.face()));
                    self.refuse(&format!("{error}{meant}"));
                    return Exit::Usage;
                }
            };
        if standard.warranty {
            stdio::print(version::WARRANTY);
            return Exit::Done;
        }
        if standard.version {
            stdio::print(&version::line());
            return Exit::Done;
        }
        match self.command.operands.fault(&operands, || usage::all_flags(self.command)) {
            Some(fault) => self.fail(&Misuse(fault).into()),
            None => run(&flags, &operands).unwrap_or_else(|error| self.fail(&error)),
        }
    }

    /// Reports a wrong command line in one line, with the command that prints help.
    fn refuse(&self, reason: &str) {
        let (program, reason) = (&self.program, crate::display::escape(reason));
        stdio::complain(&format!("{program}: {reason}\n{program} -h explains it\n"));
    }

    /// Reports the error that ended the command. Returns the exit status.
    pub(crate) fn fail(&self, error: &anyhow::Error) -> Exit {
        if error.is::<WrongUsage>() || error.is::<Misuse>() {
            let forms = || format!("usage: {} {}", self.program, self.command.usage.join(" | "));
            let reason = error.downcast_ref::<Misuse>().map_or_else(forms, Misuse::to_string);
            self.refuse(&reason);
            if self.command.face != Face::Reference {
                return Exit::Usage;
            }
        } else {
            stdio::complain(&format!(
                "{}: {}\n",
                self.program,
                crate::display::escape(&explain(error))
            ));
        }
        Exit::Failed
    }
}

/// The error and its causes in one line. Skips a cause that the error before it already names, and
/// removes the numbers that the standard library adds.
fn explain(error: &anyhow::Error) -> String {
    let words = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(error) => crate::display::reason(error),
        None => cause.to_string(),
    };
    let text = error.chain().map(words).map(without_number).reduce(|text, cause| {
        match text.to_lowercase().ends_with(&cause.to_lowercase()) {
            true => text,
            false => format!("{text}: {cause}"),
        }
    });
    text.unwrap_or_default()
}

/// The text without a final ` (os error 2)`.
fn without_number(text: String) -> String {
    match text.rsplit_once(" (os error ") {
        Some((words, number)) if number.trim_end_matches(')').parse::<u32>().is_ok() => {
            words.into()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("header {0}")]
    struct Header(#[source] io::Error);

    #[test]
    fn a_cause_is_printed_once() {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "ends inside a field");
        let error = anyhow::Error::new(Header(cut()));
        assert_eq!(explain(&error), "header ends inside a field");
        let error = Err::<(), _>(cut()).context("reading").unwrap_err();
        assert_eq!(explain(&error), "reading: ends inside a field");
        let error = anyhow::Error::new(Header(io::Error::from_raw_os_error(2)));
        assert_eq!(explain(&error), "header No such file or directory");
    }
}
