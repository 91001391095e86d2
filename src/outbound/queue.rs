//! Queueing one packet: checked, sealed, published.

use super::error::QueueError;
use super::route::{Destination, Route, Via};
use crate::blocks::{self, Layer, Padding};
use crate::config::{Area, Neighbour};
use crate::disk::{Below, PathError};
use crate::local::Local;
use crate::log::Record;
use crate::log::event::{Message, Peer, Sent};
use crate::progress::Work;
use crate::spool::{Batch, Finished, Xx};
use packmule_protocol::id::{AreaMessageId, PacketHash};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::plain::PATH_MAX;
use packmule_protocol::packet::{PLAIN_LEN, PlainHeader, TooLongPath, area, size};
use std::io::Read;

/// A packet to make.
pub(crate) struct Parcel {
    /// What it is; its path is checked already.
    pub plain: PlainHeader,
    /// Niceness of every layer.
    pub nice: Niceness,
    /// Bytes that the packet on the first link has at least.
    pub minimum: u64,
    /// Bytes that it may have; `None` is no limit.
    pub maximum: Option<u64>,
    /// Bytes of payload, where they are known beforehand.
    pub size: Option<u64>,
    /// What people who watch are shown.
    pub shown: String,
    /// What is being done, for them.
    pub work: Work,
    /// The packets that it is published with, if there are others.
    pub batch: Option<Batch>,
}

/// A packet that was queued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queued {
    /// Its name in the first hop's `tx/`.
    pub packet: PacketHash,
    /// Plain header and payload, in bytes.
    pub content: u64,
}

/// Checks where a file is to arrive, by the rule of its receiver.
///
/// # Errors
/// [`QueueError::Absolute`] and [`QueueError::Destination`].
pub(super) fn check_destination(path: &[u8]) -> Result<(), QueueError> {
    match Below::new(path) {
        Ok(_) if path.len() > PATH_MAX => Err(TooLongPath(path.len()).into()),
        Ok(_) => Ok(()),
        Err(PathError::Absolute) => Err(QueueError::Absolute("destination")),
        Err(error) => Err(QueueError::Destination { path: path.to_vec(), error }),
    }
}

/// A packet that was written and waits to be published.
pub(super) struct Written<'a> {
    pub(super) packet: Finished,
    pub(super) first_hop: &'a Neighbour,
    pub(super) content: u64,
    post: Option<Post<'a>>,
    nice: Niceness,
}

/// What is special about a packet that is a post to an area.
struct Post<'a> {
    area: &'a Area,
    message: AreaMessageId,
    /// Of the message as it was announced; what is logged.
    size: u64,
}

impl Parcel {
    /// Bytes that the innermost packet will have in all, where the size of its payload is known.
    fn announced(&self, layers: u32) -> Option<u64> {
        let payload = self.size.filter(|size| *size > 0)?;
        let content = payload.saturating_add(PLAIN_LEN as u64);
        let padding = size::padding(content, self.minimum, layers);
        Some(size::packet_len(content, padding))
    }
}

