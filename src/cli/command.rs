//! A command: a row of the table, how it is called, and how it ends.

use super::flag::Flag;
use super::operands::Operands;
use std::ffi::OsString;
use std::process::ExitCode;

/// A row of the table: all that help, man pages, completions and dispatch know about a command.
#[derive(Debug)]
pub(crate) struct Command {
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
pub(crate) enum Face {
    /// `nncp-NAME` and `packmule NAME`: a command of the reference.
    Reference,
    /// `packmule NAME` only.
    Own,
    /// `packmule NAME`, for building packmule itself: in no list.
    Hidden,
}

impl Face {
    /// The face of the name that a program was called by: `/usr/bin/nncp-toss`, `packmule toss`.
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
pub(crate) struct Misuse(pub String);

/// A command as it was called.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Which one.
    pub command: &'static Command,
    /// The table it stands in, for commands that list the others.
    pub commands: &'static [Command],
    /// How the caller named it; help repeats it.
    pub program: String,
    /// What follows the name.
    pub arguments: &'a [OsString],
}

impl Call<'_> {
    /// Which of a command's names was used.
    pub(crate) fn face(&self) -> Face {
        Face::of(&self.program)
    }
}
