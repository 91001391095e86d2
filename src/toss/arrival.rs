//! A packet whose sender is proven and whose kind is known: what the file of its kind gets.

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
/// Opens a packet's payload.
pub(super) type Reader<'a> = PacketReader<'a, Body<'a>>;

/// Whose permissions a packet is acted on with: its sender's, or those of the area it came in.
#[derive(Clone, Copy)]
pub(super) struct Author<'a> {
    /// Its id, a node's or an area's, and name.
    pub(super) peer: Peer<'a>,
    pub(super) incoming: Option<&'a Path>,
    pub(super) exec: &'a BTreeMap<String, Vec<String>>,
    /// Who gets answers; nobody does inside an area.
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

/// A packet whose header was verified and whose plain header was read.
pub(super) struct Arrival<'a> {
    /// As it is logged.
    pub(super) rx: Rx<'a>,
    pub(super) author: Author<'a>,
    pub(super) job: &'a Job,
    pub(super) opener: &'a Opener,
    /// The packet from its first block on, each time anew.
    pub(super) body: &'a dyn Fn() -> io::Result<Body<'a>>,
}

impl<'a> Arrival<'a> {
    /// Opens the packet, from the start.
    pub(super) fn reader(&self) -> Result<Reader<'a>, ReadError> {
        PacketReader::new((self.body)().map_err(ReadError::Source)?, self.opener)
    }

    /// The payload, after all of the packet was authenticated: what small packets are at once,
    /// large ones are read twice for.
    pub(super) fn authenticated(&self, reader: Reader<'a>) -> Result<Body<'a>, ReadError> {
        if let Some(whole) = reader.whole() {
            return Ok(Box::new(io::Cursor::new(whole.to_vec())));
        }
        reader.verify()?;
        Ok(Box::new(self.reader()?))
    }
}
