//! Errors in a manifest.

use super::super::escape::EscapeError;
use super::super::value::ValueError;
use std::io;

/// Why a manifest cannot be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{fault}", shown(*line))]
pub struct ReadError {
    /// Line number, from 1; 0 for the whole file.
    pub line: u64,
    /// The error.
    pub fault: Fault,
}

fn shown(line: u64) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// The kinds of error.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is too long.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// There are too many objects.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// Directories are nested too deeply.
    #[error("more than {0} directories deep")]
    TooDeep(usize),
    /// A name with an invalid escape.
    #[error("name {name}: {fault}")]
    Escape {
        /// As written.
        name: String,
        /// The error in it.
        fault: EscapeError,
    },
    /// A path with `..`, an absolute path, or an empty name.
    #[error("{0} would leave the tree, or has no name")]
    Outside(String),
    /// An unknown command, such as `/include`.
    #[error("{0} is not a command of mtree")]
    Command(String),
    /// A keyword that `/set` cannot have, such as `all` or `link=…`.
    #[error("{0} cannot be a default")]
    NotADefault(String),
    /// A keyword with an illegal value.
    #[error("{word}: {fault}; expected {allowed}")]
    Value {
        /// Keyword and value, as written.
        word: String,
        /// The error in the value.
        fault: ValueError,
        /// The legal values.
        allowed: &'static str,
    },
    /// Two entries that contradict each other.
    #[error("{path} has two entries: first type {was}, then type {is}")]
    Contradiction {
        /// The object, as written in a manifest.
        path: String,
        /// The type in the earlier entry.
        was: &'static str,
        /// The type in this entry.
        is: &'static str,
    },
    /// An object below something that is not a directory.
    #[error("{0} is not a directory, but has entries below it")]
    NotADirectory(String),
}
