//! `nncp-file`: a file, directory or stream for a neighbour or an area.

use super::error::QueueError;
use super::path;
use super::queue::{Parcel, Queued, Written, check_destination};
use super::route::{Destination, Route, Via};
use super::source::Source;
use crate::config::Neighbour;
use crate::local::Local;
use crate::log::Record;
use crate::log::event::Sent;
use crate::progress::Work;
use crate::spool::Batch;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{Kind, PlainHeader};
use std::io::Read;

/// How a file is sent. Sizes in bytes.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Niceness, inside and outside.
    pub nice: Niceness,
    /// Padding; `None` is what the configuration says for the recipient.
    pub minimum: Option<u64>,
    /// Size limit of each packet.
    pub maximum: Option<u64>,
    /// Size of pieces, zero for none; `None` is what the configuration says.
    pub chunked: Option<u64>,
    /// Relays.
    pub via: Via,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            nice: Niceness::BULK,
            minimum: None,
            maximum: None,
            chunked: None,
            via: Via::Configured,
        }
    }
}

/// A file on its way into the queue.
pub(super) struct Delivery<'a> {
    to: Destination<'a>,
    /// Who stands for it in the log.
    peer: &'a Neighbour,
    /// The source's name, as it is logged.
    source: String,
    /// Path on the other side.
    pub(super) destination: Vec<u8>,
    options: FileOptions,
    minimum: u64,
    /// Of its pieces, if it is sent in pieces.
    pub(super) batch: Option<Batch>,
}

impl Delivery<'_> {
    /// What is logged of a packet that is to arrive as `name`.
    pub(super) fn sent(&self, name: &[u8], queued: Queued) -> Record {
        self.record(name, queued.content, Some(queued))
    }

    fn record(&self, name: &[u8], size: u64, queued: Option<Queued>) -> Record {
        let pkt = queued.map(|queued| queued.packet);
        let sent = Sent { to: self.peer.peer(), nice: self.options.nice, size, pkt };
        sent.file(&self.source, &path::shown(name))
    }
}

impl Local {
    /// Queues `source`, shown as `name`, for `to`, to arrive at `destination`; an empty
    /// destination is the last component of `name`, with `.tar` for a directory.
    ///
    /// # Errors
    /// Nothing is left behind.
    pub fn file<'a>(
        &'a self,
        to: Destination<'a>,
        source: Source,
        name: &[u8],
        destination: &[u8],
        options: FileOptions,
    ) -> Result<(), QueueError> {
        let peer = to.neighbour(&self.node);
        let destination = match destination {
            [] if source.is_tar => [&path::base_name(name)[..], b".tar"].concat(),
            [] => path::base_name(name),
            given => path::clean(given),
        };
        check_destination(&destination)?;
        let minimum = options.minimum.unwrap_or(peer.freq.minsize);
        let source_name = path::shown(name);
        let mut delivery =
            Delivery { to, peer, source: source_name, destination, options, minimum, batch: None };
        self.deliver(&mut delivery, source).inspect_err(|error| {
            if error.is_event() {
                self.log.error(delivery.record(&delivery.destination, 0, None), error);
            }
        })
    }

    fn deliver<'a>(
        &'a self,
        delivery: &mut Delivery<'a>,
        source: Source,
    ) -> Result<(), QueueError> {
        let configured = delivery.peer.freq.chunked.unwrap_or(0);
        let chunk_size = delivery.options.chunked.unwrap_or(configured);
        // An empty file is chunked, one of exactly a chunk's size is not.
        let fits = source.size.is_some_and(|size| size > 0 && size <= chunk_size);
        if chunk_size > 0 && !fits {
            return self.chunks(delivery, chunk_size, source.content);
        }
        let name = delivery.destination.clone();
        let written = self.write_delivery(delivery, &name, source.size, source.content)?;
        let queued = self.publish(written)?;
        self.log.info(delivery.sent(&name, queued));
        Ok(())
    }

    /// Writes, but does not publish, one packet of a delivery.
    pub(super) fn write_delivery<'a>(
        &'a self,
        delivery: &Delivery<'a>,
        name: &[u8],
        size: Option<u64>,
        content: impl Read + Send,
    ) -> Result<Written<'a>, QueueError> {
        let nice = delivery.options.nice;
        let parcel = Parcel {
            plain: PlainHeader::new(Kind::File, Some(nice), name)?,
            nice,
            minimum: delivery.minimum,
            maximum: delivery.options.maximum,
            size,
            shown: delivery.source.clone(),
            work: Work::Tx,
            batch: delivery.batch.clone(),
        };
        match delivery.to {
            Destination::Node(neighbour) => {
                let route = Route::to(&self.node, neighbour, &delivery.options.via)?;
                self.write(&route, &parcel, content)
            }
            Destination::Area(area) => {
                self.write_post(area, &delivery.options.via, &parcel, content)
            }
        }
    }
}
