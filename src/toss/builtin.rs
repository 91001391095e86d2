//! A builtin that chooses the order of its packets looks at everything that waits for it before it
//! acts on any of it.
//!
//! ```text
//! first pass over the queues: Look   -> Waiting, or a verdict at once
//! then, as the builtin says:  Apply  -> authenticated as a whole, then acted on
//!                             Answer -> nothing is run; what is to go is authenticated first
//! ```

use super::answer::answer;
use super::exec::decompressed;
use super::packet::{Arrival, Body, Reader, Stays};
use super::{Skip, Toss};
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::handler::zfs_receive::{self, Next, Waiting, ZfsReceive};
use crate::handler::{Builtin, Verdict};
use crate::log::event;
use crate::spool::{Job, Xx};
use crate::zfs::decide::Wait;
use crate::zfs::receive::{Held, Outcome};
use packmule_protocol::packet::Kind;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

/// The builtins of one toss over queues, and what they have said.
#[derive(Default)]
pub(super) struct Builtins {
    zfs: RefCell<ZfsReceive>,
    verdicts: RefCell<HashMap<usize, Verdict>>,
}

/// How far a builtin is with a packet, which it knows by a number.
#[derive(Clone, Copy)]
pub(super) enum Turn<'a> {
    /// It sees it for the first time.
    Look(usize, &'a Builtins),
    /// It is this packet's turn.
    Apply(usize, &'a Builtins),
    /// There is a verdict already.
    Answer(usize, &'a Builtins),
    /// It sees it, and nothing will be done.
    Peek(usize, &'a Builtins),
    /// It is not one of a toss.
    Alone,
}

impl Turn<'_> {
    /// Whether nothing may be done to the packet.
    pub(super) fn is_peek(self) -> bool {
        matches!(self, Self::Peek(..))
    }
}

impl Builtins {
    /// Whose turn it is; `None` when nothing waits any more.
    pub(super) fn next_turn(&self) -> Option<(usize, Turn<'_>)> {
        let next = self.zfs.borrow_mut().next_step()?;
        Some(match next {
            Next::Apply(key) => (key, Turn::Apply(key, self)),
            Next::Answer(key, verdict) => {
                self.verdicts.borrow_mut().insert(key, verdict);
                (key, Turn::Answer(key, self))
            }
        })
    }
}

/// Whether configured words name a builtin that chooses the order of its packets.
pub(super) fn chooses_order(configured: &[String]) -> bool {
    Builtin::ZfsReceive.is_in(configured)
}

impl Toss<'_> {
    /// What waits in a neighbour's queue for `builtin:zfs-receive`, and what would become of it if
    /// it were tossed now. Nothing is done.
    ///
    /// # Errors
    /// When the queue can not be listed.
    pub fn zfs_waiting(&self, neighbour: &Neighbour) -> Result<Vec<(Job, Held)>, DiskError> {
        let skip = Skip { exec: false, area: true, ..Skip::OWN_QUEUE };
        let builtins = Builtins::default();
        let jobs = self.outbox.spool.jobs(&neighbour.id, Xx::Rx)?;
        let mut unread = Vec::new();
        for (key, job) in jobs.iter().enumerate() {
            if self.packet(neighbour, job, skip, Turn::Peek(key, &builtins))
                == super::Outcome::Failed
                && let Err(reason) = self.is_readable(job)
            {
                unread.push((key, reason));
            }
        }
        let mut held = builtins.zfs.borrow().overview();
        held.extend(unread.into_iter().map(|(key, reason)| unknown(key, reason)));
        for (key, verdict) in builtins.verdicts.take() {
            if let Verdict::Blocked { reason } | Verdict::Failed { reason, .. } = verdict {
                held.push(unknown(key, reason));
            }
        }
        held.sort_by_key(|held| held.key);
        let mut jobs: Vec<_> = jobs.into_iter().map(Some).collect();
        Ok(held.into_iter().filter_map(|held| Some((jobs[held.key].take()?, held))).collect())
    }

    /// When nothing is left for the builtins of a toss: what they have to say, to the operator and
    /// to the senders. Tells how many answers were not queued; the next toss makes up for them.
    pub(super) fn conclude(&self, builtins: &Builtins) -> u64 {
        let zfs = builtins.zfs.borrow();
        for (sender, text) in zfs.warnings() {
            self.outbox.log.info(event::zfs_warning(sender, text));
        }
        let mut failed = 0;
        for (sender, reply) in zfs.replies() {
            // Nobody gets answers inside an area.
            let Some(neighbour) = self.outbox.node.neighbours.get(&sender) else { continue };
            if let Err(error) = answer(&self.outbox, neighbour, reply) {
                self.outbox.log.error(event::receipt_fault(neighbour.peer()), &error);
                failed += 1;
            }
        }
        failed
    }

    /// Has a builtin look at a packet, or act on it.
    pub(super) fn builtin<'a>(
        &self,
        arrival: &Arrival<'a>,
        reader: Reader<'a>,
        configured: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<Verdict, Stays> {
        let kind = reader.plain().kind;
        let authenticate = |reader: Reader<'a>| {
            arrival.authenticated(reader).map(drop).map_err(|e| self.unreadable(arrival, &e))
        };
        let open = || payload(arrival, kind);
        let (seconds, nanoseconds) = arrival.job.modified;
        let since = Duration::new(
            u64::try_from(seconds).unwrap_or_default(),
            u32::try_from(nanoseconds).unwrap_or_default(),
        );
        let sender = match arrival.author.neighbour {
            Some(neighbour) => neighbour.name.clone(),
            None => format!("area:{}", arrival.author.peer.name),
        };
        let waiting = Waiting {
            words: configured,
            sender: &sender,
            arguments,
            since: SystemTime::UNIX_EPOCH + since,
        };
        match arrival.turn {
            Turn::Look(key, builtins) => {
                drop(reader);
                builtins.zfs.borrow_mut().add(key, waiting, &open).ok_or(Stays::Waiting)
            }
            Turn::Peek(key, builtins) => {
                drop(reader);
                if let Some(verdict) = builtins.zfs.borrow_mut().add(key, waiting, &open) {
                    builtins.verdicts.borrow_mut().insert(key, verdict);
                }
                Err(Stays::Waiting)
            }
            Turn::Apply(key, builtins) => {
                authenticate(reader)?;
                Ok(builtins.zfs.borrow_mut().apply(key, &open))
            }
            Turn::Answer(key, builtins) => {
                let verdict = builtins.verdicts.borrow_mut().remove(&key);
                let verdict = verdict.ok_or(Stays::Waiting)?;
                if matches!(verdict, Verdict::Duplicate { .. } | Verdict::Done { .. }) {
                    authenticate(reader)?;
                }
                Ok(verdict)
            }
            Turn::Alone => {
                authenticate(reader)?;
                Ok(zfs_receive::once(waiting, &open))
            }
        }
    }
}

/// A packet of which nothing is known but why.
fn unknown(key: usize, reason: String) -> Held {
    let outcome = Some(Outcome::Defer(Wait::Input(reason)));
    Held { key, name: None, to_guid: None, stream: None, outcome }
}

/// What a packet holds, from its start.
fn payload<'a>(arrival: &Arrival<'a>, kind: Kind) -> io::Result<Box<dyn Read + Send + 'a>> {
    let reader = arrival.reader().map_err(io::Error::other)?;
    let body: Body<'a> = match reader.whole() {
        Some(whole) => Box::new(io::Cursor::new(whole.to_vec())),
        None => Box::new(reader),
    };
    match kind {
        Kind::Exec => decompressed(body),
        _ => Ok(body),
    }
}
