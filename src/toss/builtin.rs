//! A builtin that chooses the order of its packets looks at everything that waits for it before it
//! acts on any of it.
//!
//! ```text
//! first pass over the queues: Look   -> Waiting, or a verdict at once
//! then, as the builtin says:  Apply  -> authenticated as a whole, then acted on
//!                             Answer -> nothing is run; what is to go is authenticated first
//! ```

use super::answer::answer;
use super::options::Toss;
use super::outcome::Stays;
use crate::chain::Next;
use crate::handler::{Builtin, Open, Pass, Queued, Verdict};
use crate::log::event;
use std::cell::RefCell;

/// The builtins of one toss over queues that choose the order of their packets.
#[derive(Default)]
pub(super) struct Builtins {
    /// One pass for each that a packet came for, in the order of their first packets.
    passes: RefCell<Vec<(Builtin, Pass)>>,
    /// What was said of packets that were only peeked at.
    peeked: RefCell<Vec<(usize, Verdict)>>,
}

/// How far a builtin is with a packet, which it knows by a number.
pub(super) enum Turn<'a> {
    /// It sees it for the first time.
    Look(usize, &'a Builtins),
    /// It is this packet's turn.
    Apply(usize, &'a Builtins),
    /// It has decided already.
    Answer(Verdict),
    /// It sees it, and nothing will be done.
    Peek(usize, &'a Builtins),
    /// It is not one of a toss.
    Alone,
}

impl Turn<'_> {
    /// Whether nothing may be done to the packet.
    pub(super) fn is_peek(&self) -> bool {
        matches!(self, Self::Peek(..))
    }

    /// Has the builtin look at a packet, or act on it. `authenticate` reads all of the packet; `open`
    /// opens its payload anew.
    pub(super) fn take(
        self,
        packet: Queued<'_>,
        open: &Open<'_>,
        authenticate: impl FnOnce() -> Result<(), Stays>,
    ) -> Result<Verdict, Stays> {
        match self {
            Turn::Look(key, builtins) => {
                // It holds the file, which is read from its start below.
                drop(authenticate);
                builtins.look(key, packet, open)
            }
            Turn::Peek(key, builtins) => {
                drop(authenticate);
                let verdict = builtins.look(key, packet, open)?;
                builtins.peeked.borrow_mut().push((key, verdict));
                Err(Stays::Waiting)
            }
            Turn::Apply(key, builtins) => {
                authenticate()?;
                let pass = builtins.pass(packet.words).ok_or(Stays::Skipped)?;
                Ok(pass.borrow_mut().apply(key, open))
            }
            Turn::Answer(verdict) => {
                if matches!(verdict, Verdict::Duplicate { .. } | Verdict::Done { .. }) {
                    authenticate()?;
                }
                Ok(verdict)
            }
            Turn::Alone => {
                authenticate()?;
                let pass = Builtins::default().pass(packet.words).ok_or(Stays::Skipped)?;
                Ok(pass.borrow_mut().alone(packet, open))
            }
        }
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
            Next::Answer(key, verdict) => (key, Turn::Answer(verdict)),
        })
    }

    /// What was said of packets that were only peeked at, by their keys.
    pub(super) fn into_peeked(self) -> Vec<(usize, Verdict)> {
        self.peeked.into_inner()
    }

    /// Has a builtin look at a packet: a verdict is final.
    fn look(&self, key: usize, packet: Queued<'_>, open: &Open<'_>) -> Result<Verdict, Stays> {
        let pass = self.pass(packet.words).ok_or(Stays::Skipped)?;
        pass.borrow_mut().add(key, packet, open).ok_or(Stays::Waiting)
    }

    /// The pass of the builtin that the words name.
    fn pass(&self, words: &[String]) -> Option<Pass> {
        let builtin = Builtin::named_by(words)?;
        let mut passes = self.passes.borrow_mut();
        if let Some((_, pass)) = passes.iter().find(|(other, _)| *other == builtin) {
            return Some(pass.clone());
        }
        let pass = builtin.ordered()?;
        passes.push((builtin, pass.clone()));
        Some(pass)
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
}
