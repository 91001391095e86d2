//! Removable media: packets to and from `DIR/RECIPIENT/SENDER/PACKET`. NNCP manual, "nncp-xfer".
//!
//! The medium is hostile: xfer opens names one component at a time, never follows links, and opens
//! only regular files.

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
    /// Options of the transfer.
    pub options: Options<'a>,
    /// Create directories for neighbours that have none on the medium.
    pub mkdir: bool,
    /// Move stranded packets back to the spool.
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
