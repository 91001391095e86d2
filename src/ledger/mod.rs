//! The ledger: which packets are on their way and what became of them, as far as partners said so,
//! and what this node did with theirs.
//!
//! A **partner** is a neighbour that sends us statements, or that the configuration asks for them
//! (`proof`). The sender *follows* a packet: it keeps the bytes after they were handed over, offers
//! them again when they were lost, and forgets them when a receipt says that their effect is durable.
//! The receiver writes a receipt for each packet that it dealt with.
//!
//! Everything is in `SPOOL/.packmule` ([`layout`]). The clock is an argument everywhere, in seconds
//! since 1970. What is read is checked: a file can be torn, or anybody's.

mod accept;
mod backups;
mod done;
mod due;
mod entry;
mod identity;
mod journal;
mod layout;
mod members;
mod parcel;
mod partner;
mod recent;
mod release;
mod speak;
mod spoken;
mod store;

pub(crate) use accept::{Accepted, Believed};
pub(crate) use backups::Standing;
pub(crate) use entry::{Entry, Follow, HandedBy, Kind};
pub(crate) use parcel::{Following, Place};
pub(crate) use partner::Heard;
pub(crate) use spoken::Spoken;
pub(crate) use store::{Ledger, LedgerError};

#[cfg(test)]
mod tests;
