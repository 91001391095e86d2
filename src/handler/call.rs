//! One run of a handler, and what became of it.

use super::reply::Reply;
use packmule_protocol::niceness::Niceness;
use std::io::Read;

/// One run of a handler.
pub struct Call<'a> {
    /// The configured words and then the sender's arguments.
    pub words: Vec<Vec<u8>>,
    /// How many of the words are the configuration's.
    pub configured: usize,
    /// Our id, as text: `NNCP_SELF`.
    pub own: String,
    /// The sender's id, or for area messages the area's, as text: `NNCP_SENDER`.
    pub sender: String,
    /// The sender's name in our configuration; its id where there is none.
    pub name: String,
    /// `NNCP_NICE`.
    pub nice: Option<Niceness>,
    /// Standard input: authenticated to the last byte before the first is given.
    pub input: Box<dyn Read + Send + 'a>,
}

/// What became of a run.
#[derive(Debug)]
pub enum Verdict {
    /// It did what was asked.
    Done {
        /// What it printed.
        output: Vec<u8>,
        /// What is to be queued for the sender.
        reply: Option<Reply>,
    },
    /// It had been done before.
    Duplicate {
        /// What was there already.
        reason: String,
    },
    /// It can not be done yet: the packet waits for the next toss, and that is no failure.
    Defer {
        /// What it waits for.
        reason: String,
    },
    /// It can not be done before a person acts: the packet waits for the next toss, and it is told
    /// as a failure.
    Blocked {
        /// What it waits for.
        reason: String,
    },
    /// It failed, or can never be done: the packet stays.
    Failed {
        /// Why.
        reason: String,
        /// What it printed.
        output: Vec<u8>,
    },
}
