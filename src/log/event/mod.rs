//! The events that a node logs: their names, their fields in order, their sentences. The events of a
//! kind of packet are in its file in `toss`.
//!
//! One table, written as functions. Scripts read the names and fields, people the sentences, and
//! both are the reference's. A failed event has the same record; [`Log::error`] adds the reason.
//!
//! [`Log::error`]: super::Log::error

mod chunked;
mod media;
mod proof;
mod sending;
mod spool;
mod tossing;

pub(crate) use chunked::*;
pub(crate) use media::*;
pub(crate) use proof::*;
pub(crate) use sending::*;
pub(crate) use spool::*;
pub(crate) use tossing::*;

use packmule_protocol::id::{AreaId, AreaMessageId, NodeId};
use std::fmt;

/// A node in records and sentences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'a> {
    /// Its id, for the record.
    pub id: NodeId,
    /// Its name in the configuration, for the sentence.
    pub name: &'a str,
}

/// An area message in records and sentences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The area.
    pub area: AreaId,
    /// Its name in the configuration.
    pub name: &'a str,
    /// The id of the message.
    pub id: AreaMessageId,
}

/// A direction of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Xx {
    /// Incoming packets.
    Rx,
    /// Outgoing packets.
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
