//! What an exec handle runs: an external command, or a builtin.
//!
//! The configuration names a handler as a list of words. The first is a program, or
//! `builtin:NAME`; what the sender adds are arguments, never a program.

mod builtin;
mod check;
mod external;
mod mtree_verify;
mod reply;
pub mod zfs_receipt;
pub mod zfs_receive;

pub use builtin::{Builtin, NoBuiltin};
pub use check::{Unusable, unanswered, unusable};
pub use external::{External, Search};
pub use reply::Reply;

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

/// Runs a handler.
pub fn run(call: Call<'_>, search: &Search) -> Verdict {
    let first = call.words.first().map_or(&[][..], Vec::as_slice);
    match Builtin::of(first) {
        Ok(None) => External::run(call, search),
        Ok(Some(Builtin::MtreeVerify)) => mtree_verify::run(call),
        Ok(Some(Builtin::ZfsReceipt)) => zfs_receipt::run(call),
        Ok(Some(Builtin::ZfsReceive)) => zfs_receive::run(call),
        Err(error) => Verdict::Failed { reason: error.to_string(), output: Vec::new() },
    }
}
