//! A builtin that chooses the order of its packets looks at everything that waits for it before it
//! acts on any of it.
//!
//! ```text
//! first pass over the queues: Look   -> Waiting, or a verdict at once
//! then, as the builtin says:  Apply  -> authenticated as a whole, then acted on
//!                             Answer -> nothing is run; what is to go is authenticated first
//! ```

use super::Toss;
use super::answer::answer;
use super::exec::decompressed;
use super::packet::{Arrival, Body, Reader, Stays};
use crate::chain::Next;
use crate::handler::{Builtin, Pass, Queued, Verdict};
use crate::log::event;
use packmule_protocol::packet::Kind;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

/// The builtins of one toss over queues that choose the order of their packets.
#[derive(Default)]
pub(super) struct Builtins {
    /// One pass for each that a packet came for, in the order of their first packets.
    passes: RefCell<Vec<(Builtin, Pass)>>,
    /// Whose packet each key is.
    owners: RefCell<HashMap<usize, Pass>>,
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
    /// As none was tossed yet, but for this builtin, whose pass the caller looks into afterwards.
    pub(super) fn only(builtin: Builtin, pass: Pass) -> Self {
        Self { passes: RefCell::new(vec![(builtin, pass)]), ..Self::default() }
    }

    /// Whose turn it is; `None` when nothing waits any more.
    pub(super) fn next_turn(&self) -> Option<(usize, Turn<'_>)> {
        let passes = self.passes.borrow();
        let next = passes.iter().find_map(|(_, pass)| pass.borrow_mut().next_step())?;
        Some(match next {
            Next::Apply(key) => (key, Turn::Apply(key, self)),
            Next::Answer(key, verdict) => {
                self.verdicts.borrow_mut().insert(key, verdict);
                (key, Turn::Answer(key, self))
            }
        })
    }

    /// What was said of packets that nobody asked about since.
    pub(super) fn into_verdicts(self) -> HashMap<usize, Verdict> {
        self.verdicts.into_inner()
    }

    /// The pass of the builtin that the words name, for a packet with this key.
    fn pass(&self, key: usize, words: &[String]) -> Option<Pass> {
        let builtin = Builtin::named_by(words)?;
        let mut passes = self.passes.borrow_mut();
        let known = passes.iter().find(|(other, _)| *other == builtin);
        let pass = match known {
            Some((_, pass)) => pass.clone(),
            None => {
                let pass = builtin.ordered()?;
                passes.push((builtin, pass.clone()));
                pass
            }
        };
        self.owners.borrow_mut().insert(key, pass.clone());
        Some(pass)
    }

    fn owner(&self, key: usize) -> Option<Pass> {
        self.owners.borrow().get(&key).cloned()
    }
}

/// Whether configured words name a builtin that chooses the order of its packets.
pub(super) fn chooses_order(configured: &[String]) -> bool {
    Builtin::named_by(configured).is_some_and(Builtin::chooses_order)
}

impl Toss<'_> {
    /// When nothing is left for the builtins of a toss: what they have to say, to the operator and
    /// to the senders. Tells how many answers were not queued; the next toss makes up for them.
    pub(super) fn conclude(&self, builtins: &Builtins) -> u64 {
        let mut failed = 0;
        for (_, pass) in builtins.passes.borrow().iter() {
            let pass = pass.borrow();
            for (sender, text) in pass.warnings() {
                self.local.log.info(event::zfs_warning(sender, text));
            }
            for (sender, reply) in pass.replies() {
                // Nobody gets answers inside an area.
                let Some(neighbour) = self.local.node.neighbours.get(&sender) else { continue };
                if let Err(error) = answer(self.local, neighbour, reply) {
                    self.local.log.error(event::receipt_fault(neighbour.peer()), &error);
                    failed += 1;
                }
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
        let packet = Queued {
            words: configured,
            sender: &sender,
            arguments,
            since: SystemTime::UNIX_EPOCH + since,
        };
        match arrival.turn {
            Turn::Look(key, builtins) => {
                drop(reader);
                let pass = builtins.pass(key, configured).ok_or(Stays::Skipped)?;
                pass.borrow_mut().add(key, packet, &open).ok_or(Stays::Waiting)
            }
            Turn::Peek(key, builtins) => {
                drop(reader);
                let pass = builtins.pass(key, configured).ok_or(Stays::Skipped)?;
                if let Some(verdict) = pass.borrow_mut().add(key, packet, &open) {
                    builtins.verdicts.borrow_mut().insert(key, verdict);
                }
                Err(Stays::Waiting)
            }
            Turn::Apply(key, builtins) => {
                authenticate(reader)?;
                let pass = builtins.owner(key).ok_or(Stays::Waiting)?;
                Ok(pass.borrow_mut().apply(key, &open))
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
                let pass = Builtins::default().pass(0, configured).ok_or(Stays::Skipped)?;
                Ok(pass.borrow_mut().alone(packet, &open))
            }
        }
    }
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
