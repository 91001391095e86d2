//! What this node put on a medium for a node that the medium never gets to, back into the spool.
//!
//! Nobody can know where a stick goes next. What can be seen: a node that writes to it leaves its
//! directory in ours. So a node is taken for one that the medium does not get to when it has never
//! written there while another has.

use super::{Medium, Xfer, if_there, rx::Shelf};
use crate::config::Neighbour;
use crate::disk::OpenDir;
use crate::media::Report;
use crate::spool::{LockKind, Xx};
use packmule_protocol::id::PacketHash;
use std::io;
use std::sync::Arc;

impl Xfer<'_> {
    /// Neighbours for whom packets of ours lie on the medium that are not wanted there, by name, and
    /// how many those are: with [`nodes`](crate::media::Options::nodes) those, else all that the
    /// medium does not get to.
    ///
    /// # Errors
    /// When the medium can not be read.
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

    /// Whether nothing of ours is wanted on the medium for a neighbour: it is one that was named,
    /// or has never written there while another, one of `writers`, has.
    pub(super) fn is_away(&self, writers: &[String], to: &Neighbour) -> bool {
        let never_wrote = !writers.is_empty() && !writers.contains(&to.id.to_string());
        to.id != self.own() && (never_wrote || !self.options.nodes.is_empty())
    }

    /// Takes back what this node put on the medium for `to`, each packet verified against its name.
    /// What is wrong with packets is logged and counted.
    ///
    /// # Errors
    /// When the medium can not be read.
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

    /// The directory for a neighbour's packets of ours, if there is one.
    fn ours_for(&self, medium: &Medium, to: &Neighbour) -> io::Result<Option<Arc<OpenDir>>> {
        let theirs = medium.root().below(to.id.to_string());
        if_there(theirs.and_then(|theirs| theirs.below(self.own().to_string())))
    }

    /// The neighbours that have written to the medium for us, as their directories are named.
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
