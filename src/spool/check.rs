//! Verifies packets against their names.

use super::pending::CommitError;
use super::{Job, Listing, NoPacket, Spool, Xx};
use crate::blocks;
use crate::disk::{DiskError, Op, Result};
use crate::display::reason;
use crate::log::event;
use crate::progress::{Progress, Work};
use packmule_protocol::id::{NodeId, PacketHash};
use rayon::prelude::*;
use std::fs::File;

/// The result of verifying packets.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Number of packets that match their names.
    pub good: u64,
    /// Packets that do not match, or cannot be read, and why.
    pub bad: Vec<NoPacket>,
}

impl NoPacket {
    fn of(job: &Job, why: String) -> Self {
        // The header was readable, so `unread` is false.
        let path = job.path().to_owned();
        Self { hash: job.hash, path, size: job.size, why, unread: false }
    }
}

/// Smaller packets are hashed in parallel, larger ones one by one on all cores.
const SMALL: u64 = 4 << 20;

impl Spool {
    /// Hashes all packets of one direction and logs the bad ones.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn check(&self, node: &NodeId, xx: Xx, progress: &Progress) -> Result<Checked> {
        let Listing { jobs, bad } = self.listing(node, xx)?;
        let packets = progress.each(Work::Check, jobs.iter().map(|job| job.size));
        let is_good = |job: &Job| {
            let verdict = is_good(job, progress);
            packets.done(job.size);
            verdict
        };
        let mut verdicts: Vec<Option<Result<bool>>> = Vec::new();
        verdicts.resize_with(jobs.len(), || None);
        jobs.par_iter()
            .zip(verdicts.par_iter_mut())
            .filter(|(job, _)| job.size < SMALL)
            .for_each(|(job, verdict)| *verdict = Some(is_good(job)));
        let mut checked = Checked { good: 0, bad };
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            match verdict.unwrap_or_else(|| is_good(&job)) {
                Ok(true) => checked.good += 1,
                // Another process has tossed or sent the packet meanwhile.
                Err(error) if error.cause.kind() == std::io::ErrorKind::NotFound => {}
                verdict => {
                    let why = verdict.map_or_else(|error| reason(&error.cause), |_| "bad".into());
                    let name = job.file_name();
                    self.log().error(event::checking(*node, xx, name, job.size), &why);
                    checked.bad.push(NoPacket::of(&job, why));
                }
            }
        }
        Ok(checked)
    }

    /// Verifies the `.nock` files. Renames good ones to their packets' names.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn check_nocks(&self, node: &NodeId, progress: &Progress) -> Result<Checked> {
        let Listing { jobs, bad } = self.nocks(node)?;
        let mut checked = Checked { good: 0, bad };
        let packets = progress.each(Work::Check, jobs.iter().map(|job| job.size));
        for nock in jobs {
            match self.check_nock(&nock, progress) {
                Ok(()) => checked.good += 1,
                Err(error) => checked.bad.push(NoPacket::of(&nock, error.to_string())),
            }
            packets.done(nock.size);
        }
        Ok(checked)
    }

    /// Verifies a `.nock` file and gives it its packet's name. Reads it from the disk, because several
    /// calls may have written it, and some may have failed to sync it.
    ///
    /// # Errors
    /// [`CommitError::Mismatch`]: the file stays as it is.
    pub(crate) fn check_nock(
        &self,
        nock: &Job,
        progress: &Progress,
    ) -> std::result::Result<(), CommitError> {
        let file = nock.open()?;
        self.disk().read_back(&file, nock.path())?;
        let found = hash(nock, &file, progress)?;
        if found != nock.hash {
            return Err(CommitError::Mismatch { expected: nock.hash, found });
        }
        let (from, header) = (nock.path().to_owned(), Some(nock.header.clone()));
        Ok(self.name_one(|| self.promote(from, &nock.node, &nock.hash, header))?)
    }
}

fn is_good(job: &Job, progress: &Progress) -> Result<bool> {
    Ok(hash(job, &job.open()?, progress)? == job.hash)
}

fn hash(job: &Job, file: &File, progress: &Progress) -> Result<PacketHash> {
    let meter = progress.start(Work::Check, job.file_name(), Some(job.size));
    let fail = |source| DiskError { op: Op::Read, path: job.path().to_owned(), cause: source };
    blocks::hash(meter.read(file)).map(PacketHash).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Suffix;
    use crate::spool::testing::{NODE, TestSpool, packet};

    fn bad(checked: &Checked) -> Vec<PacketHash> {
        checked.bad.iter().map(|bad| bad.hash).collect()
    }

    #[test]
    fn an_altered_packet_is_found_among_small_and_large_ones() {
        let test = TestSpool::new();
        let large = vec![1; usize::try_from(SMALL).unwrap() + 5];
        let hashes =
            [test.add(Xx::Rx, 1, b"one"), test.add(Xx::Rx, 1, &large), test.add(Xx::Rx, 1, b"")];
        let checked = test.spool.check(&NODE, Xx::Rx, &Progress::default()).unwrap();
        assert_eq!((checked.good, bad(&checked)), (3, vec![]));
        for hash in hashes {
            let path = test.spool.packet(&NODE, Xx::Rx, &hash);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
            let checked = test.spool.check(&NODE, Xx::Rx, &Progress::default()).unwrap();
            assert_eq!((checked.good, bad(&checked)), (2, vec![hash]));
            std::fs::write(&path, bytes).unwrap();
        }
    }

    #[test]
    fn a_nock_gets_its_name_only_if_it_is_good() {
        let test = TestSpool::new();
        let hash = test.add(Xx::Rx, 1, b"one");
        let nock = test.spool.unfinished(&NODE, &hash, Suffix::Nock);
        std::fs::rename(test.spool.packet(&NODE, Xx::Rx, &hash), &nock).unwrap();
        let other = test.spool.unfinished(&NODE, &PacketHash([0; 32]), Suffix::Nock);
        std::fs::write(&other, packet(1, b"altered")).unwrap();
        let checked = test.spool.check_nocks(&NODE, &Progress::default()).unwrap();
        assert_eq!((checked.good, bad(&checked)), (1, vec![PacketHash([0; 32])]));
        assert_eq!(checked.bad[0].why, "checksum mismatch");
        assert!(test.spool.holds(&NODE, Xx::Rx, &hash) && !nock.exists() && other.exists());
    }
}
