//! One packet: whose it is, whether it is genuine, and on to the file of its kind.

use super::builtin::Turn;
use super::{Outcome, Toss};
use crate::blocks::{self, PacketReader, ReadError};
use crate::config::Neighbour;
use crate::disk::confined::Temporary;
use crate::log::event::{Peer, Rx, RxFault};
use crate::outbound::{AckOptions, QueueError};
use crate::spool::{Job, Seen, Xx};
use packmule_protocol::packet::{
    HEADER_LEN, Header, HeaderError, Kind, Kinds, OpenError, Opener, PlainError, size,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek};
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
    fn neighbour(neighbour: &'a Neighbour) -> Self {
        Self {
            peer: neighbour.peer(),
            incoming: neighbour.incoming.as_deref(),
            exec: &neighbour.exec,
            neighbour: Some(neighbour),
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
    /// How far a builtin is with it.
    pub(super) turn: Turn<'a>,
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

/// The packet's effect is durable, and it can go.
#[derive(Default)]
pub(super) struct Effect {
    /// It leaves no mark even if marks are asked for: area messages have marks of their own.
    pub(super) unmarked: bool,
    /// The file that was delivered, which tells its packet until that is gone.
    pub(super) delivered: Option<Temporary>,
}

/// Why a packet stays. It was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    Skipped,
    Deferred,
    Blocked,
    Failed,
    /// Only until its builtin says that its turn is.
    Waiting,
}

/// What the file of a kind answers.
pub(super) type Acted = Result<Effect, Stays>;

/// A packet that can not be believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PacketError {
    #[error("reading the packet: {0}")]
    Read(#[from] io::Error),
    #[error("Config lacks private keys")]
    NoPrivateKeys,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Toss<'_> {
    /// Acts on the packet `job` in the directory of the neighbour `directory`.
    pub(super) fn packet(
        &self,
        directory: &Neighbour,
        job: &Job,
        skip: Kinds,
        turn: Turn<'_>,
    ) -> Outcome {
        match self.try_packet(directory, job, skip, turn) {
            Ok(()) => Outcome::Done,
            Err(Stays::Skipped) => Outcome::Skipped,
            Err(Stays::Deferred) => Outcome::Deferred,
            Err(Stays::Blocked) => Outcome::Blocked,
            Err(Stays::Failed) => Outcome::Failed,
            Err(Stays::Waiting) => Outcome::Waiting,
        }
    }

    fn try_packet(
        &self,
        directory: &Neighbour,
        job: &Job,
        skip: Kinds,
        turn: Turn<'_>,
    ) -> Result<(), Stays> {
        let (log, node) = (&self.local.log, &self.local.node);
        let (nice, pkt) = (job.header.nice, job.hash);
        let Some(sender) = node.by_id(&job.header.sender) else {
            log.error(Rx::unknown_sender(job.header.sender, pkt, nice), &"unknown node");
            return Err(Stays::Failed);
        };
        let author = Author::neighbour(sender);
        let rx = Rx::new(author.peer, pkt, nice);
        if nice > self.options.nice {
            log.debug(|| rx.too_nice());
            return Err(Stays::Skipped);
        }
        if job.xx == Xx::Rx && self.was_done(job) {
            if turn.is_peek() {
                return Err(Stays::Skipped);
            }
            log.info(rx.seen());
            return self.finish(&rx, job, Effect { unmarked: true, delivered: None });
        }
        let file = job.open().map_err(|error| failed(self, rx.fault(RxFault::Open), &error))?;
        let opener = self
            .opener(sender, &file)
            .map_err(|error| failed(self, rx.fault(RxFault::Unmarshal), &error))?;
        let body = || -> io::Result<Body<'_>> {
            let mut file = &file;
            file.seek(io::SeekFrom::Start(HEADER_LEN as u64))?;
            Ok(Box::new(file))
        };
        let mut arrival = Arrival { rx, author, job, opener: &opener, body: &body, turn };
        let reader = arrival.reader().map_err(|error| self.unreadable(&arrival, &error))?;
        arrival.rx.size = Some(size::logged_payload(job.size));
        log.debug(|| arrival.rx.begins());
        let kind = reader.plain().kind;
        let effect = self.act(&arrival, reader, skip)?;
        if kind != Kind::Ack && job.xx == Xx::Rx {
            self.acknowledge(directory, &arrival)?;
        }
        self.finish(&arrival.rx, job, effect)
    }

    /// Whether a packet can be read as far as its kind, or why not: what it is for is not known then.
    pub(super) fn is_readable(&self, job: &Job) -> Result<(), String> {
        let sender = job.header.sender;
        let author = self.local.node.by_id(&sender);
        let author = author.ok_or_else(|| format!("its sender {sender} is no neighbour"))?;
        let file = job.open().map_err(|error| error.to_string())?;
        let opener = self.opener(author, &file).map_err(|error| error.to_string())?;
        let mut body = &file;
        body.seek(io::SeekFrom::Start(HEADER_LEN as u64)).map_err(|error| error.to_string())?;
        let body: Body<'_> = Box::new(body);
        PacketReader::new(body, &opener).map(drop).map_err(|error| error.to_string())
    }

    /// Hands a packet to the file of its kind.
    pub(super) fn act<'a>(
        &'a self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        skip: Kinds,
    ) -> Acted {
        let kind = reader.plain().kind;
        if skip.contains(kind) {
            return Err(Stays::Skipped);
        }
        match kind {
            Kind::File => self.file(arrival, reader),
            Kind::Freq => self.freq(arrival, reader),
            Kind::Exec | Kind::ExecFat => self.exec(arrival, reader),
            Kind::Trns => self.trns(arrival, reader),
            Kind::Area => self.area(arrival, reader),
            Kind::Ack => self.ack(arrival, reader),
        }
    }

    /// Whether an earlier toss that leaves marks acted on the packet. Without marks it is acted on
    /// again: somebody put it back.
    fn was_done(&self, job: &Job) -> bool {
        self.options.seen && self.local.spool.is_seen(&job.node, &job.hash)
    }

    /// Checks the header in the packet itself: recipient and signature.
    pub(super) fn opener(
        &self,
        sender: &Neighbour,
        mut file: &File,
    ) -> Result<Opener, PacketError> {
        let node = &self.local.node;
        let keys = node.keys.as_ref().ok_or(PacketError::NoPrivateKeys)?;
        let head = blocks::head(file)?;
        file.rewind()?;
        let verified = Header::parse(&head)?.verify(&sender.signpub)?;
        Ok(Opener::new(&verified, &node.self_neighbour().id, &keys.exchange)?)
    }

    /// Logs why a packet can not be read.
    pub(super) fn unreadable(&self, arrival: &Arrival<'_>, error: &ReadError) -> Stays {
        let fault = match error {
            ReadError::Plain(PlainError::UnknownKind(_)) => RxFault::TypeUnknown,
            _ => RxFault::Unmarshal,
        };
        failed(self, arrival.rx.fault(fault), error)
    }

    /// Acknowledges a packet to the neighbour that gave it to us, if that is asked for.
    fn acknowledge(&self, directory: &Neighbour, arrival: &Arrival<'_>) -> Result<(), Stays> {
        let own = self.local.node.self_neighbour().id;
        if !self.options.acknowledge || self.options.dry_run || directory.id == own {
            return Ok(());
        }
        let options = AckOptions { nice: directory.ack.nice, ..AckOptions::default() };
        let queued = self.local.ack(directory, arrival.job.hash, &options).and_then(|queued| {
            let hop = directory.via.first().unwrap_or(&directory.id);
            Ok::<_, QueueError>(self.local.spool.mark_ack(hop, &queued.packet)?)
        });
        queued.map_err(|error| failed(self, arrival.rx.fault(RxFault::GenAck), &error))
    }

    /// Removes a packet: mark, packet, header copy.
    fn finish(&self, rx: &Rx<'_>, job: &Job, effect: Effect) -> Result<(), Stays> {
        if self.options.dry_run {
            return Ok(());
        }
        let marks = self.options.seen && !effect.unmarked;
        let seen = if marks { Seen::Mark } else { Seen::Forget };
        self.local
            .spool
            .retire(job, seen)
            .map_err(|error| failed(self, rx.fault(RxFault::Remove), &error))?;
        if let Some(delivered) = effect.delivered {
            delivered.forget_packet();
        }
        Ok(())
    }
}

/// Logs a failure.
pub(super) fn failed(
    toss: &Toss<'_>,
    record: crate::log::Record,
    error: &dyn std::fmt::Display,
) -> Stays {
    toss.local.log.error(record, error);
    Stays::Failed
}
