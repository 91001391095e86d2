//! Builtins that choose the order of their packets: what one brings may be what another waits for.
//!
//! ```text
//! add(packet) ... -> next() -> Apply(key)            -> apply(key) -> Verdict
//!                           -> Answer(key, Verdict)     (nothing was run)
//! ```

use super::call::Verdict;
use super::reply::Reply;
use crate::chain::Next;
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::SystemTime;

/// Opens what a packet holds, from its start.
pub(crate) type Open<'a> = dyn Fn() -> io::Result<Box<dyn Read + Send + 'a>> + 'a;

/// A packet that waits for a builtin.
#[derive(Debug, Clone, Copy)]
pub struct Queued<'a> {
    /// The configured words, the builtin's name first.
    pub words: &'a [String],
    /// The sender's name in our configuration.
    pub sender: &'a str,
    /// What the sender added.
    pub arguments: &'a [Vec<u8>],
    /// Since when it waits.
    pub since: SystemTime,
}

/// A pass, and who else looks into it.
pub(crate) type Pass = Rc<RefCell<dyn Ordered>>;

/// One pass of a builtin over all the packets that wait for it.
pub trait Ordered {
    /// Looks at a packet. A verdict is final; without one, [`Ordered::next_step`] will name the key.
    fn add(&mut self, key: usize, packet: Queued<'_>, open: &Open<'_>) -> Option<Verdict>;

    /// What to do next; `None` when everything that was added is done with.
    fn next_step(&mut self) -> Option<Next<Verdict>>;

    /// Acts on a packet that was authenticated as a whole.
    fn apply(&mut self, key: usize, open: &Open<'_>) -> Verdict;

    /// What a person should look at: a sender's name, and a text.
    fn warnings(&self) -> Vec<(&str, &str)>;

    /// What is to be queued for each sender, by its name, when nothing is left to be done.
    fn replies(&self) -> Vec<(String, Reply)>;

    /// Looks at one packet and acts on it, when there are no others.
    fn alone(&mut self, packet: Queued<'_>, open: &Open<'_>) -> Verdict {
        if let Some(verdict) = self.add(0, packet, open) {
            return verdict;
        }
        self.finish_alone(open)
    }

    /// Acts on the one packet that was added, under the key 0.
    fn finish_alone(&mut self, open: &Open<'_>) -> Verdict {
        let verdict = match self.next_step() {
            Some(Next::Apply(key)) => self.apply(key, open),
            Some(Next::Answer(_, verdict)) => verdict,
            None => Verdict::Failed { reason: "nothing to do".to_owned(), output: Vec::new() },
        };
        let reply = self.replies().pop().map(|(_, reply)| reply);
        match verdict {
            Verdict::Done { output, reply: None } => Verdict::Done { output, reply },
            // An answer that was lost is made up for when the packet comes again.
            Verdict::Duplicate { .. } if reply.is_some() => {
                Verdict::Done { output: Vec::new(), reply }
            }
            other => other,
        }
    }
}
