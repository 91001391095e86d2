//! Problems of a configuration that do not keep the node from working.

use super::hjson::Note;
use super::node::BadKey;
use packmule_protocol::id::{AreaId, NodeId};
use std::fmt;

/// A problem that the configuration's owner should correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The path of an unknown key, which is ignored.
    UnknownKey(String),
    /// A probable mistake in the text.
    Note(Note),
    /// A neighbour's public key cannot be used, so packmule exchanges no packets with it.
    BadKey(BadKey),
    /// Two sections of one node or area are equal. Their paths; the first one counts.
    Twins(String, String),
    /// A neighbour's id is not that of its `signpub`.
    NodeId {
        /// The neighbour.
        name: String,
        /// The id that its key has.
        of_key: NodeId,
    },
    /// An area's id is not that of its `pub`.
    AreaId {
        /// The area.
        name: String,
        /// The id that its key has.
        of_key: AreaId,
    },
    /// A private and a public key of the root's `self` are not a pair.
    Halves(&'static str),
    /// A public key differs between `self` and `neigh.self`.
    TwoSelves(&'static str),
}

impl Warning {
    /// The reference ignores an unknown key silently, and so does every command but `doctor`.
    pub fn is_for_doctor_only(&self) -> bool {
        matches!(self, Self::UnknownKey(_) | Self::Note(Note::Swallowed { .. }))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(path) => write!(f, "{path}: unknown key, ignored"),
            Self::Note(note) => note.fmt(f),
            Self::BadKey(bad) => {
                write!(f, "{bad}: packmule can neither send to this neighbour nor toss its packets")
            }
            Self::Twins(one, other) => write!(f, "{one} and {other} are equal: one is enough"),
            Self::NodeId { name, of_key } => {
                write!(f, "neigh.{name}.id does not match its signpub, whose id is {of_key}")
            }
            Self::AreaId { name, of_key } => {
                write!(f, "areas.{name}.id does not match its pub, whose id is {of_key}")
            }
            Self::Halves(pair) => {
                write!(f, "self.{pair}pub and self.{pair}prv are not a pair")
            }
            Self::TwoSelves(key) => write!(f, "self.{key} and neigh.self.{key} differ"),
        }
    }
}
