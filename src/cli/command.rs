//! A command: a row of the table, how it is called, and how it ends.

use super::flag::Flag;
use super::operands::Operands;
use std::ffi::OsString;
use std::process::ExitCode;

/// A row of the table: the one source of help, manual pages, completions and dispatch.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name, without `nncp-`.
    pub name: &'static str,
    /// The names under which it can be called.
    pub face: Face,
    /// A summary in a few words.
    pub about: &'static str,
    /// Its arguments: one entry for each form.
    pub usage: &'static [&'static str],
    /// The operands that may follow its flags.
    pub operands: Operands,
    /// The text that help prints between the forms and the options; may be empty.
    pub notes: &'static str,
    /// The flags it declares: `Args::declared`.
    pub flags: fn() -> Vec<Flag>,
    /// Enters it: `|call| call.run(run)`.
    pub start: fn(&Call) -> Exit,
}

/// The names under which a command can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// `nncp-NAME` and `packmule NAME`: a command of the reference.
    Reference,
    /// `packmule NAME` only.
    Own,
    /// `packmule NAME`, used only to build packmule: no list shows it.
    Hidden,
}

impl Face {
    /// The face that belongs to the caller's name: `/usr/bin/nncp-toss`, `packmule toss`.
    pub(crate) fn of(program: &str) -> Self {
        match program.rsplit(['/', ' ']).next() {
            Some(name) if name.starts_with("nncp-") => Self::Reference,
            _ => Self::Own,
        }
    }
}

/// The command called `name` in the table `commands`, with or without `nncp-`.
pub(super) fn find(commands: &'static [Command], name: &str) -> Option<&'static Command> {
    let (name, reference_only) = match name.strip_prefix("nncp-") {
        Some(name) => (name, true),
        None => (name, false),
    };
    commands
        .iter()
        .find(|command| command.name == name)
        .filter(|command| !reference_only || command.face == Face::Reference)
}

/// The exit status of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Success: 0.
    Done,
    /// Something failed, was rejected or skipped: 1.
    Failed,
    /// The command line is wrong: 2.
    Usage,
    /// A comparison ran to its end and found differences: 2, as in mtree.
    Different,
    /// It cannot be done yet; try again later: 75, EX_TEMPFAIL of sysexits(3).
    Later,
}

impl Exit {
    /// [`Exit::Failed`] if something failed.
    pub fn failed_if(failed: bool) -> Self {
        if failed { Self::Failed } else { Self::Done }
    }

    /// The exit status of a command that compares. Its 2 means differences, so a wrong command line
    /// exits with 1.
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

/// A wrong combination of flags and operands. The command prints its forms and exits with 1, like
/// the reference; packmule's own commands exit with 2.
#[derive(Debug, thiserror::Error)]
#[error("wrong usage")]
pub(super) struct WrongUsage;

/// A wrong command line, with the reason. Same exit status as [`WrongUsage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub String);

/// A command as it was called.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The command.
    pub command: &'static Command,
    /// The table of all commands, for those that list them.
    pub commands: &'static [Command],
    /// The name that the caller used; help repeats it.
    pub program: String,
    /// The arguments after the name.
    pub arguments: &'a [OsString],
}

impl Call<'_> {
    /// The face of the name that the caller used.
    pub(crate) fn face(&self) -> Face {
        Face::of(&self.program)
    }
}
