//! Errors of a configuration. Each names the key, the value and the allowed values.
//!
//! If the reference has a message for a fault, ours contains it, because scripts match it.

use super::cron::CronError;
use super::hjson::{HjsonError, Note};
use crate::display::reason;
use packmule_protocol::eblob::EblobError;
use packmule_protocol::keys::ParseKeyError;
use packmule_protocol::niceness::ParseNicenessError;
use std::io;
use std::path::{Path, PathBuf};

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file, or one of the directory form, cannot be read or written.
    #[error("{what} {path}: {}", reason(.error), path = .path.display())]
    Io {
        /// The operation that failed: `stat`, `open`, `read`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The passphrase cannot be read.
    #[error("{}", reason(.0))]
    Passphrase(io::Error),
    /// The encrypted file cannot be decrypted.
    #[error(transparent)]
    Eblob(#[from] EblobError),
    /// The text is not Hjson.
    #[error("{path}: {error}", path = .path.display())]
    Hjson {
        /// The file.
        path: PathBuf,
        /// The fault and its position.
        error: HjsonError,
    },
    /// A value of the wrong type.
    #[error("{key} is {found}, must be {wanted}")]
    Type {
        /// The path of the key, with dots.
        key: String,
        /// The value.
        found: String,
        /// The allowed type.
        wanted: &'static str,
    },
    /// A value that its key does not allow.
    #[error("{fault}: {key} is {value}")]
    Value {
        /// The path of the key, with dots.
        key: String,
        /// The value, quoted; "not shown" for a secret, "missing" for no value.
        value: String,
        /// The fault of the value.
        fault: Fault,
    },
    /// `neigh.self` is missing.
    #[error("self neighbour missing: neigh must have an entry `self` with this node's public keys")]
    SelfMissing,
    /// An area has a private key but no public key.
    #[error("area {0}: prv requires pub presence")]
    PrivateWithoutPublic(String),
    /// An error, with the notes on the text that probably explain it.
    #[error("{notes}: {error}")]
    Noted {
        /// The notes, on one line.
        notes: String,
        /// The error.
        error: Box<ConfigError>,
    },
    /// The text has two `neigh` sections, and the last one, which counts, lacks `self`.
    #[error("{0}, and in that one `self` is missing: put all neighbours into one section")]
    SplitNeighbours(Note),
    /// Two sections with one id differ.
    #[error("{0} and {1} have the same id {2}, but differ: remove one of them")]
    SameId(String, String, String),
    /// `self.id` and `neigh.self.id` differ.
    #[error("self.id is {0}, but neigh.self.id is {1}: they must be the same")]
    TwoSelves(String, String),
    /// A required file of the directory form is missing.
    #[error("required \"{name}\" does not exist in {path}", path = .path.display())]
    Required {
        /// The file.
        name: String,
        /// The directory that should hold it.
        path: PathBuf,
    },
    /// A list element with a line break would become two elements in the directory form.
    #[error("{0} contains a line break, which the directory form cannot hold")]
    Lines(String),
    /// A key that cannot be the name of a file.
    #[error("{0}: a name with `/`, or `.`, `..` or nothing, can not become a file's name")]
    Name(String),
}

/// The fault of a single value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A relative or missing path.
    #[error("{0} path must be absolute")]
    Relative(&'static str),
    /// Neither the name of a neighbour nor an id.
    #[error("Can not parse node: {text}: {error}")]
    Node {
        /// The text.
        text: String,
        /// Why it is not an id.
        error: packmule_protocol::base32::Base32Error,
    },
    /// The right alphabet, the wrong length.
    #[error("Invalid {0} size")]
    Size(&'static str),
    /// A key that is not base32, not a point on the curve, or not a pair.
    #[error("{0}")]
    Key(ParseKeyError),
    /// An id that no neighbour has.
    #[error("Unknown node")]
    UnknownNode,
    /// Not octal.
    #[error("parsing {0:?}: {1} (octal digits, at most 177777)")]
    Octal(String, &'static str),
    /// Not a number in the directory form.
    #[error("parsing {0:?}: {1}")]
    Number(String, &'static str),
    /// A chunk size of 0.
    #[error("freq.chunked value must be greater than zero")]
    ZeroChunk,
    /// A size that overflows.
    #[error("too big a size (in KiB)")]
    TooBig,
    /// A deadline of 0.
    #[error("OnlineDeadline must be at least 1 second")]
    ZeroDeadline,
    /// Not a direction.
    #[error("xx field must be either \"rx\" or \"tx\"")]
    Direction,
    /// Not a niceness.
    #[error("{0} (1 to 255, or F, P, N, B, MAX with a delta)")]
    Niceness(ParseNicenessError),
    /// Not a schedule.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// Neither a switch nor terms.
    #[error("proof must be true, false or an object")]
    Proof,
    /// Not a key of the terms of proof.
    #[error("is no key: proof has retry, max-age, backups and accept")]
    ProofKey,
    /// Not an age.
    #[error("an age is a number and s, m, h or d, such as 36h")]
    Age,
    /// Not ages by name.
    #[error("backups must be an object with an age, or null for never, for each name")]
    Limits,
    /// Not what ends the keeping of a packet.
    #[error("accept must be done or ack")]
    Accept,
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
