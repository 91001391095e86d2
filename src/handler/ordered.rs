//! Builtins that choose the order of their packets, because one packet may wait for another.
//!
//! ```text
//! add(packet) ... -> next() -> Apply(key)            -> apply(key) -> Verdict
//!                           -> Answer(key, Verdict)     (the packet is not applied)
//! ```

use super::call::Verdict;
use super::reply::Reply;
use crate::chain::Next;
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::SystemTime;

/// Opens the payload of a packet at its start.
pub(crate) type Open<'a> = dyn Fn() -> io::Result<Box<dyn Read + Send + 'a>> + 'a;

/// A packet that waits for a builtin.
#[derive(Debug, Clone, Copy)]
pub struct Queued<'a> {
    /// The configured words, beginning with the builtin's name.
    pub words: &'a [String],
    /// The sender's name in the configuration.
    pub sender: &'a str,
    /// The sender's arguments.
    pub arguments: &'a [Vec<u8>],
    /// When the packet arrived.
    pub since: SystemTime,
}

/// A pass, shared by those who read its results.
pub(crate) type Pass = Rc<RefCell<dyn Ordered>>;

/// One pass of a builtin over all its waiting packets.
pub trait Ordered {
    /// Reads the header of a packet. A returned verdict is final; without one,
    /// [`Ordered::next_step`] returns the key later.
    fn add(&mut self, key: usize, packet: Queued<'_>, open: &Open<'_>) -> Option<Verdict>;

    /// The next action; `None` when all packets have a verdict.
    fn next_step(&mut self) -> Option<Next<Verdict>>;

    /// Applies a packet that is completely authenticated.
    fn apply(&mut self, key: usize, open: &Open<'_>) -> Verdict;

    /// Problems for the operator: the sender's name, and a text.
    fn warnings(&self) -> Vec<(&str, &str)>;

    /// The replies to queue when all packets are done, with the names of their recipients.
    fn replies(&self) -> Vec<(String, Reply)>;

    /// Processes a single packet.
    fn alone(&mut self, packet: Queued<'_>, open: &Open<'_>) -> Verdict {
        if let Some(verdict) = self.add(0, packet, open) {
            return verdict;
        }
        self.finish_alone(open)
    }

    /// Processes the single packet that was added under key 0.
    fn finish_alone(&mut self, open: &Open<'_>) -> Verdict {
        let verdict = match self.next_step() {
            Some(Next::Apply(key)) => self.apply(key, open),
            Some(Next::Answer(_, verdict)) => verdict,
            None => Verdict::Failed { reason: "nothing to do".to_owned(), output: Vec::new() },
        };
        let reply = self.replies().pop().map(|(_, reply)| reply);
        match verdict {
            Verdict::Done { output, reply: None } => Verdict::Done { output, reply },
            // The reply to the first run may be lost, so a duplicate gets it again.
            Verdict::Duplicate { .. } if reply.is_some() => {
                Verdict::Done { output: Vec::new(), reply }
            }
            other => other,
        }
    }
}
