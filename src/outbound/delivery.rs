//! A file to be queued, in one packet or in several.

use super::error::QueueError;
use super::path;
use super::queue::{Parcel, Queued, Written};
use super::route::{Destination, Route, Via};
use crate::config::Neighbour;
use crate::ledger::{self, Follow};
use crate::local::Local;
use crate::log::Record;
use crate::log::event::Sent;
use crate::progress::Work;
use crate::spool::Batch;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{Kind, PlainHeader};
use std::io::Read;

/// Options for a file. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Niceness, in both headers.
    pub nice: Niceness,
    /// Minimum size; `None` for the configured one.
    pub minimum: Option<u64>,
    /// Maximum size of each packet.
    pub maximum: Option<u64>,
    /// Size of chunks, 0 for none; `None` for the configured size.
    pub chunked: Option<u64>,
    /// Relays.
    pub via: Via,
    /// The backup that it belongs to, if its recipient is asked for proof: by default `files`.
    pub backup: Option<String>,
    /// Whether it is followed at all.
    pub follow: bool,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            nice: Niceness::BULK,
            minimum: None,
            maximum: None,
            chunked: None,
            via: Via::Configured,
            backup: None,
            follow: true,
        }
    }
}

/// A file to be queued.
pub(super) struct Delivery<'a> {
    pub(super) to: Destination<'a>,
    /// The recipient in log records.
    pub(super) peer: &'a Neighbour,
    /// The source's name in log records.
    pub(super) source: String,
    /// The path at the recipient.
    pub(super) destination: Vec<u8>,
    pub(super) options: FileOptions,
    pub(super) minimum: u64,
    /// When its data were read, at the earliest.
    pub(super) data: i64,
    /// The batch of its chunks, if it is sent in chunks.
    pub(super) batch: Option<Batch>,
}

impl Delivery<'_> {
    /// What each of its packets is to whoever follows them: all are of one time, so that none of them
    /// proves anything before all do.
    fn follow(&self, now: i64) -> Option<Follow> {
        let backup = self.options.backup.clone().unwrap_or_else(|| "files".to_owned());
        let follow = Follow { kind: ledger::Kind::File, backup, data: self.data, queued: now };
        self.options.follow.then_some(follow)
    }

    /// Log record for a packet that is to arrive as `name`.
    pub(super) fn sent(&self, name: &[u8], queued: Queued) -> Record {
        self.record(name, queued.content, Some(queued))
    }

    /// Log record for a packet, queued or not.
    pub(super) fn record(&self, name: &[u8], size: u64, queued: Option<Queued>) -> Record {
        let pkt = queued.map(|queued| queued.packet);
        let sent = Sent { to: self.peer.peer(), nice: self.options.nice, size, pkt };
        sent.file(&self.source, &path::shown(name))
    }
}

impl Local {
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
            follow: delivery.follow(self.now()),
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
