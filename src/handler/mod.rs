//! Runs the handler of an exec handle: an external command or a builtin.
//!
//! The configuration gives a handler as a list of words. The first is a program or `builtin:NAME`.
//! The sender can add arguments, but never choose the program. A new builtin is one file and one
//! row in `table.rs`.

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
