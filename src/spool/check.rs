//! Checking packets against their names.

use super::{
    Job, Spool, Xx,
    disk::{DiskError, Op, Result, reason},
    pending::CommitError,
};
use crate::{
    blocks,
    log::event,
    progress::{Meter, Progress, Work},
};
use packmule_protocol::id::{NodeId, PacketHash};
use rayon::prelude::*;
use std::io::Read;

/// What came of checking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Packets that are what their names say.
    pub good: u64,
    /// Packets that are not, or that can not be read.
    pub bad: u64,
}

/// Below this size packets are hashed side by side, above it one after the other on all cores.
const SMALL: u64 = 4 << 20;

impl Spool {
    /// Hashes all packets of one direction and logs the bad ones.
    ///
    /// # Errors
    /// When the directory can not be read.
    pub fn check(&self, node: &NodeId, xx: Xx, progress: &Progress) -> Result<Checked> {
        let jobs = self.list(node, xx)?;
        let mut verdicts: Vec<Option<Result<bool>>> = Vec::new();
        verdicts.resize_with(jobs.len(), || None);
        jobs.par_iter()
            .zip(verdicts.par_iter_mut())
            .filter(|(job, _)| job.size < SMALL)
            .for_each(|(job, verdict)| *verdict = Some(is_good(job, progress)));
        let mut checked = Checked::default();
        for (job, verdict) in jobs.iter().zip(verdicts) {
            match verdict.unwrap_or_else(|| is_good(job, progress)) {
                Ok(true) => checked.good += 1,
                // Tossed or sent in the meantime.
                Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => {}
                verdict => {
                    checked.bad += 1;
                    let why = verdict.map_or_else(|error| reason(&error.source), |_| "bad".into());
                    let name = job.file_name();
                    self.log().error(event::checking(*node, xx, name, job.size), &why);
                }
            }
        }
        Ok(checked)
    }

    /// Checks the packets that nobody has hashed yet. Good ones get their names; `bad` is told of
    /// the others.
    ///
    /// # Errors
    /// When the directory can not be read.
    pub fn check_nocks(
        &self,
        node: &NodeId,
        mut bad: impl FnMut(&Job, &CommitError),
    ) -> Result<Checked> {
        let mut checked = Checked::default();
        for nock in self.nocks(node)? {
            match self.check_nock(&nock) {
                Ok(()) => checked.good += 1,
                Err(error) => {
                    checked.bad += 1;
                    bad(&nock, &error);
                }
            }
        }
        Ok(checked)
    }
}

fn is_good(job: &Job, progress: &Progress) -> Result<bool> {
    let file = job.open()?;
    let meter = progress.start(Work::Check, job.file_name(), Some(job.size));
    let hash = blocks::hash(Counted { file, meter });
    let hash =
        hash.map_err(|source| DiskError { op: Op::Read, path: job.path().to_owned(), source })?;
    Ok(PacketHash(hash) == job.hash)
}

/// A reader that tells a meter what was read.
struct Counted<R> {
    file: R,
    meter: Meter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.file.read(buffer)?;
        self.meter.add(len as u64);
        Ok(len)
    }
}
