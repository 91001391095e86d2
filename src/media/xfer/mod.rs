//! Removable media: packets to and from `DIR/RECIPIENT/SENDER/PACKET`. NNCP manual, "nncp-xfer".
//!
//! The medium is hostile: names are looked at one component at a time, links are never followed,
//! and only regular files are opened.

mod back;
mod medium;
mod rx;
#[cfg(test)]
mod tests;
mod tx;

pub use medium::Medium;
pub(crate) use medium::Shared;

use super::Options;
use crate::config::Neighbour;
use crate::disk::{self, OpenDir};
use crate::local::Local;
use packmule_protocol::id::NodeId;
use std::io;
use std::sync::Arc;

/// Transfers packets between the spool and a medium.
#[derive(Clone, Copy)]
pub struct Xfer<'a> {
    /// This node.
    pub local: &'a Local,
    /// What to do.
    pub options: Options<'a>,
    /// Make directories for neighbours that have none on the medium.
    pub mkdir: bool,
    /// Leave packets that their recipient could not take off the medium.
    pub takeback: bool,
}

impl Xfer<'_> {
    fn wants(&self, neighbour: &Neighbour) -> bool {
        self.options.wants(&neighbour.id)
    }

    fn own(&self) -> NodeId {
        self.local.node.self_neighbour().id
    }
}

/// A directory on the medium, if it is there.
fn if_there(opened: disk::Result<OpenDir>) -> io::Result<Option<Arc<OpenDir>>> {
    match opened {
        Err(error) if error.cause.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => Ok(Some(Arc::new(opened.map_err(|error| error.cause)?))),
    }
}
