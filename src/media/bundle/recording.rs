//! Reads a recording back, and removes packets that it holds completely from the spool.

use super::Bundle;
use super::rx::ReceiveError;
use super::search::{Found, Search};
use crate::ledger::HandedBy;
use crate::log::event::{self, BundleSkip};
use crate::media::intake::hash_of;
use crate::media::{Broken, Report};
use crate::spool::Xx;
use std::fs::File;
use std::io::Read;

impl Bundle<'_> {
    /// Removes packets from the spool that `source` holds complete and unaltered. Stores packets in
    /// `source` that are for us.
    ///
    /// # Errors
    /// [`ReceiveError`]. A packet that is damaged in the recording is logged, counted and kept.
    pub fn verify_recording(&self, source: &File) -> Result<Report, Broken<ReceiveError>> {
        let own = self.local.node.self_neighbour().id;
        self.receiving(|intake| {
            // The recording may be only in the page cache, and not on disk.
            self.local.spool.disk().read_back_stream(source).map_err(ReceiveError::Read)?;
            let mut search = Search::new(source);
            while let Some(found) = search.next_packet().map_err(ReceiveError::Read)? {
                if found.header.sender == own {
                    self.remove_recorded(found, intake.report())?;
                } else {
                    self.receive_one(found, intake)?;
                }
            }
            search.foreign().map_or(Ok(()), |foreign| Err(ReceiveError::Foreign(foreign)))
        })
    }

    /// Removes one of our packets from the spool if the recording holds a good copy.
    fn remove_recorded<R: Read + Send>(
        &self,
        found: Found<'_, R>,
        report: &mut Report,
    ) -> Result<(), ReceiveError> {
        let (to, packet, size) = (found.header.recipient, found.packet, found.size);
        let skip = if found.header.nice > self.options.nice {
            Some(BundleSkip::TooNice)
        } else if !self.options.wants(&to) {
            Some(BundleSkip::Others)
        } else if !self.local.spool.holds(&to, Xx::Tx, &packet) {
            Some(BundleSkip::Missing)
        } else {
            None
        };
        if let Some(skip) = skip {
            self.local.log.debug(|| event::bundle_skip(skip, Xx::Tx, to, packet));
            report.skipped += 1;
            return Ok(());
        }
        if hash_of(self.local, packet, found).map_err(ReceiveError::from_refused)? != packet {
            self.local.log.error(event::bundle_fault(Xx::Tx, to, packet, size), &"bad checksum");
            report.failed += 1;
            return Ok(());
        }
        if !self.dry_run {
            let (ledger, now) = (&self.local.ledger, self.local.now());
            ledger.release_named(&to, &packet, HandedBy::Bundle, now)?;
        }
        self.local.log.info(event::bundle_tx_removed(to, packet));
        report.packets += 1;
        report.removed += 1;
        report.bytes += size;
        Ok(())
    }
}
