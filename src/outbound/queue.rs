//! Queues one packet: checks, encrypts and publishes it.

use super::error::QueueError;
use super::route::{Destination, Route, Via};
use crate::blocks::{self, Layer, Padding};
use crate::config::{Area, Neighbour};
use crate::disk::{Below, PathError};
use crate::ledger::{Entry, Follow, Following};
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
    /// Its plain header, with a checked path.
    pub plain: PlainHeader,
    /// Niceness of every layer.
    pub nice: Niceness,
    /// Minimum size of the packet on the first link, in bytes.
    pub minimum: u64,
    /// Its maximum size in bytes; `None` for no limit.
    pub maximum: Option<u64>,
    /// Size of the payload, if it is known in advance.
    pub size: Option<u64>,
    /// Its name in progress displays.
    pub shown: String,
    /// The kind of work in progress displays.
    pub work: Work,
    /// The packets that are published together with it.
    pub batch: Option<Batch>,
    /// What it is to whoever follows it, if it may be followed.
    pub follow: Option<Follow>,
}

/// A packet that was queued.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queued {
    /// Its name in the first hop's `tx/`.
    pub packet: PacketHash,
    /// Size of plain header and payload, in bytes.
    pub content: u64,
}

/// Checks the path of a file by the rules of its recipient.
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

/// A packet that is written but not published.
pub(super) struct Written<'a> {
    pub(super) packet: Finished,
    pub(super) first_hop: &'a Neighbour,
    pub(super) content: u64,
    /// If its recipient is asked for proof.
    pub(super) followed: Option<Entry>,
    post: Option<Post<'a>>,
    nice: Niceness,
}

/// The properties of an area post.
struct Post<'a> {
    area: &'a Area,
    message: AreaMessageId,
    /// Size of the area message, for the log.
    size: u64,
}

impl Parcel {
    /// The size of the innermost packet, if the size of its payload is known.
    fn announced(&self, layers: u32) -> Option<u64> {
        let payload = self.size.filter(|size| *size > 0)?;
        let content = payload.saturating_add(PLAIN_LEN as u64);
        let padding = size::padding(content, self.minimum, layers);
        Some(size::packet_len(content, padding))
    }
}

impl Local {
    /// Queues the content of `source` for `to`.
    ///
    /// # Errors
    /// Nothing is left behind then, not even in `tmp/`.
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

    /// Logs the result, if it belongs in the log.
    pub(super) fn logged(
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

    /// Writes a packet along `route`, but does not publish it.
    pub(super) fn write<'a>(
        &'a self,
        route: &Route<'a>,
        parcel: &Parcel,
        source: impl Read + Send,
    ) -> Result<Written<'a>, QueueError> {
        let mut layers = self.layers(route, parcel.plain.clone(), parcel.nice, parcel.minimum)?;
        let announced = parcel.announced(route.layers());
        let asked = route.last().proof.asked().is_some();
        let follow = parcel.follow.as_ref().filter(|_| asked);
        if follow.is_some()
            && let Some((_outermost, inner)) = layers.split_last_mut()
        {
            inner.iter_mut().for_each(|layer| layer.named = true);
        }
        let (mut written, names) = self.write_layers(layers, announced, route, parcel, source)?;
        written.followed = follow.map(|follow| {
            let stations = route.stations(written.packet.hash(), &names);
            Entry::new(stations, written.packet.size(), parcel.nice, follow.clone())
        });
        Ok(written)
    }

    /// Writes a post to `area`. It is encrypted for the area, then for this node itself, which
    /// sends it on when it tosses its own queue.
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
        layers.insert(0, Layer { sealer, plain, padding: Padding::default(), named: false });
        let announced = parcel.announced(route.layers() + 1);
        let (mut written, _) = self.write_layers(layers, announced, &route, parcel, source)?;
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
    ) -> Result<(Written<'a>, Vec<PacketHash>), QueueError> {
        let limit = parcel.maximum.unwrap_or(u64::MAX);
        if let Some(expected) = announced {
            if expected > limit {
                return Err(QueueError::TooBig(limit));
            }
            self.spool.room_for(expected)?;
        }
        // Comes first, because it may make the spool that contains the log.
        let mut pending = match &parcel.batch {
            Some(batch) => self.spool.pending_of(batch)?,
            None => self.spool.pending()?,
        };
        route.log_layers(&self.log, parcel.nice, announced.unwrap_or(0));
        let meter = self.progress.start(parcel.work, &parcel.shown, parcel.size);
        let sealed = blocks::seal(meter.read(source), layers, limit, &mut pending)?;
        let (first_hop, nice) = (route.first_hop(), parcel.nice);
        let packet = pending.finish()?;
        let content = sealed.content;
        let written = Written { packet, first_hop, content, followed: None, post: None, nice };
        Ok((written, sealed.names))
    }

    /// Publishes a packet under its hash in the first hop's `tx/`, and follows it if its recipient is
    /// asked for proof.
    pub(super) fn publish(&self, mut written: Written<'_>) -> Result<Queued, QueueError> {
        let following = self.follow(written.followed.take())?;
        let queued = self.publish_one(written)?;
        following.map_or(Ok(()), Following::published)?;
        Ok(queued)
    }

    /// Begins to follow packets, all of them for one node, that are about to be published.
    pub(super) fn follow(
        &self,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Option<Following<'_>>, QueueError> {
        let entries: Vec<_> = entries.into_iter().collect();
        let Some(to) = entries.first().map(Entry::to) else { return Ok(None) };
        Ok(Some(self.ledger.follow(&to, entries)?))
    }

    /// Publishes a packet that nobody follows, or that is followed already.
    pub(super) fn publish_one(&self, written: Written<'_>) -> Result<Queued, QueueError> {
        let Written { packet, first_hop, content, post, nice, .. } = written;
        if let Some(Post { area, message, .. }) = post {
            // Marked before it can be tossed, so that this node's own post is not delivered to
            // itself.
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
