//! A command: a row of the table, and how it is entered and left.

use super::{
    flag::{Flag, Flags},
    operands::Operands,
    parse::{self, ParseError, Parsed},
    stdio, usage, version,
};
use std::{ffi::OsString, process::ExitCode};

/// A row of the table: all that help, man pages, completions and dispatch know about a command.
#[derive(Debug)]
pub struct Command {
    /// Its name, without `nncp-`.
    pub name: &'static str,
    /// Which names call it.
    pub face: Face,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What may follow the name, one form an entry.
    pub usage: &'static [&'static str],
    /// The words that may follow its flags.
    pub operands: Operands,
    /// What help says between the forms and the options; may be empty.
    pub notes: &'static str,
    /// The flags it declares: `Args::declared`.
    pub flags: fn() -> Vec<Flag>,
    /// Enters it: `|call| call.run(run)`.
    pub start: fn(&Call) -> Exit,
}

/// Which names call a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `nncp-NAME` and `packmule NAME`: a command of the reference.
    Reference,
    /// `packmule NAME` only.
    Own,
    /// `packmule NAME`, for building packmule itself: in no list.
    Hidden,
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for was done: 0.
    Done,
    /// Something failed, was refused or left out: 1.
    Failed,
    /// The command line is wrong: 2.
    Usage,
    /// A comparison was made whole and found differences: 2, as diff and mtree have it.
    Different,
    /// It can not be done yet: 75, EX_TEMPFAIL of sysexits(3).
    Later,
}

impl Exit {
    /// [`Exit::Failed`] if something failed.
    pub fn failed_if(failed: bool) -> Self {
        if failed { Self::Failed } else { Self::Done }
    }

    /// The end of a command that compares: its 2 is for differences alone, so a wrong command line
    /// is 1.
    pub fn of_comparison(self) -> Self {
        if self == Self::Usage { Self::Failed } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage | Exit::Different => 2,
            Exit::Later => 75,
        })
    }
}

/// A wrong combination of flags and operands: the forms of the command are shown. Exit 1, as the
/// reference has it, and 2 for packmule's own commands.
#[derive(Debug, thiserror::Error)]
#[error("wrong usage")]
pub(super) struct WrongUsage;

/// A wrong command line, with the reason. Exit as for [`WrongUsage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

/// A command as it was called.
#[derive(Debug)]
pub struct Call<'a> {
    /// Which one.
    pub command: &'static Command,
    /// How the caller named it; help repeats it.
    pub program: String,
    /// What follows the name.
    pub arguments: &'a [OsString],
}

impl Call<'_> {
    /// Which of a command's names was used.
    pub fn face(&self) -> Face {
        match self.program.rsplit(['/', ' ']).next() {
            Some(name) if name.starts_with("nncp-") => Face::Reference,
            _ => Face::Own,
        }
    }

    /// Takes the command line apart and runs the command.
    pub fn run<A: Flags>(&self, run: fn(&A, &[OsString]) -> anyhow::Result<Exit>) -> Exit {
        let Parsed { flags, standard, operands } =
            match parse::parse::<A>(self.arguments, self.face()) {
                Ok(parsed) => parsed,
                Err(ParseError::Help) => {
                    stdio::complain(&usage::text(self));
                    return Exit::Done;
                }
                Err(error) => {
                    let meant = error.meant(&usage::flags_of(self));
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
        match self.command.operands.fault(self.command, &operands) {
            Some(fault) => self.fail(&Misuse(fault).into()),
            None => run(&flags, &operands).unwrap_or_else(|error| self.fail(&error)),
        }
    }

    /// What is wrong with the command line, in one line, and how to get help.
    fn refuse(&self, reason: &str) {
        let (program, reason) = (&self.program, crate::display::escape(reason));
        stdio::complain(&format!("{program}: {reason}\n{program} -h explains it\n"));
    }

    /// Says why the command ends.
    pub fn fail(&self, error: &anyhow::Error) -> Exit {
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

/// The error and what caused it, in one line: a cause that the error before it names already is not
/// repeated, and the numbers that the standard library adds are left out.
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

/// The text without ` (os error 2)` at its end.
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
    fn a_cause_is_told_once() {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "ends inside a field");
        let error = anyhow::Error::new(Header(cut()));
        assert_eq!(explain(&error), "header ends inside a field");
        let error = Err::<(), _>(cut()).context("reading").unwrap_err();
        assert_eq!(explain(&error), "reading: ends inside a field");
        let error = anyhow::Error::new(Header(io::Error::from_raw_os_error(2)));
        assert_eq!(explain(&error), "header No such file or directory");
    }
}
