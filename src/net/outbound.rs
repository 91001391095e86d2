//! The sending side of a session, on disk: lists the queue for the peer, reads packets, removes
//! confirmed ones.

use super::metrics::Fault;
use super::station::Station;
use super::terms::Terms;
use super::worker::Work;
use crate::config::Neighbour;
use crate::disk::{DiskError, open_regular_path};
use crate::ledger::HandedBy;
use crate::log::online::Online;
use crate::progress::{Meter, Work as Progressing};
use crate::spool::{Spool, Xx};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::sync::{Offer, Read, Total};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

/// Limit for open files. Packets are sent one after the other, with a little read-ahead.
const MAX_OPEN: usize = 4;
/// A directory that changed more recently than this may change again without a change of its time.
const GRAIN: Duration = Duration::from_secs(2);

/// Work for the sending side.
pub(super) enum Task {
    /// List new packets.
    Scan,
    /// Packets were announced.
    Announced(Total),
    /// Bytes of a packet are needed.
    Read(Read),
    /// The last bytes of a packet were sent.
    Sent(PacketHash),
    /// The peer confirmed a packet.
    Delivered(PacketHash),
}

/// The results of a batch of tasks.
#[derive(Default)]
pub(super) struct Results {
    pub(super) supplies: Vec<(u64, Option<Vec<u8>>)>,
    pub(super) offers: Option<Vec<Offer>>,
    /// Number of packets that could not be read or removed.
    pub(super) failed: usize,
}

/// The packets that are queued for a neighbour, most urgent first.
pub(super) fn offers(spool: &Spool, node: &NodeId) -> Result<Vec<Offer>, DiskError> {
    let jobs = spool.jobs(node, Xx::Tx)?;
    Ok(jobs.iter().map(|job| Offer { hash: job.hash, nice: job.nice(), size: job.size }).collect())
}

/// The sending side of a session.
pub(super) struct Outbound {
    station: Arc<Station>,
    neighbour: Neighbour,
    terms: Terms,
    open: Vec<OpenPacket>,
    /// Total size of the announced packets, and how much of it was read.
    announced: u64,
    total: Option<Meter>,
    sent: u64,
    /// The queue's modification time when it was last listed, and the time of that listing.
    listed: Option<(SystemTime, SystemTime)>,
}

/// A packet that is being sent.
struct OpenPacket {
    hash: PacketHash,
    file: File,
    meter: Meter,
}

impl Outbound {
    /// For a session in which packets with a total of `announced` bytes were offered at the start.
    pub(super) fn new(
        station: &Arc<Station>,
        neighbour: &Neighbour,
        terms: &Terms,
        announced: u64,
    ) -> Self {
        Self {
            station: Arc::clone(station),
            neighbour: neighbour.clone(),
            terms: terms.clone(),
            open: Vec::new(),
            announced,
            total: None,
            sent: 0,
            listed: None,
        }
    }

    fn online(&self) -> Online<'_> {
        Online { peer: self.neighbour.peer(), limit: self.terms.limit }
    }

    /// The queued packets; `None` if they cannot have changed since the last listing.
    fn scan(&mut self) -> Option<Vec<Offer>> {
        let dir = self.station.spool.dir(&self.neighbour.id, Xx::Tx);
        let changed = std::fs::metadata(dir).and_then(|metadata| metadata.modified()).ok()?;
        let quiet = |(seen, when): (SystemTime, SystemTime)| {
            seen == changed && when.duration_since(changed).is_ok_and(|age| age > GRAIN)
        };
        if self.listed.is_some_and(quiet) {
            return None;
        }
        let now = SystemTime::now();
        match offers(&self.station.spool, &self.neighbour.id) {
            Ok(offers) => {
                self.listed = Some((changed, now));
                Some(offers)
            }
            Err(error) => {
                self.station.log.error(self.online().queue(), &error);
                None
            }
        }
    }

    fn read(&mut self, read: &Read) -> io::Result<Vec<u8>> {
        let at = match self.open.iter().position(|open| open.hash == read.hash) {
            Some(at) => at,
            None => self.begin(read)?,
        };
        let open = &mut self.open[at];
        let data = read_at(&open.file, read)?;
        open.meter.add(read.len as u64);
        self.sent += read.len as u64;
        self.show_total(read.len as u64);
        Ok(data)
    }

    fn begin(&mut self, read: &Read) -> io::Result<usize> {
        let path = self.station.spool.packet(&self.neighbour.id, Xx::Tx, &read.hash);
        let (file, metadata) = open_regular_path(&path)?;
        let (name, size) = (read.hash.to_string(), metadata.len());
        let meter = self.station.progress.start(Progressing::Tx, &name, Some(size));
        meter.add(read.offset);
        self.sent += read.offset;
        self.show_total(read.offset);
        if self.open.len() == MAX_OPEN {
            self.open.remove(0);
        }
        self.open.push(OpenPacket { hash: read.hash, file, meter });
        Ok(self.open.len() - 1)
    }

    /// Displays the total progress.
    fn show_total(&mut self, more: u64) {
        if let Some(meter) = &self.total {
            return meter.add(more);
        }
        let (name, all) = (&self.neighbour.name, Some(self.announced));
        let meter = self.station.progress.start(Progressing::Tx, name, all);
        meter.add(self.sent);
        self.total = Some(meter);
    }

    fn on_read(&mut self, read: &Read, results: &mut Results) {
        let data = self.read(read);
        if let Err(error) = &data {
            self.station.metrics.fault(Fault::Packet);
            results.failed += 1;
            let record = self.online().unreadable(read.hash, read.offset);
            self.station.log.error(record, error);
        }
        results.supplies.push((read.ticket, data.ok()));
    }

    /// Removes a packet that the peer confirmed.
    fn on_delivered(&mut self, hash: &PacketHash, results: &mut Results) {
        let record = self.online().delivered(*hash);
        let (ledger, now) = (&self.station.ledger, jiff::Timestamp::now().as_second());
        match ledger.release_named(&self.neighbour.id, hash, HandedBy::Call, now) {
            Ok(true) => {
                self.station.metrics.tx_packets.fetch_add(1, Relaxed);
                self.station.log.info(record);
            }
            Ok(false) => self.station.log.error(record, &"no such file or directory"),
            Err(error) => {
                self.station.metrics.fault(Fault::Packet);
                results.failed += 1;
                self.station.log.error(record, &error);
            }
        }
    }
}

/// Reads the bytes into memory without zeroing it first.
fn read_at(file: &File, read: &Read) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(read.len);
    while data.len() < read.len {
        let offset = read.offset + data.len() as u64;
        match pread(file, spare_capacity(&mut data), offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => data.truncate(read.len),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(data)
}

impl Work for Outbound {
    type Task = Task;
    type Results = Results;

    fn work(&mut self, task: Task, results: &mut Results) {
        match task {
            Task::Scan => results.offers = self.scan().or(results.offers.take()),
            Task::Announced(total) => {
                self.announced += total.bytes;
                self.total = None;
                let record = self.online().announced(total.packets, total.bytes);
                self.station.log.info(record);
            }
            Task::Read(read) => self.on_read(&read, results),
            Task::Sent(hash) => self.open.retain(|open| open.hash != hash),
            Task::Delivered(hash) => self.on_delivered(&hash, results),
        }
    }
}
