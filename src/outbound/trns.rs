//! `nncp-trns`, and forwarding by a relay: wraps an encrypted packet for a relay.

use super::error::QueueError;
use super::queue::{Parcel, Queued};
use super::route::{Route, Via};
use crate::blocks;
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::local::Local;
use crate::progress::Work;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{Header, HeaderError, PlainHeader};
use std::fs::File;
use std::io::{self, Read, Seek};

/// Why a file could not be wrapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrnsError {
    /// It cannot be read.
    #[error("reading the packet: {0}")]
    Read(#[from] io::Error),
    /// It is not a packet.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its recipient is not in the configuration.
    #[error("packet is for {0}, an unknown node")]
    UnknownRecipient(NodeId),
    /// It could not be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Local {
    /// Wraps the encrypted packet in `file` for the recipient in its header.
    ///
    /// # Errors
    /// If it is not a packet, or there is no relay. Nothing is queued then.
    pub(crate) fn trns(
        &self,
        mut file: File,
        nice: Niceness,
        via: &Via,
    ) -> Result<Queued, TrnsError> {
        let head = blocks::head(&mut file)?;
        file.rewind()?;
        let recipient = Header::parse(&head)?.recipient;
        let to = self.node.by_id(&recipient).ok_or(TrnsError::UnknownRecipient(recipient))?;
        let size = file.metadata()?.len();
        Ok(self.wrap(to, via, nice, size, file)?)
    }

    /// Wraps an encrypted packet of `size` bytes for the relays between this node and `to`.
    ///
    /// # Errors
    /// If there is no relay. Nothing is queued then.
    pub(crate) fn wrap<'a>(
        &'a self,
        to: &'a Neighbour,
        via: &Via,
        nice: Niceness,
        size: u64,
        packet: impl Read + Send,
    ) -> Result<Queued, QueueError> {
        let route = Route::to_last_relay(&self.node, to, via)?;
        let parcel = Parcel {
            plain: PlainHeader::trns(&to.id),
            nice,
            minimum: 0,
            maximum: None,
            size: Some(size),
            shown: to.name.clone(),
            work: Work::TxTrns,
            batch: None,
            follow: None,
        };
        let written = self.write(&route, &parcel, packet)?;
        self.publish(written)
    }

    /// Queues an area message for a subscriber: an area packet around `packet`, the unchanged
    /// message. Calls `intend` with the packet's name before it publishes the packet.
    ///
    /// # Errors
    /// Nothing is queued then.
    pub(crate) fn echo<'a>(
        &'a self,
        to: &'a Neighbour,
        plain: PlainHeader,
        nice: Niceness,
        size: u64,
        packet: impl Read + Send,
        intend: impl FnOnce(&NodeId, PacketHash) -> Result<(), DiskError>,
    ) -> Result<Queued, QueueError> {
        let parcel = Parcel {
            plain,
            nice,
            minimum: 0,
            maximum: None,
            size: Some(size),
            shown: to.name.clone(),
            work: Work::Tx,
            batch: None,
            follow: None,
        };
        let route = Route::to(&self.node, to, &Via::Configured)?;
        let written = self.write(&route, &parcel, packet)?;
        intend(&written.first_hop.id, written.packet.hash())?;
        self.publish(written)
    }
}
