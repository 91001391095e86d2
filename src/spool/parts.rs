//! Partly received packets: first `.part`, then `.nock` or the packet's name.

use super::naming::HeaderCopy;
use super::pending::CommitError;
use super::{Spool, Suffix, Xx};
use crate::disk::{Before, DiskError, Named, Op, Result, WriteOut};
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{HEADER_LEN, Header};
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

/// The part of an offered packet that the spool already holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    Nothing,
    /// The beginning, with its length in bytes.
    Part(u64),
    /// The whole packet, not yet verified.
    Nock,
    /// A file under its name, which may be damaged: see [`Spool::present`].
    Whole,
    /// Nothing, but it is marked as seen.
    Seen,
    /// Nothing, but this process has tossed it.
    Tossed,
}

/// A verified packet that is still named `.part`. See [`Spool::publish`].
#[derive(Debug)]
pub(crate) struct Whole(Part);

/// A packet being received. If dropped, the file stays for the next call. That call cannot know
/// which bytes are on disk, so it hashes the packet from the disk ([`Spool::check_nock`]).
#[derive(Debug)]
pub(crate) struct Part {
    spool: Spool,
    node: NodeId,
    hash: PacketHash,
    file: File,
    path: PathBuf,
}

impl Spool {
    /// The part of a packet offered by `node` that the spool holds.
    pub(crate) fn held(&self, node: &NodeId, hash: &PacketHash) -> Held {
        let size = |path: PathBuf| path.symlink_metadata().ok().map(|metadata| metadata.len());
        if size(self.packet(node, Xx::Rx, hash)).is_some() {
            Held::Whole
        } else if self.is_seen(node, hash) {
            Held::Seen
        } else if self.0.retired.has(node, hash) {
            Held::Tossed
        } else if size(self.unfinished(node, hash, Suffix::Nock)).is_some() {
            Held::Nock
        } else {
            let part = size(self.unfinished(node, hash, Suffix::Part));
            part.map_or(Held::Nothing, Held::Part)
        }
    }

    /// Length of the received beginning of a packet; 0 if there is none.
    pub(crate) fn part_size(&self, node: &NodeId, hash: &PacketHash) -> u64 {
        let path = self.unfinished(node, hash, Suffix::Part);
        path.symlink_metadata().map_or(0, |metadata| metadata.len())
    }

    /// Opens the `.part` file of a packet, or creates it.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn part(&self, node: &NodeId, hash: &PacketHash) -> Result<Part> {
        self.ensure_dir(&self.dir(node, Xx::Rx))?;
        let path = self.unfinished(node, hash, Suffix::Part);
        if path.symlink_metadata().is_ok_and(|there| there.is_file() && there.nlink() > 1) {
            // After a crash, fsck of a file system without a journal can leave one file with two names,
            // although one was removed: the file may belong to another packet, so start a new one.
            self.disk().remove(&path)?;
        }
        self.touch(&path)?;
        let (file, _) = self.disk().open_writable(&path)?;
        Ok(Part { spool: self.clone(), node: *node, hash: *hash, file, path })
    }

    /// Gives packets of `node` their names, durably: syncs and renames all files, then syncs the
    /// directory once. Returns the result of each, in order. Removes a file that cannot be synced; a
    /// file whose name cannot be synced stays a `.part`.
    pub(crate) fn publish(&self, node: &NodeId, packets: &[Whole]) -> Vec<Result<()>> {
        self.name_all(
            packets,
            |Whole(part)| self.disk().sync_or_remove(&part.file, &part.path),
            |Whole(part)| self.promote(part.path.clone(), node, &part.hash, part.header()),
        )
    }

    /// Gives a verified and synced file in `rx/` its packet's name.
    pub(super) fn promote(
        &self,
        from: PathBuf,
        node: &NodeId,
        hash: &PacketHash,
        header: Option<Header>,
    ) -> Result<(Named<'static>, HeaderCopy)> {
        let path = self.packet(node, Xx::Rx, hash);
        self.disk().rename(&from, &path)?;
        let named = Named::new(path, Before::Name(from.into()));
        Ok((named, HeaderCopy { node: *node, xx: Xx::Rx, hash: *hash, header }))
    }
}

impl Whole {
    /// The packet's name.
    pub(crate) fn hash(&self) -> PacketHash {
        self.0.hash
    }
}

