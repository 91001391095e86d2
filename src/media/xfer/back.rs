//! Moves packets back to the spool that this node put on a medium for a node it never reaches.
//!
//! packmule cannot know where a stick goes next. But a node that writes to the stick leaves its
//! directory in ours. So packmule assumes that the stick does not reach a node if that node has never
//! written to it and another node has.

use super::rx::Shelf;
use super::{Medium, Xfer, if_there};
use crate::config::Neighbour;
use crate::disk::OpenDir;
use crate::media::Report;
use crate::spool::{LockKind, Xx};
use packmule_protocol::id::PacketHash;
use std::io;
use std::sync::Arc;

impl Xfer<'_> {
    /// Neighbours with stranded packets on the medium, in order of name, with the number of packets.
    /// With [`nodes`](crate::media::Options::nodes), only these neighbours; else all that the medium
    /// does not reach.
    ///
    /// # Errors
    /// The medium cannot be read.
    pub(crate) fn stranded(&self, medium: &Medium) -> io::Result<Vec<(&Neighbour, usize)>> {
        let writers = self.writers(medium)?;
        let mut stranded = Vec::new();
        for to in self.local.node.neighbours.values().filter(|to| self.wants(to)) {
            if !self.is_away(&writers, to) {
                continue;
            }
            let Some(dir) = self.ours_for(medium, to)? else { continue };
            let found = dir.names().map_err(|error| error.cause)?;
            let packets = found.iter().filter(|name| PacketHash::from_file_name(name).is_some());
            stranded.push((to, packets.count()));
        }
        stranded.retain(|(_, packets)| *packets > 0);
        Ok(stranded)
    }

    /// True if the medium should hold no packets for a neighbour: the user named it, or it has never
    /// written to the medium although another of `writers` has.
    pub(super) fn is_away(&self, writers: &[String], to: &Neighbour) -> bool {
        let never_wrote = !writers.is_empty() && !writers.contains(&to.id.to_string());
        to.id != self.own() && (never_wrote || !self.options.nodes.is_empty())
    }

    /// Moves packets that this node put on the medium for `to` to the spool. Verifies each by its name.
    /// Faults of single packets are only logged and counted.
    ///
    /// # Errors
    /// The medium cannot be read.
    pub fn take_back(&self, medium: &Medium, to: &Neighbour) -> io::Result<Report> {
        let lock = self.local.spool.lock(&to.id, LockKind::Tx);
        let _lock = match lock {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Report { busy: 1, ..Report::default() }),
            Err(_) => return Ok(Report { failed: 1, ..Report::default() }),
        };
        let Some(dir) = self.ours_for(medium, to)? else { return Ok(Report::default()) };
        let theirs = medium.path().join(to.id.to_string());
        let shelf = Shelf { local: self.local, dir, ours: &theirs, from: to, xx: Xx::Tx };
        self.receive_from(&shelf)
    }

    /// The directory of our packets for a neighbour; `None` if it does not exist.
    fn ours_for(&self, medium: &Medium, to: &Neighbour) -> io::Result<Option<Arc<OpenDir>>> {
        let theirs = medium.root().below(to.id.to_string());
        if_there(theirs.and_then(|theirs| theirs.below(self.own().to_string())))
    }

    /// The names of the directories of neighbours that have written to the medium for us.
    pub(super) fn writers(&self, medium: &Medium) -> io::Result<Vec<String>> {
        let own = self.own();
        let Some(ours) = if_there(medium.root().below(own.to_string()))? else {
            return Ok(Vec::new());
        };
        let others =
            self.local.node.neighbours.values().map(|other| other.id).filter(|id| *id != own);
        let others: Vec<_> = others.map(|id| id.to_string()).collect();
        let names = ours.names().map_err(|error| error.cause)?;
        Ok(names.into_iter().filter(|name| others.contains(name)).collect())
    }
}
