//! Processes one packet: authenticates it, passes it to the file of its kind, and removes it.

use super::arrival::{Arrival, Author, Body};
use super::builtin::Turn;
use super::options::Toss;
use super::outcome::{Effect, Stays, failed};
use crate::blocks::{self, PacketReader};
use crate::config::Neighbour;
use crate::log::event::{Rx, RxFault};
use crate::outbound::{AckOptions, QueueError};
use crate::spool::{Job, Seen, Xx};
use packmule_protocol::packet::{
    HEADER_LEN, Header, HeaderError, Kind, Kinds, OpenError, Opener, size,
};
use std::fs::File;
use std::io::{self, Seek};

/// Why a packet is rejected.
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
    /// Processes the packet `job` from the directory of the neighbour `directory`.
    pub(super) fn packet(
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
        if self.is_done(&rx, sender, directory, job)? {
            if turn.is_peek() {
                return Err(Stays::Skipped);
            }
            log.info(rx.done_before());
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
        let mut arrival = Arrival { rx, author, job, opener: &opener, body: &body };
        let reader = arrival.reader().map_err(|error| self.unreadable(&arrival.rx, &error))?;
        arrival.rx.size = Some(size::logged_payload(job.size));
        log.debug(|| arrival.rx.begins());
        let kind = reader.plain().kind;
        let effect = self.act(&arrival, reader, skip, turn)?;
        if kind != Kind::Ack && job.xx == Xx::Rx {
            self.acknowledge(directory, &arrival)?;
        }
        self.write_receipts(&rx, sender, directory, job, kind)?;
        self.finish(&arrival.rx, job, effect)
    }

    /// Checks that a packet can be read up to its kind. If not, its purpose is unknown.
    pub(super) fn is_readable(&self, job: &Job) -> Result<(), String> {
        let sender = job.header.sender;
        let author = self.local.node.by_id(&sender);
        let author = author.ok_or_else(|| format!("its sender {sender} is not a neighbour"))?;
        let file = job.open().map_err(|error| error.to_string())?;
        let opener = self.opener(author, &file).map_err(|error| error.to_string())?;
        let mut body = &file;
        body.seek(io::SeekFrom::Start(HEADER_LEN as u64)).map_err(|error| error.to_string())?;
        let body: Body<'_> = Box::new(body);
        PacketReader::new(body, &opener).map(drop).map_err(|error| error.to_string())
    }

    /// True if an earlier toss with marks processed the packet. Without the option, marks are
    /// ignored: a person may have put the packet back to be processed again.
    fn was_done(&self, job: &Job) -> bool {
        self.options.seen && self.local.spool.is_seen(&job.node, &job.hash)
    }

    /// Verifies the recipient and the signature in the packet's header.
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

    /// Acknowledges a packet to the neighbour that delivered it, if the options ask for that.
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

    /// Writes the mark, and removes the packet and its header copy.
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