impl Part {
    /// Length of the file in bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn size(&self) -> Result<u64> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|source| self.error(Op::Stat, source))?.len())
    }

    /// Writes a piece.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.spool.disk().write_at(&self.file, &self.path, bytes, offset)?;
        let (before, now) =
            (offset / WriteOut::PIECE, (offset + bytes.len() as u64) / WriteOut::PIECE);
        if before < now {
            let (from, len) = (before * WriteOut::PIECE, (now - before) * WriteOut::PIECE);
            self.spool.disk().write_out(&self.file, from, len);
        }
        Ok(())
    }

    /// Ends a packet whose bytes hash to `found`. Checks that this is its name.
    ///
    /// # Errors
    /// [`CommitError::Mismatch`]: the file stays a `.part`.
    pub(crate) fn verified(self, found: PacketHash) -> std::result::Result<Whole, CommitError> {
        expect(self.hash, found)?;
        // Several packets are synced one after the other. Let the disk start writing all of them now.
        let size = self.size()?;
        let from = size / WriteOut::PIECE * WriteOut::PIECE;
        self.spool.disk().write_out(&self.file, from, size - from);
        Ok(Whole(self))
    }

    /// Ends a packet that is to be verified later: renames it to `.nock`.
    ///
    /// # Errors
    /// Those of the disk. A file that cannot be synced is removed.
    pub(crate) fn commit_unchecked(self) -> Result<()> {
        self.spool.disk().sync_or_remove(&self.file, &self.path)?;
        let nock = self.spool.unfinished(&self.node, &self.hash, Suffix::Nock);
        let disk = self.spool.disk();
        disk.publish(|| {
            disk.rename(&self.path, &nock)?;
            Ok((Named::new(nock, Before::Name((&self.path).into())), ()))
        })
    }

    /// Removes the bytes of a packet that does not match its name.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn discard(self) -> Result<()> {
        self.spool.disk().remove(&self.path)
    }

    /// The packet's header; `None` if it is not a packet, since peers may send anything.
    fn header(&self) -> Option<Header> {
        let mut head = [0; HEADER_LEN];
        self.file.read_exact_at(&mut head, 0).ok()?;
        Header::parse(&head).ok()
    }

    fn error(&self, op: Op, source: std::io::Error) -> DiskError {
        DiskError { op, path: self.path.clone(), cause: source }
    }
}

