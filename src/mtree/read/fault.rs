//! What may be wrong in a manifest.

use super::super::escape::EscapeError;
use super::super::value::ValueError;
use std::io;

/// Why a manifest cannot be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{fault}", shown(*line))]
pub struct ReadError {
    /// Counted from 1; 0 for the file as such.
    pub line: u64,
    /// What is wrong there.
    pub fault: Fault,
}

fn shown(line: u64) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The manifest's file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Longer than allowed.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// More objects than allowed.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// More directories within each other than allowed.
    #[error("more than {0} directories deep")]
    TooDeep(usize),
    /// A name that cannot be read.
    #[error("name {name}: {fault}")]
    Escape {
        /// As written.
        name: String,
        /// What is wrong with it.
        fault: EscapeError,
    },
    /// `..` within a path, an absolute path, an empty name.
    #[error("{0} would leave the tree or names nothing in it")]
    Outside(String),
    /// A word such as `/include`.
    #[error("{0} is no command of mtree")]
    Command(String),
    /// `/set all`, `/set link=…`: what cannot be every object's.
    #[error("{0} cannot be set for all that follows")]
    NotADefault(String),
    /// A keyword with a value that it cannot have.
    #[error("{word}: {fault}; allowed is {allowed}")]
    Value {
        /// Keyword and value, as written.
        word: String,
        /// What is wrong with the value.
        fault: ValueError,
        /// What it may be.
        allowed: &'static str,
    },
    /// Two entries that cannot both be true.
    #[error("{path} was a {was} above and is a {is} here")]
    Contradiction {
        /// The object, as a manifest writes it.
        path: String,
        /// What it was.
        was: &'static str,
        /// What it is here.
        is: &'static str,
    },
    /// Something below what is not a directory.
    #[error("{0} is not a directory, and has something below it")]
    NotADirectory(String),
}
