//! Processes a message of an area: sends it to subscribers, then processes it if this node is a
//! member.
//!
//! Each served subscriber gets a mark, and this node comes last. So a toss after a crash continues
//! where the crashed one stopped.

use super::arrival::{Arrival, Author, Body, Reader};
use super::options::Toss;
use super::outcome::{Acted, Effect, Stays, failed};
use super::staged::Staged;
use crate::blocks::{self, ReadError};
use crate::config::{Area, Neighbour};
use crate::disk::DiskError;
use crate::local::Local;
use crate::log::Record;
use crate::log::event::{Message, Peer, Rx};
use crate::outbound::QueueError;
use crate::spool::Job;
use packmule_protocol::id::{AreaId, AreaMessageId, NodeId};
use packmule_protocol::packet::{
    HEADER_LEN, Header, HeaderError, OpenError, Opener, PlainHeader, size,
};
use std::io;

/// Why an area message cannot be processed.
#[derive(Debug, thiserror::Error)]
enum AreaError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(
        "its author {0} is an unknown sender: add the author to neigh, set allow-unknown in the \
         area, or remove the packet"
    )]
    UnknownAuthor(NodeId),
    #[error("subscriber {0} is not a neighbour")]
    UnknownSubscriber(NodeId),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Processes the packet within a message.
pub(super) type Inside<'a> = dyn for<'b> Fn(&Arrival<'b>, Reader<'b>) -> Acted + 'a;

impl Toss<'_> {
    pub(super) fn area<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        inside: &Inside<'_>,
    ) -> Acted {
        let plain = reader.plain().clone();
        let id = match plain.id() {
            Ok(id) => AreaId(id),
            Err(error) => return Err(self.unreadable(&arrival.rx, &error.into())),
        };
        let Some(area) = self.local.node.area_by_id(&id) else {
            return Err(failed(self, arrival.rx.area_unknown(id), &"unknown area"));
        };
        let staged = Staged::take(reader, &self.local.spool)
            .map_err(|error| self.unreadable(&arrival.rx, &error))?;
        let header = header(&staged)
            .map_err(|error| failed(self, arrival.rx.area_fault(AreaFault::Read), &error))?;
        let message = Message { area: id, name: &area.name, id: header.message_id() };
        let rx = Rx { area: Some(message), ..arrival.rx };
        let from = arrival.author.peer.id;
        let post = Post { toss: self, area, id: message.id, rx, from, plain, header, staged };
        let all_served = post.pass_on();
        let effect = post.act_once(arrival.job, inside)?;
        // This node and all served subscribers have marks, so the next toss serves only the others.
        if all_served {
            return Ok(Effect { unmarked: true, ..effect });
        }
        if let Some(delivered) = effect.delivered {
            delivered.forget_packet();
        }
        Err(Stays::Failed)
    }
}

/// An area message that is completely authenticated.
struct Post<'a> {
    toss: &'a Toss<'a>,
    area: &'a Area,
    id: AreaMessageId,
    /// The message in log records.
    rx: Rx<'a>,
    /// The node that sent it to this one.
    from: NodeId,
    /// The plain header for sending it on.
    plain: PlainHeader,
    /// The header of the packet within the message.
    header: Header,
    staged: Staged,
}

