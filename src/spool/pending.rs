//! A packet being written under `tmp/`. It is hashed while written, and published under its hash.

use super::naming::HeaderCopy;
use super::tmp::{Batch, TmpFile};
use super::unfinished::Publishing;
use super::{Spool, Xx};
use crate::blocks::Hasher;
use crate::disk::{Before, DiskError, Named, Result};
use crate::log::event;
use packmule_protocol::id::{NodeId, PacketHash};
use packmule_protocol::packet::{HEADER_LEN, Header};
use std::io::{self, Write};

/// Small writes are collected up to this size before they are written and hashed.
const GATHER: usize = 512 * 1024;
/// From this size on, hashing and writing in two threads is faster.
const TOGETHER: usize = 64 * 1024;

/// A packet being written. Dropping it removes it; only a commit makes it a [`Job`](super::Job), so
/// a reader of the spool never sees a partial one and writers need no lock.
#[derive(Debug)]
pub(crate) struct Pending {
    spool: Spool,
    tmp: TmpFile,
    hasher: Hasher,
    /// The first bytes, for `hdr/`.
    head: Vec<u8>,
    /// Bytes from the caller that are not yet in the file.
    gathered: Vec<u8>,
    size: u64,
}

/// A complete and synced packet that does not have its name yet.
#[derive(Debug)]
pub(crate) struct Finished {
    spool: Spool,
    tmp: TmpFile,
    hash: PacketHash,
    head: Vec<u8>,
    hdr: bool,
    size: u64,
}

/// A packet was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The bytes do not hash to the name.
    #[error("checksum mismatch")]
    Mismatch {
        /// The hash in its name.
        expected: PacketHash,
        /// The hash of its bytes.
        found: PacketHash,
    },
}

impl Spool {
    /// Starts a packet.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn pending(&self) -> Result<Pending> {
        Ok(Pending::new(self, self.tmp_file()?))
    }

    /// Starts a packet of `batch`. A finished packet keeps no file open.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn pending_of(&self, batch: &Batch) -> Result<Pending> {
        Ok(Pending::new(self, self.tmp_file_of(batch)?))
    }
}

impl Pending {
    fn new(spool: &Spool, tmp: TmpFile) -> Self {
        Self {
            spool: spool.clone(),
            tmp,
            hasher: Hasher::new(),
            head: Vec::with_capacity(HEADER_LEN),
            gathered: Vec::new(),
            size: 0,
        }
    }

    /// Publishes the packet under its hash. `link`: the neighbour's name in the configuration. It
    /// becomes a link to the neighbour's directory, for people.
    ///
    /// Durable on return: the file is synced before the rename, since a name that survives a crash
    /// without its bytes is a corrupt job; every directory made on the way, and the packet's own
    /// after it.
    ///
    /// # Errors
    /// Those of the disk. Nothing is published then, and the temporary file is gone.
    pub(crate) fn commit(self, node: &NodeId, xx: Xx, link: Option<&str>) -> Result<PacketHash> {
        self.finish()?.publish(node, xx, link)
    }

    /// Writes the remaining bytes, and compares the hash with the name. Does not sync.
    pub(super) fn close_expecting(
        self,
        expected: PacketHash,
    ) -> std::result::Result<Finished, CommitError> {
        let finished = self.close()?;
        match finished.hash {
            found if found != expected => Err(CommitError::Mismatch { expected, found }),
            _ => Ok(finished),
        }
    }

