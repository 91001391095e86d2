//! What can be wrong with a configuration, told with the key, the value and what is allowed.
//!
//! Where the reference has a text of its own for a fault, ours contains it: scripts match on it.

use super::cron::CronError;
use super::hjson::{HjsonError, Note};
use crate::display::reason;
use packmule_protocol::eblob::EblobError;
use packmule_protocol::keys::ParseKeyError;
use packmule_protocol::niceness::ParseNicenessError;
use std::io;
use std::path::{Path, PathBuf};

/// The configuration can not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file, or one of the directory form, can not be read or written.
    #[error("{what} {path}: {}", reason(.error), path = .path.display())]
    Io {
        /// What was tried: `stat`, `open`, `read`.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The passphrase can not be had.
    #[error("{}", reason(.0))]
    Passphrase(io::Error),
    /// It is encrypted and does not open.
    #[error(transparent)]
    Eblob(#[from] EblobError),
    /// It is not Hjson.
    #[error("{path}: {error}", path = .path.display())]
    Hjson {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        error: HjsonError,
    },
    /// A value of the wrong type.
    #[error("{key} is {found}, must be {wanted}")]
    Type {
        /// The path of the key, with dots.
        key: String,
        /// The value.
        found: String,
        /// What is allowed.
        wanted: &'static str,
    },
    /// A value that its key does not allow.
    #[error("{fault}: {key} is {value}")]
    Value {
        /// The path of the key, with dots.
        key: String,
        /// The value, quoted, or a word for a secret or missing one.
        value: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// `neigh.self` is not there.
    #[error("self neighbour missing: neigh must have an entry `self` with this node's public keys")]
    SelfMissing,
    /// An area has a private key only.
    #[error("area {0}: prv requires pub presence")]
    PrivateWithoutPublic(String),
    /// Something in the text that was hardly meant, and what came of it.
    #[error("{notes}: {error}")]
    Noted {
        /// What was noticed, in one line.
        notes: String,
        /// What is wrong.
        error: Box<ConfigError>,
    },
    /// The `neigh` that counts lacks `self`, and another one is in the text.
    #[error("{0}, and in that one `self` is missing: put all neighbours into one section")]
    SplitNeighbours(Note),
    /// Two names stand for one thing.
    #[error("{0} and {1} have the same id {2}, but do not say the same: remove one of them")]
    SameId(String, String, String),
    /// `self.id` and `neigh.self.id` name two nodes.
    #[error("self.id is {0}, but neigh.self.id is {1}: they must be the same")]
    TwoSelves(String, String),
    /// A file the directory form must have.
    #[error("required \"{name}\" does not exist in {path}", path = .path.display())]
    Required {
        /// The file.
        name: String,
        /// The directory it should be in.
        path: PathBuf,
    },
    /// A list element that would become two in the directory form.
    #[error("{0} has a line break in it, which the directory form can not hold")]
    Lines(String),
    /// A key that can not be a file's name.
    #[error("{0}: a name with `/`, or `.`, `..` or nothing, can not become a file's name")]
    Name(String),
}

/// What is wrong with a single value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A relative or missing path.
    #[error("{0} path must be absolute")]
    Relative(&'static str),
    /// A name that is neither that of a neighbour nor an id.
    #[error("Can not parse node: {text}: {error}")]
    Node {
        /// The text.
        text: String,
        /// Why it is no id.
        error: packmule_protocol::base32::Base32Error,
    },
    /// The right alphabet, the wrong length.
    #[error("Invalid {0} size")]
    Size(&'static str),
    /// Not base32, not a point, not a pair.
    #[error("{0}")]
    Key(ParseKeyError),
    /// An id nobody has.
    #[error("Unknown node")]
    UnknownNode,
    /// Not octal.
    #[error("parsing {0:?}: {1} (octal digits, at most 177777)")]
    Octal(String, &'static str),
    /// Not a number in the directory form.
    #[error("parsing {0:?}: {1}")]
    Number(String, &'static str),
    /// A chunk size of nothing.
    #[error("freq.chunked value must be greater than zero")]
    ZeroChunk,
    /// A size that overflows.
    #[error("too big a size (in KiB)")]
    TooBig,
    /// A deadline of nothing.
    #[error("OnlineDeadline must be at least 1 second")]
    ZeroDeadline,
    /// Neither way.
    #[error("xx field must be either \"rx\" or \"tx\"")]
    Direction,
    /// Not a niceness.
    #[error("{0} (1 to 255, or F, P, N, B, MAX with a delta)")]
    Niceness(ParseNicenessError),
    /// Not a schedule.
    #[error(transparent)]
    Cron(#[from] CronError),
}

impl ConfigError {
    /// `stat /etc/nncp.hjson: no such file or directory`.
    pub(super) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), error }
    }
}

impl Fault {
    /// The fault of a key called `what`.
    pub(super) fn key(what: &'static str, error: ParseKeyError) -> Self {
        match error {
            ParseKeyError::Size(..) => Self::Size(what),
            other => Self::Key(other),
        }
    }
}
