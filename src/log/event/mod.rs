//! The events the node logs: what each is called, its fields in order, its sentence. Those of a
//! kind of packet stand in its file in `toss`.
//!
//! One table, in the shape of functions: scripts read the names and fields, people the sentences,
//! and both are the reference's. An event that fails has the same record; [`Log::error`] adds why.
//!
//! [`Log::error`]: super::Log::error

mod chunked;
mod media;
mod sending;
mod spool;
mod tossing;

pub(crate) use chunked::*;
pub(crate) use media::*;
pub(crate) use sending::*;
pub(crate) use spool::*;
pub(crate) use tossing::*;

use packmule_protocol::id::{AreaId, AreaMessageId, NodeId};
use std::fmt;

/// A node, as records and sentences name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// Its id, for the record.
    pub id: NodeId,
    /// Its name in our configuration, for the sentence.
    pub name: &'a str,
}

/// An area message, as records and sentences name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The area.
    pub area: AreaId,
    /// Its name in our configuration.
    pub name: &'a str,
    /// The message in it.
    pub id: AreaMessageId,
}

/// A direction of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Xx {
    /// Packets that came.
    Rx,
    /// Packets that wait to go.
    Tx,
}

impl fmt::Display for Xx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rx => "rx",
            Self::Tx => "tx",
        })
    }
}