fn expect(expected: PacketHash, found: PacketHash) -> std::result::Result<(), CommitError> {
    if expected == found { Ok(()) } else { Err(CommitError::Mismatch { expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault;
    use crate::spool::testing::{NODE, TestSpool, packet};
    use packmule_protocol::mth;
    use rustix::fs::{CWD, Mode};

    const PAYLOAD: &[u8] = b"payload";

    fn hash() -> PacketHash {
        PacketHash(mth::hash(&packet(5, PAYLOAD)))
    }

    fn commit(spool: &Spool, part: Part, hash: PacketHash) -> std::result::Result<(), CommitError> {
        let whole = part.verified(hash)?;
        Ok(spool.publish(&NODE, &[whole]).pop().expect("one for one")?)
    }

    /// Receives like a call: resumes where the last one ended, and completes two packets together.
    fn receive(spool: &Spool) -> std::result::Result<(), CommitError> {
        let mut wholes = Vec::new();
        for nice in [5, 6] {
            let bytes = packet(nice, PAYLOAD);
            let hash = PacketHash(mth::hash(&bytes));
            if spool.held(&NODE, &hash) == Held::Whole {
                continue;
            }
            let part = spool.part(&NODE, &hash)?;
            let from = part.size()?;
            let middle = from + (bytes.len() as u64 - from) / 2;
            for (from, to) in [(from, middle), (middle, bytes.len() as u64)] {
                part.write_at(from, &bytes[from as usize..to as usize])?;
            }
            let there = std::fs::read(spool.unfinished(&NODE, &hash, Suffix::Part));
            wholes.push(part.verified(PacketHash(mth::hash(&there.expect("readable"))))?);
        }
        for (result, whole) in spool.publish(&NODE, &wholes).into_iter().zip(&wholes) {
            match result {
                Ok(()) => assert_eq!(spool.held(&NODE, &whole.0.hash), Held::Whole),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    #[test]
    fn stopped_at_any_step_the_next_call_completes_the_packet() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let (_, reached) = fault::with(fault, at, || receive(&test.spool));
            receive(&test.spool).unwrap();
            let jobs = test.spool.jobs(&NODE, Xx::Rx).unwrap();
            let wanted = [packet(5, PAYLOAD), packet(6, PAYLOAD)];
            let got: Vec<_> = jobs.iter().map(|job| std::fs::read(job.path()).unwrap()).collect();
            assert_eq!(got, wanted, "{fault:?} at {at}");
            reached
        });
    }

    #[test]
    fn what_is_held_is_told_apart() {
        let test = TestSpool::new();
        let held = || test.spool.held(&NODE, &hash());
        assert_eq!(held(), Held::Nothing);
        let part = test.spool.part(&NODE, &hash()).unwrap();
        part.write_at(0, b"123").unwrap();
        assert_eq!(held(), Held::Part(3));
        part.commit_unchecked().unwrap();
        assert_eq!(held(), Held::Nock);
        test.spool.mark_seen(&NODE, &hash()).unwrap();
        assert_eq!(held(), Held::Seen);
        let part = test.spool.part(&NODE, &hash()).unwrap();
        commit(&test.spool, part, hash()).unwrap();
        assert_eq!(held(), Held::Whole);
    }

    #[test]
    fn a_part_that_could_not_be_synced_is_gone_and_one_whose_name_could_not_be_stays() {
        let whole = packet(5, PAYLOAD).len() as u64;
        for (at, left) in [(0, Held::Nothing), (2, Held::Part(whole))] {
            for checked in [true, false] {
                let test = TestSpool::new();
                let part = test.spool.part(&NODE, &hash()).unwrap();
                part.write_at(0, &packet(5, PAYLOAD)).unwrap();
                let fault = fault::Fault::Fail(rustix::io::Errno::IO);
                let (failed, _) = fault::with(fault, at, || match checked {
                    true => commit(&test.spool, part, hash()).is_err(),
                    false => part.commit_unchecked().is_err(),
                });
                assert!(failed && test.spool.held(&NODE, &hash()) == left, "{at} {checked}");
            }
        }
    }

    #[test]
    fn a_part_that_is_another_file_too_is_not_written_to() {
        let test = TestSpool::new();
        let (path, other) =
            (test.spool.unfinished(&NODE, &hash(), Suffix::Part), test.path("other"));
        std::fs::create_dir_all(test.spool.dir(&NODE, Xx::Rx)).unwrap();
        std::fs::write(&other, "precious").unwrap();
        std::fs::hard_link(&other, &path).unwrap();
        test.spool.part(&NODE, &hash()).unwrap().write_at(0, b"1").unwrap();
        assert_eq!(std::fs::read_to_string(other).unwrap(), "precious");
        assert_eq!(test.spool.held(&NODE, &hash()), Held::Part(1));
    }

    #[test]
    fn what_was_tossed_is_known_and_what_was_only_removed_is_not() {
        let test = TestSpool::new();
        let hashes = [test.add(Xx::Rx, 5, b"one"), test.add(Xx::Rx, 5, b"two")];
        let job = test.spool.job(&NODE, Xx::Rx, &hashes[0]).unwrap().unwrap();
        test.spool.retire(&job, crate::spool::Seen::Forget).unwrap();
        test.spool.remove_packet(&NODE, Xx::Rx, &hashes[1]).unwrap();
        let held = hashes.map(|hash| test.spool.held(&NODE, &hash));
        assert_eq!(held, [Held::Tossed, Held::Nothing]);
    }

    #[test]
    fn a_wrong_packet_stays_a_part() {
        let test = TestSpool::new();
        let part = test.spool.part(&NODE, &hash()).unwrap();
        part.write_at(0, b"wrong").unwrap();
        let result = part.verified(PacketHash([0; 32]));
        assert!(matches!(result, Err(CommitError::Mismatch { .. })));
        assert_eq!(test.spool.held(&NODE, &hash()), Held::Part(5));
        test.spool.part(&NODE, &hash()).unwrap().discard().unwrap();
        assert_eq!(test.spool.held(&NODE, &hash()), Held::Nothing);
    }

    #[test]
    fn w19_a_part_that_is_no_file_is_refused() {
        let test = TestSpool::new();
        std::fs::create_dir_all(test.spool.dir(&NODE, Xx::Rx)).unwrap();
        let path = test.spool.unfinished(&NODE, &hash(), Suffix::Part);
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(test.spool.part(&NODE, &hash()).is_err());
        std::fs::remove_file(&path).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(test.spool.part(&NODE, &hash()).is_err());
    }
}
