//! Chains: states of something, each made from an earlier one by a step that travels. Steps arrive
//! in any order, more than once, or never.
//!
//! ```text
//! step 0 -> A   full: it needs nothing
//! step A -> B   it needs A
//! step B -> C   it needs B, and a step A -> C makes it needless
//! ```
//!
//! Knows nothing of what the steps carry: ZFS streams do it, and whatever else has guids.

mod links;
mod next;
mod receipt;
mod relation;

pub(crate) use links::Links;
pub use next::Next;
pub use receipt::Confirmation;
pub(crate) use receipt::confirms;
pub(crate) use relation::{Held, Relation, State, Step, relation};
