//! One run of a handler, and its result.

use super::reply::Reply;
use packmule_protocol::niceness::Niceness;
use std::io::Read;

/// One run of a handler.
pub struct Call<'a> {
    /// The configured words, then the sender's arguments.
    pub words: Vec<Vec<u8>>,
    /// Number of configured words.
    pub configured: usize,
    /// This node's id, as text: `NNCP_SELF`.
    pub own: String,
    /// The sender's id, or for area messages the area's id, as text: `NNCP_SENDER`.
    pub sender: String,
    /// The sender's name in the configuration, or its id if it has none there.
    pub name: String,
    /// `NNCP_NICE`.
    pub nice: Option<Niceness>,
    /// Standard input. The whole of it is authenticated before the first byte is read.
    pub input: Box<dyn Read + Send + 'a>,
}

/// The result of a run.
#[derive(Debug)]
pub enum Verdict {
    /// The handler succeeded.
    Done {
        /// Its output.
        output: Vec<u8>,
        /// The reply to queue for the sender.
        reply: Option<Reply>,
    },
    /// An earlier run had the same effect.
    Duplicate {
        /// What already exists.
        reason: String,
    },
    /// Not yet possible: the packet stays for the next toss. This is not reported as a failure.
    Defer {
        /// What it waits for.
        reason: String,
    },
    /// Not possible until a person acts: the packet stays for the next toss. This is reported as a
    /// failure.
    Blocked {
        /// What it waits for.
        reason: String,
    },
    /// The handler failed: the packet stays.
    Failed {
        /// The reason.
        reason: String,
        /// Its output.
        output: Vec<u8>,
    },
}
