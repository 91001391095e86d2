//! Chains: states, each made from an earlier one by a step that travels in a packet. Steps arrive
//! in any order, more than once, or never.
//!
//! ```text
//! step 0 -> A   full: it needs no state
//! step A -> B   it needs A
//! step B -> C   it needs B; a step A -> C makes it superfluous
//! ```
//!
//! Knows nothing of the contents of a step: a ZFS stream, or anything else with guids.

mod links;
mod next;
mod receipt;
mod relation;

pub(crate) use links::Links;
pub use next::Next;
pub use receipt::Confirmation;
pub(crate) use receipt::confirms;
pub(crate) use relation::{Held, Relation, State, Step, relation};
