//! Runs builtins that choose the order of their packets. Such a builtin reads the headers of all
//! waiting packets before it applies any of them.
//!
//! ```text
//! first, for each packet:     Look   -> Waiting, or a final verdict
//! then, as the builtin says:  Apply  -> the whole packet is authenticated, then applied
//!                             Answer -> not applied; authenticated if it is to be removed
//! ```

use super::answer::answer;
use super::options::Toss;
use super::outcome::Stays;
use crate::chain::Next;
use crate::handler::{Builtin, Open, Pass, Queued, Verdict};
use crate::log::event;
use std::cell::RefCell;

/// The builtins of one toss that choose the order of their packets.
#[derive(Default)]
pub(super) struct Builtins {
    /// One pass per builtin that has packets, in the order of their first packets.
    passes: RefCell<Vec<(Builtin, Pass)>>,
    /// The verdicts on packets in a dry run.
    peeked: RefCell<Vec<(usize, Verdict)>>,
}

/// The state of a packet that a builtin knows by a number.
pub(super) enum Turn<'a> {
    /// The builtin has not read its header.
    Look(usize, &'a Builtins),
    /// The builtin wants to apply it.
    Apply(usize, &'a Builtins),
    /// The builtin has decided about it.
    Answer(Verdict),
    /// The builtin may read its header, but must not apply it.
    Peek(usize, &'a Builtins),
    /// The packet is processed alone and not as part of a toss.
    Alone,
}

impl Turn<'_> {
    /// True if the packet must not be changed (dry run).
    pub(super) fn is_peek(&self) -> bool {
        matches!(self, Self::Peek(..))
    }

    /// Lets the builtin read the header of a packet or apply it. `authenticate` reads the whole
    /// packet; `open` opens its payload anew.
    pub(super) fn take(
        self,
        packet: Queued<'_>,
        open: &Open<'_>,
        authenticate: impl FnOnce() -> Result<(), Stays>,
    ) -> Result<Verdict, Stays> {
        match self {
            Turn::Look(key, builtins) => {
                // Drops the reader, whose file is read from its start below.
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
    /// Allows only this builtin. The caller reads the results from its pass.
    pub(super) fn only(builtin: Builtin, pass: Pass) -> Self {
        Self { passes: RefCell::new(vec![(builtin, pass)]), ..Self::default() }
    }

    /// The next packet and its turn; `None` when no packet waits.
    pub(super) fn next_turn(&self) -> Option<(usize, Turn<'_>)> {
        let passes = self.passes.borrow();
        let next = passes.iter().find_map(|(_, pass)| pass.borrow_mut().next_step())?;
        Some(match next {
            Next::Apply(key) => (key, Turn::Apply(key, self)),
            Next::Answer(key, verdict) => (key, Turn::Answer(verdict)),
        })
    }

    /// The verdicts on packets in a dry run, with their keys.
    pub(super) fn into_peeked(self) -> Vec<(usize, Verdict)> {
        self.peeked.into_inner()
    }

    /// Lets a builtin read the header of a packet. A returned verdict is final.
    fn look(&self, key: usize, packet: Queued<'_>, open: &Open<'_>) -> Result<Verdict, Stays> {
        let pass = self.pass(packet.words).ok_or(Stays::Skipped)?;
        pass.borrow_mut().add(key, packet, open).ok_or(Stays::Waiting)
    }

    /// The pass of the builtin that the configured words name.
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

/// True if the configured words name a builtin that chooses the order of its packets.
pub(super) fn chooses_order(configured: &[String]) -> bool {
    Builtin::named_by(configured).is_some_and(Builtin::chooses_order)
}

impl Toss<'_> {
    /// Ends the passes of a toss: logs their warnings and queues their replies. Returns the number
    /// of replies that could not be queued; the next toss queues them again.
    pub(super) fn conclude(&self, builtins: &Builtins) -> u64 {
        let mut failed = 0;
        for (_, pass) in builtins.passes.borrow().iter() {
            let pass = pass.borrow();
            for (sender, text) in pass.warnings() {
                self.local.log.info(event::zfs_warning(sender, text));
            }
            for (sender, reply) in pass.replies() {
                // There are no replies within an area.
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