impl Local {
    /// Queues what `source` gives for `to`.
    ///
    /// # Errors
    /// Then nothing is left behind, in `tmp/` neither.
    pub(crate) fn queue<'a>(
        &'a self,
        to: Destination<'a>,
        via: &Via,
        parcel: &Parcel,
        source: impl Read + Send,
    ) -> Result<Queued, QueueError> {
        let written = match to {
            Destination::Node(neighbour) => {
                let route = Route::to(&self.node, neighbour, via)?;
                self.write(&route, parcel, source)?
            }
            Destination::Area(area) => self.write_post(area, via, parcel, source)?,
        };
        self.publish(written)
    }

    /// Logs what became of a packet, where that is an event.
    pub(super) fn told(
        &self,
        to: Peer<'_>,
        nice: Niceness,
        queued: Result<Queued, QueueError>,
        record: impl FnOnce(&Sent<'_>) -> Record,
    ) -> Result<Queued, QueueError> {
        let size = queued.as_ref().map_or(0, |queued| queued.content);
        let pkt = queued.as_ref().ok().map(|queued| queued.packet);
        let record = record(&Sent { to, nice, size, pkt });
        match &queued {
            Ok(_) => self.log.info(record),
            Err(error) if error.is_event() => self.log.error(record, error),
            Err(_) => {}
        }
        queued
    }

    /// Writes, but does not publish, a packet along `route`.
    pub(super) fn write<'a>(
        &'a self,
        route: &Route<'a>,
        parcel: &Parcel,
        source: impl Read + Send,
    ) -> Result<Written<'a>, QueueError> {
        let layers = self.layers(route, parcel.plain.clone(), parcel.nice, parcel.minimum)?;
        let announced = parcel.announced(route.layers());
        self.write_layers(layers, announced, route, parcel, source)
    }

    /// Writes a post to `area`: sealed for the area, then for ourselves, who will pass it on when
    /// we toss our own queue.
    pub(super) fn write_post<'a>(
        &'a self,
        area: &'a Area,
        via: &Via,
        parcel: &Parcel,
        source: impl Read + Send,
    ) -> Result<Written<'a>, QueueError> {
        let (Some(public), Some(_)) = (area.public, &area.private) else {
            return Err(QueueError::NoAreaKeys);
        };
        let own = self.node.self_neighbour();
        let route = Route::to(&self.node, own, via)?;
        let outer = PlainHeader::area(&area.id);
        let mut layers = self.layers(&route, outer, parcel.nice, parcel.minimum)?;
        let sealer = self.sealer(area::recipient(&area.id, public), parcel.nice)?;
        let message = sealer.header().message_id();
        let plain = parcel.plain.clone();
        layers.insert(0, Layer { sealer, plain, padding: Padding::default() });
        let announced = parcel.announced(route.layers() + 1);
        let mut written = self.write_layers(layers, announced, &route, parcel, source)?;
        let size = announced.unwrap_or(0);
        written.post = Some(Post { area, message, size });
        Ok(written)
    }

    fn write_layers<'a>(
        &'a self,
        layers: Vec<Layer>,
        announced: Option<u64>,
        route: &Route<'a>,
        parcel: &Parcel,
        source: impl Read + Send,
    ) -> Result<Written<'a>, QueueError> {
        let limit = parcel.maximum.unwrap_or(u64::MAX);
        if let Some(expected) = announced {
            if expected > limit {
                return Err(QueueError::TooBig(limit));
            }
            self.spool.room_for(expected)?;
        }
        // First of all, since the log may be in a spool that is only made now.
        let mut pending = match &parcel.batch {
            Some(batch) => self.spool.pending_of(batch)?,
            None => self.spool.pending()?,
        };
        route.tell(&self.log, parcel.nice, announced.unwrap_or(0));
        let meter = self.progress.start(parcel.work, &parcel.shown, parcel.size);
        let content = blocks::seal(meter.read(source), layers, limit, &mut pending)?;
        let (first_hop, nice) = (route.first_hop(), parcel.nice);
        let packet = pending.finish()?;
        Ok(Written { packet, first_hop, content, post: None, nice })
    }

    /// Publishes a packet under its hash in the first hop's `tx/`.
    pub(super) fn publish(&self, written: Written<'_>) -> Result<Queued, QueueError> {
        let Written { packet, first_hop, content, post, nice } = written;
        if let Some(Post { area, message, .. }) = post {
            // Before it can be tossed: our own post must not be delivered to us.
            let own = self.node.self_neighbour();
            self.spool.mark_area(&own.id, &area.id, &message)?;
        }
        let packet = packet.publish(&first_hop.id, Xx::Tx, Some(&first_hop.name))?;
        if let Some(Post { area, message, size }) = post {
            let to = first_hop.peer();
            let sent = Sent { to, nice, size, pkt: Some(packet) };
            self.log.info(sent.area(Message { area: area.id, name: &area.name, id: message }));
        }
        Ok(Queued { packet, content })
    }
}
