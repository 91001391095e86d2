//! What an exec handle runs: an external command, or a builtin.
//!
//! The configuration names a handler as a list of words. The first is a program, or
//! `builtin:NAME`; what the sender adds are arguments, never a program. A new builtin is a file of
//! its own and a row in `table.rs`.

mod builtin;
mod call;
mod check;
mod external;
mod mtree_verify;
mod ordered;
mod reply;
mod table;
mod zfs_receipt;
mod zfs_receive;

pub use builtin::Builtin;
pub use call::{Call, Verdict};
pub(crate) use check::{Unusable, unanswered, unusable};
pub(crate) use external::External;
pub use external::Search;
pub(crate) use ordered::{Open, Pass, Queued};
pub use reply::Reply;
pub(crate) use table::run;
pub(crate) use zfs_receive::ZfsReceive;
