//! A packet with a verified sender and a known kind, as the file of its kind gets it.

use crate::blocks::{PacketReader, ReadError};
use crate::config::{Area, Neighbour};
use crate::log::event::{Peer, Rx};
use crate::spool::Job;
use packmule_protocol::id::NodeId;
use packmule_protocol::packet::Opener;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

/// A packet's bytes after its header.
pub(super) type Body<'a> = Box<dyn Read + Send + 'a>;
/// Decrypts a packet's payload.
pub(super) type Reader<'a> = PacketReader<'a, Body<'a>>;

/// Determines the permissions for a packet: those of its sender, or of the area it came through.
#[derive(Clone, Copy)]
pub(super) struct Author<'a> {
    /// The id of the node or area, and its name.
    pub(super) peer: Peer<'a>,
    pub(super) incoming: Option<&'a Path>,
    pub(super) exec: &'a BTreeMap<String, Vec<String>>,
    /// The recipient of replies; `None` within an area.
    pub(super) neighbour: Option<&'a Neighbour>,
}

impl<'a> Author<'a> {
    pub(super) fn neighbour(neighbour: &'a Neighbour) -> Self {
        Self {
            peer: neighbour.peer(),
            incoming: neighbour.incoming.as_deref(),
            exec: &neighbour.exec,
            neighbour: Some(neighbour),
        }
    }

    pub(super) fn area(area: &'a Area) -> Self {
        Self {
            peer: Peer { id: NodeId(area.id.0), name: &area.name },
            incoming: area.incoming.as_deref(),
            exec: &area.exec,
            neighbour: None,
        }
    }
}

/// A packet with a verified header and a parsed plain header.
pub(super) struct Arrival<'a> {
    /// The packet in log records.
    pub(super) rx: Rx<'a>,
    pub(super) author: Author<'a>,
    pub(super) job: &'a Job,
    pub(super) opener: &'a Opener,
    /// Opens the packet at its first block, each time anew.
    pub(super) body: &'a dyn Fn() -> io::Result<Body<'a>>,
}

impl<'a> Arrival<'a> {
    /// Decrypts the packet from its start.
    pub(super) fn reader(&self) -> Result<Reader<'a>, ReadError> {
        PacketReader::new((self.body)().map_err(ReadError::Source)?, self.opener)
    }

    /// The payload, after the whole packet was authenticated. A small packet is authenticated at
    /// once; a large one is read twice for that.
    pub(super) fn authenticated(&self, reader: Reader<'a>) -> Result<Body<'a>, ReadError> {
        if let Some(whole) = reader.whole() {
            return Ok(Box::new(io::Cursor::new(whole.to_vec())));
        }
        reader.verify()?;
        Ok(Box::new(self.reader()?))
    }
}
