//! What is odd about a configuration without keeping the node from working.

use super::hjson::Note;
use super::node::BadKey;
use packmule_protocol::id::{AreaId, NodeId};
use std::fmt;

/// Something the owner of the configuration should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A key that nobody knows, by its path; ignored.
    UnknownKey(String),
    /// Something in the text that was hardly meant.
    Note(Note),
    /// A neighbour's public key can not be used, so neither can the neighbour.
    BadKey(BadKey),
    /// Two sections say the same of one node or area: their paths, the one that counts first.
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
    /// The private and the public half of one of the root's `self` pairs do not belong together.
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
            Self::BadKey(bad) => write!(f, "{bad}: nothing can be sent to it or taken from it"),
            Self::Twins(one, other) => write!(f, "{one} and {other} are the same: one is enough"),
            Self::NodeId { name, of_key } => {
                write!(f, "neigh.{name}.id does not belong to its signpub, whose id is {of_key}")
            }
            Self::AreaId { name, of_key } => {
                write!(f, "areas.{name}.id does not belong to its pub, whose id is {of_key}")
            }
            Self::Halves(pair) => {
                write!(f, "self.{pair}pub and self.{pair}prv do not belong together")
            }
            Self::TwoSelves(key) => write!(f, "self.{key} and neigh.self.{key} differ"),
        }
    }
}
