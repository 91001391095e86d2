//! A message of an area: passed on to subscribers, then acted on if we are a member.
//!
//! Whoever is served gets a mark, ourselves last: what a crash interrupts goes on where it was.

use super::Toss;
use super::builtin::Turn;
use super::packet::{Acted, Arrival, Author, Body, Effect, Reader, failed};
use super::staged::Staged;
use crate::blocks::{self, ReadError};
use crate::config::Area;
use crate::log::event::{AreaFault, Echo, Message, Peer};
use crate::outbound::QueueError;
use crate::spool::DiskError;
use packmule_protocol::id::{AreaId, NodeId};
use packmule_protocol::packet::{
    HEADER_LEN, Header, HeaderError, OpenError, Opener, PlainHeader, area,
};
use std::io;

/// An area message can not be handled.
#[derive(Debug, thiserror::Error)]
enum AreaError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("unknown sender")]
    UnknownAuthor,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Toss<'_> {
    pub(super) fn area<'a>(&'a self, arrival: &Arrival<'a>, reader: Reader<'a>) -> Acted {
        let plain = reader.plain().clone();
        let id = match plain.id() {
            Ok(id) => AreaId(id),
            Err(error) => return Err(self.unreadable(arrival, &error.into())),
        };
        let Some(area) = self.outbox.node.area_by_id(&id) else {
            return Err(failed(self, arrival.rx.area_unknown(id), &"unknown area"));
        };
        let staged = Staged::take(reader, self.outbox.spool)
            .map_err(|error| self.unreadable(arrival, &error))?;
        let fault = |arrival: &Arrival<'_>, fault: AreaFault, error: &dyn std::fmt::Display| {
            failed(self, arrival.rx.area_fault(fault), error)
        };
        let header = header(&staged).map_err(|error| fault(arrival, AreaFault::Read, &error))?;
        let message = Message { area: id, name: &area.name, id: header.message_id() };
        let rx = crate::log::event::Rx { area: Some(message), ..arrival.rx };
        let arrival = Arrival { rx, ..*arrival };
        self.pass_on(&arrival, area, &plain, &header, &staged)
            .map_err(|error| fault(&arrival, AreaFault::Area, &error))?;
        let own = self.outbox.node.self_neighbour().id;
        let seen = self
            .outbox
            .spool
            .has_area_mark(&own, &id, &message.id)
            .map_err(|error| fault(&arrival, AreaFault::Touch, &error))?;
        if seen {
            self.outbox.log.debug(|| rx.area_seen());
            return Ok(Effect { unmarked: true, delivered: None });
        }
        let inside = self.take_part(&arrival, area, header, &staged)?;
        if !self.options.dry_run {
            self.outbox
                .spool
                .mark_area(&own, &id, &message.id)
                .map_err(|error| fault(&arrival, AreaFault::Touch, &error))?;
        }
        Ok(Effect { unmarked: true, ..inside })
    }

    /// Sends the message to every subscriber that has not had it yet.
    fn pass_on(
        &self,
        arrival: &Arrival<'_>,
        area: &Area,
        plain: &PlainHeader,
        header: &Header,
        staged: &Staged,
    ) -> Result<(), AreaError> {
        let (spool, node) = (self.outbox.spool, self.outbox.node);
        let message = header.message_id();
        // Our own mark says that we acted on it, so it may not be made here.
        let own = node.self_neighbour().id;
        for id in area.subs.iter().filter(|id| **id != own) {
            let Some(to) = node.by_id(id) else { continue };
            if spool.has_area_mark(id, &area.id, &message)? {
                continue;
            }
            // Whoever sent it to us has it, and so has whoever wrote it.
            let had = *id == arrival.author.peer.id || *id == header.sender;
            if !had {
                let echo = if self.options.dry_run { Echo::DryRun } else { Echo::Sent };
                let peer = to.peer();
                self.outbox.log.info(arrival.rx.area_echo(peer, echo));
            }
            if self.options.dry_run {
                continue;
            }
            if !had {
                let body = staged.from(0)?;
                let intend =
                    |hop: &NodeId, copy| spool.intend_area_copy(id, &area.id, &message, hop, copy);
                self.outbox.echo(to, plain.clone(), arrival.rx.nice, staged.len(), body, intend)?;
            }
            spool.mark_area(id, &area.id, &message)?;
        }
        Ok(())
    }

    /// Acts on the message with the area's permissions, if we hold its key.
    fn take_part(
        &self,
        arrival: &Arrival<'_>,
        area: &Area,
        header: Header,
        staged: &Staged,
    ) -> Acted {
        let Some(private) = &area.private else {
            self.outbox.log.debug(|| arrival.rx.area_no_key());
            return Ok(Effect::default());
        };
        let verified = match self.outbox.node.by_id(&header.sender) {
            Some(author) => header.verify(&author.signpub).map_err(AreaError::from),
            None if area.allow_unknown => Ok(header.without_check()),
            None => Err(AreaError::UnknownAuthor),
        };
        let opener = verified
            .and_then(|verified| Ok(Opener::new(&verified, &NodeId(area.id.0), private)?))
            .map_err(|error| failed(self, arrival.rx.area_fault(AreaFault::Area), &error))?;
        let body = || -> io::Result<Body<'_>> { staged.from(HEADER_LEN as u64) };
        let author = Author {
            peer: Peer { id: NodeId(area.id.0), name: &area.name },
            incoming: area.incoming.as_deref(),
            exec: &area.exec,
            neighbour: None,
        };
        let inner = packmule_protocol::packet::size::logged_payload(staged.len());
        let rx = crate::log::event::Rx { inner: Some(inner), ..arrival.rx };
        let inside = Arrival {
            rx,
            author,
            job: arrival.job,
            opener: &opener,
            body: &body,
            turn: Turn::Alone,
        };
        let reader = inside.reader().map_err(|error| self.unreadable(&inside, &error))?;
        let kind = reader.plain().kind;
        if !area::allows(kind) {
            // It will never be acted on: told once, and then done with.
            let error = format!("{kind:?} packets have no meaning inside an area");
            failed(self, arrival.rx.area_fault(AreaFault::Area), &error);
            return Ok(Effect::default());
        }
        self.act(&inside, reader, self.options.skip)
    }
}

/// The header of the packet inside.
fn header(staged: &Staged) -> Result<Header, AreaError> {
    let head = blocks::head(staged.from(0)?)?;
    Ok(Header::parse(&head)?)
}