impl Post<'_> {
    /// Sends the message to each subscriber without a mark. Logs a subscriber that cannot be served
    /// and continues with the next one. Returns true if all of them are served.
    fn pass_on(&self) -> bool {
        let node = &self.toss.local.node;
        // This node's own mark means that it has processed the message, so it must not be set here.
        let own = node.self_neighbour().id;
        let mut all = true;
        for id in self.area.subs.iter().filter(|id| **id != own) {
            let served = match node.by_id(id) {
                Some(to) => self.serve(to),
                None => Err(AreaError::UnknownSubscriber(*id)),
            };
            if let Err(error) = served {
                all = false;
                let peer = node.by_id(id).map(Neighbour::peer);
                failed(self.toss, self.rx.area_echo_fault(peer), &error);
            }
        }
        all
    }

    /// Sends the message to a subscriber, unless it has a mark.
    fn serve(&self, to: &Neighbour) -> Result<(), AreaError> {
        let Self { toss, area, id, rx, .. } = self;
        let Local { spool, log, .. } = toss.local;
        if spool.has_area_mark(&to.id, &area.id, id)? {
            return Ok(());
        }
        // The node that sent it and its author have the message.
        let had = to.id == self.from || to.id == self.header.sender;
        if toss.options.dry_run {
            if !had {
                log.info(rx.area_echo(to.peer(), Echo::DryRun));
            }
            return Ok(());
        }
        if !had {
            let (body, size) = (self.staged.from(0)?, self.staged.len());
            let intend =
                |hop: &NodeId, copy| spool.intend_area_copy(&to.id, &area.id, id, hop, copy);
            toss.local.echo(to, self.plain.clone(), rx.nice, size, body, intend)?;
            log.info(rx.area_echo(to.peer(), Echo::Sent));
        }
        Ok(spool.mark_area(&to.id, &area.id, id)?)
    }

    /// Processes the message if this node is a member and has not processed it yet.
    fn act_once(&self, job: &Job, inside: &Inside<'_>) -> Acted {
        let Local { spool, node, log, .. } = self.toss.local;
        let own = node.self_neighbour().id;
        let touch = |error: DiskError| self.fault(AreaFault::Touch, &error);
        if spool.has_area_mark(&own, &self.area.id, &self.id).map_err(touch)? {
            log.debug(|| self.rx.area_seen());
            return Ok(Effect::default());
        }
        let effect = self.take_part(job, inside)?;
        if !self.toss.options.dry_run {
            spool.mark_area(&own, &self.area.id, &self.id).map_err(touch)?;
        }
        Ok(effect)
    }

    /// Processes the message with the area's permissions, if this node has its key.
    fn take_part(&self, job: &Job, inside: &Inside<'_>) -> Acted {
        let Self { toss, area, header, staged, .. } = self;
        let Some(private) = &area.private else {
            toss.local.log.debug(|| self.rx.area_no_key());
            return Ok(Effect::default());
        };
        let verified = match toss.local.node.by_id(&header.sender) {
            Some(author) => header.clone().verify(&author.signpub).map_err(AreaError::from),
            None if area.allow_unknown => Ok(header.clone().without_check()),
            // The author may be in the configuration at the next toss; without its key, the message
            // cannot be verified.
            None => {
                let reason = AreaError::UnknownAuthor(header.sender);
                toss.local.log.info(self.rx.area_deferred(&reason));
                return Err(Stays::Deferred);
            }
        };
        let opener = verified
            .and_then(|verified| Ok(Opener::new(&verified, &NodeId(area.id.0), private)?))
            .map_err(|error| self.fault(AreaFault::Area, &error))?;
        let body = || -> io::Result<Body<'_>> { staged.from(HEADER_LEN as u64) };
        let rx = Rx { inner: Some(size::logged_payload(staged.len())), ..self.rx };
        let arrival = Arrival { rx, author: Author::area(area), job, opener: &opener, body: &body };
        let reader = arrival.reader().map_err(|error| toss.unreadable(&rx, &error))?;
        let kind = reader.plain().kind;
        if !kind.row().in_area {
            // Can never be processed: report it once and remove it.
            let error = format!("{kind:?} packets are not allowed inside an area");
            self.fault(AreaFault::Area, &error);
            return Ok(Effect::default());
        }
        inside(&arrival, reader)
    }

    fn fault(&self, fault: AreaFault, error: &dyn std::fmt::Display) -> Stays {
        failed(self.toss, self.rx.area_fault(fault), error)
    }
}

/// The header of the packet within the message.
fn header(staged: &Staged) -> Result<Header, AreaError> {
    let head = blocks::head(staged.from(0)?)?;
    Ok(Header::parse(&head)?)
}

/// A fault of an area message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AreaFault {
    /// The packet within the message cannot be read.
    Read,
    /// The message cannot be decrypted or sent on.
    Area,
    /// The mark cannot be written.
    Touch,
}

/// How an area message was passed to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    /// It was queued.
    Sent,
    /// It would be queued (dry run).
    DryRun,
}

/// The log records of area messages: [`Rx::area`] is set, [`Rx::inner`] is not.
impl Rx<'_> {
    /// An area message was processed before.
    fn area_seen(&self) -> Record {
        self.area_step("rx-area-seen", ": already seen")
    }

    /// This node has no key for the area.
    fn area_no_key(&self) -> Record {
        self.area_step("rx-area-no-prv", ": no private key for decoding")
    }

    /// An area message was not processed.
    fn area_fault(&self, fault: AreaFault) -> Record {
        let (who, step) = match fault {
            AreaFault::Read => ("rx-area-pkt-enc-read", ": reading"),
            AreaFault::Area => ("rx-area", ""),
            AreaFault::Touch => ("rx-area-touch", ": touching"),
        };
        self.area_step(who, step)
    }

    /// An area message waits until its author is in the configuration.
    fn area_deferred(&self, reason: &dyn std::fmt::Display) -> Record {
        self.area_step("rx-deferred", &format!(": deferred: {reason}"))
    }

    /// An area message could not be sent to a subscriber.
    fn area_echo_fault(&self, to: Option<Peer<'_>>) -> Record {
        let record = |step: &str| self.area_step("rx-area", step);
        match to {
            Some(to) => record(&format!(": echo to: {}", to.name)).field("Echo", to.id),
            None => record(": echo"),
        }
    }

    /// The area's id is not in the configuration.
    fn area_unknown(&self, area: AreaId) -> Record {
        self.record("rx-area-unknown", self.area_head(&area.to_string()))
            .field("Type", "area")
            .field("Area", area)
    }

    /// An area message goes to a subscriber.
    fn area_echo(&self, to: Peer<'_>, echo: Echo) -> Record {
        let name = self.area.map_or("", |message| message.name);
        let head = self.area_head(name);
        let done = match echo {
            Echo::Sent => "echo to",
            Echo::DryRun => "echoing to",
        };
        let text = format!("{head}: {done}: {}", to.name);
        self.record("rx-area-echo", text).field("Echo", to.id)
    }

    fn area_step(&self, who: &'static str, step: &str) -> Record {
        let name = self.area.map_or("", |message| message.name);
        self.record(who, self.area_head(name) + step)
    }

    /// The start of sentences about an area message.
    fn area_head(&self, name: &str) -> String {
        format!("Tossing {} ({}): area {name}", self.path(), self.payload())
    }
}