    /// Writes the remaining bytes, syncs, and computes the hash. Publishes nothing: for callers that
    /// must know the name first.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn finish(self) -> Result<Finished> {
        let mut finished = self.close()?;
        finished.tmp.settle()?;
        Ok(finished)
    }

    fn close(mut self) -> Result<Finished> {
        self.flush_gathered()?;
        let Self { spool, tmp, hasher, head, size, .. } = self;
        Ok(Finished { spool, tmp, hash: PacketHash(hasher.finish()), head, hdr: true, size })
    }

    fn flush_gathered(&mut self) -> Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        self.take(&gathered)?;
        self.gathered = gathered;
        self.gathered.clear();
        Ok(())
    }

    /// Writes and hashes at the same time.
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let Self { tmp, hasher, .. } = self;
        if bytes.len() < TOGETHER {
            hasher.update(bytes);
            return tmp.write(bytes);
        }
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| hasher.update(bytes));
            tmp.write(bytes)
        })
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let missing = HEADER_LEN - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        if bytes.len() >= GATHER / 2 {
            self.flush_gathered()?;
            self.take(bytes)?;
        } else {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() >= GATHER {
                self.flush_gathered()?;
            }
        }
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Does nothing: bytes are written once enough are collected, or when the packet is committed.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Finished {
    /// The packet's name.
    pub(crate) fn hash(&self) -> PacketHash {
        self.hash
    }

    /// Bytes of the whole packet.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Its header; `None` if it is not a packet, since a relay may receive anything.
    pub(crate) fn header(&self) -> Option<Header> {
        Header::parse(&self.head).ok()
    }

    /// Does not write the copy of the header; the first listing does. The reference writes none for
    /// a packet that it relays, or receives with `bundle -check`.
    #[must_use]
    pub(crate) fn without_hdr(self) -> Self {
        Self { hdr: false, ..self }
    }

    /// Gives the packet its name. See [`Pending::commit`].
    ///
    /// # Errors
    /// Those of the disk. Nothing is published then, and the temporary file is gone.
    pub(crate) fn publish(self, node: &NodeId, xx: Xx, link: Option<&str>) -> Result<PacketHash> {
        let (spool, hash) = (self.spool.clone(), self.hash);
        let _publishing = Publishing::begin();
        spool.name_one(|| self.rename(node, xx))?;
        if let Some(link) = link.and_then(|name| spool.link(name)) {
            // The link may exist already. It only helps people, so errors do not matter.
            let _ = spool.disk().symlink(&spool.node_dir(node), &link);
        }
        Ok(hash)
    }

    /// Lets the disk start to write all of it.
    pub(super) fn write_out(&mut self) {
        self.tmp.write_out();
    }

    /// Waits until its bytes are on disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.tmp.sync()
    }

    /// Gives the packet its name. The name is not durable until its directory is synced.
    pub(super) fn rename(self, node: &NodeId, xx: Xx) -> Result<(Named<'static>, HeaderCopy)> {
        let header = self.header().filter(|_| self.hdr);
        let Self { spool, tmp, hash, .. } = self;
        let (dir, name) = (spool.dir(node, xx), hash.to_string());
        spool.ensure_dir(&dir)?;
        spool.log().debug(|| event::tmp_rename(tmp.path(), &name));
        let path = dir.join(&name);
        tmp.rename(&path).map_err(|(_, error)| error)?;
        Ok((Named::new(path, Before::Nothing), HeaderCopy { node: *node, xx, hash, header }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault::{self, Fault};
    use crate::spool::testing::{NODE, TestSpool, packet};
    use packmule_protocol::mth;

    fn send(spool: &Spool) -> Result<PacketHash> {
        let mut pending = spool.pending()?;
        pending.write_all(&packet(5, b"payload")).expect("gathered in memory");
        pending.commit(&NODE, Xx::Tx, Some("bob"))
    }

    #[test]
    fn a_packet_gets_its_name_its_header_and_its_link() {
        let test = TestSpool::new();
        let hash = send(&test.spool).unwrap();
        assert_eq!(hash.0, mth::hash(&packet(5, b"payload")));
        let want = [format!("{NODE}/tx/{hash}"), format!("{NODE}/tx/hdr/{hash}"), "bob".into()];
        assert_eq!(test.files(), want);
        assert_eq!(std::fs::read_link(test.path("bob")).unwrap(), test.spool.node_dir(&NODE));
    }

    #[test]
    fn stopped_at_any_step_there_is_no_packet_or_a_whole_one() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let (sent, reached) = fault::with(fault, at, || send(&test.spool));
            let jobs = test.spool.jobs(&NODE, Xx::Tx).unwrap();
            // A name must be taken back after a failed sync, since the next sync would succeed.
            let told = if fault == Fault::Kill { sent.is_ok() } else { jobs.len() == 1 };
            assert_eq!(sent.is_ok(), told, "{fault:?} at {at}");
            assert!(sent.is_err() || jobs.len() == 1, "{fault:?} at {at}");
            for job in jobs {
                assert_eq!(std::fs::read(job.path()).unwrap(), packet(5, b"payload"), "{at}");
            }
            send(&test.spool).unwrap();
            assert_eq!(test.spool.jobs(&NODE, Xx::Tx).unwrap().len(), 1, "{fault:?} at {at}");
            reached
        });
    }

    #[test]
    fn w11_no_temporary_file_outlives_an_error() {
        fault::at_each_step(|fault, at| {
            let test = TestSpool::new();
            let (_, reached) = fault::with(fault, at, || send(&test.spool));
            let left = test.files();
            let tmp = left.iter().any(|file| file.starts_with("tmp/"));
            assert!(!tmp || fault == Fault::Kill, "{fault:?} at {at}: {left:?}");
            reached
        });
    }

    #[test]
    fn dropped_it_vanishes() {
        let test = TestSpool::new();
        let mut pending = test.spool.pending().unwrap();
        pending.write_all(&vec![1; 3 << 20]).unwrap();
        assert_eq!(test.files().len(), 1);
        drop(pending);
        assert_eq!(test.files(), [""; 0]);
    }

    #[test]
    fn pieces_of_any_size_are_written_and_hashed() {
        let bytes: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
        for piece in [1000, 70_000, 131_072, 300_000, 2_097_408] {
            let test = TestSpool::new();
            let mut pending = test.spool.pending().unwrap();
            bytes.chunks(piece).for_each(|piece| pending.write_all(piece).unwrap());
            let hash = pending.commit(&NODE, Xx::Tx, None).unwrap();
            assert_eq!(hash.0, mth::hash(&bytes), "{piece}");
            assert_eq!(std::fs::read(test.spool.packet(&NODE, Xx::Tx, &hash)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_name_that_is_no_file_name_makes_no_link() {
        let test = TestSpool::new();
        for name in ["", ".", "..", "a/b", "../x"] {
            let pending = test.spool.pending().unwrap();
            pending.commit(&NODE, Xx::Tx, Some(name)).unwrap();
        }
        assert_eq!(test.files().len(), 1);
    }
}
