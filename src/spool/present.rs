//! Checks a file that already has the name of a packet to be stored.
//!
//! The name alone proves nothing: the file may be truncated, altered, or only in the page cache. It
//! is as good as a new copy once it was read completely, hashes to its name, and is synced.

use super::{Spool, Xx};
use crate::blocks;
use crate::disk::{self, Disk, DiskError, NotRegular, Op};
use crate::display::reason;
use crate::progress::{Progress, Work};
use packmule_protocol::id::{NodeId, PacketHash};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// The state of a packet's name.
#[derive(Debug)]
pub(crate) enum Present {
    /// No file has the name.
    Nothing,
    /// A file that is not the packet. Nothing can use it, so the packet may replace it.
    Damaged(Damage),
    /// The packet, verified and synced, with its size in bytes.
    Good(u64),
}

/// The damage of a copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// Its size is not the packet's.
    #[error("it has {found} bytes instead of {expected}")]
    Size {
        /// Its bytes.
        found: u64,
        /// The packet's.
        expected: u64,
    },
    /// It does not hash to its name.
    #[error("checksum mismatch")]
    Content,
    /// The disk cannot read all of it.
    #[error("reading it: {}", reason(.0))]
    Read(io::Error),
}

/// The file cannot be checked, and must not be replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    /// The name does not belong to a regular file.
    #[error("{0} has the packet's name: remove it")]
    Kind(&'static str),
    /// It cannot be opened, so it may be the good packet.
    #[error("the file with the packet's name cannot be opened: {}; make it readable, or remove it", reason(.0))]
    Unreadable(io::Error),
    /// It cannot be synced, so it may not survive a power cut.
    #[error("syncing the file with the packet's name: {}", reason(&.0.cause))]
    Sync(DiskError),
}

impl Obstacle {
    fn of(dir: impl AsFd, name: &str, error: io::Error) -> Self {
        if !is_not_regular(&error) {
            return Self::Unreadable(error);
        }
        let kind = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| FileType::from_raw_mode(stat.st_mode));
        Self::Kind(match kind {
            Ok(FileType::Directory) => "a directory",
            Ok(FileType::Symlink) => "a link",
            _ => "something that is not a regular file",
        })
    }
}

fn is_not_regular(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<NotRegular>())
}

impl Disk {
    /// Checks the file in `dir` with the name of a packet. `size`: the packet's size, if known. Syncs
    /// a good file, but not its directory, which several packets may share.
    ///
    /// Reads the bytes from the disk instead of the page cache if the system allows it: after a
    /// failed write, the cache may hold bytes that are not on disk.
    ///
    /// # Errors
    /// [`Obstacle`]: the packet can be neither used nor replaced.
    pub(crate) fn present(
        self,
        dir: impl AsFd,
        packet: PacketHash,
        size: Option<u64>,
        progress: &Progress,
    ) -> Result<Present, Obstacle> {
        let name = packet.to_string();
        let (file, found) = match disk::open_regular(&dir, Path::new(&name)) {
            Ok((file, metadata)) => (file, metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Present::Nothing),
            Err(error) => return Err(Obstacle::of(dir, &name, error)),
        };
        if let Some(expected) = size.filter(|size| *size != found) {
            return Ok(Present::Damaged(Damage::Size { found, expected }));
        }
        self.read_back(&file, Path::new(&name)).map_err(Obstacle::Sync)?;
        let meter = progress.start(Work::Check, &name, Some(found));
        Ok(match blocks::hash(meter.read(&file)) {
            Ok(digest) if PacketHash(digest) == packet => Present::Good(found),
            Ok(_) => Present::Damaged(Damage::Content),
            Err(error) => Present::Damaged(Damage::Read(error)),
        })
    }
}

impl Spool {
    /// Checks the spool's file with a packet's name. A good file is durable on return.
    ///
    /// # Errors
    /// [`Obstacle`].
    pub(crate) fn present(
        &self,
        node: &NodeId,
        xx: Xx,
        packet: PacketHash,
        progress: &Progress,
    ) -> Result<Present, Obstacle> {
        let path = self.dir(node, xx);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = match openat(CWD, &path, flags, Mode::empty()) {
            Ok(dir) => dir,
            Err(rustix::io::Errno::NOENT) => return Ok(Present::Nothing),
            Err(errno) => return Err(Obstacle::Unreadable(errno.into())),
        };
        let present = self.disk().present(&dir, packet, None, progress)?;
        if matches!(present, Present::Good(_)) {
            self.disk().sync_dir(&path).map_err(Obstacle::Sync)?;
        }
        Ok(present)
    }

    /// True if the spool has a good copy of the packet. Makes it durable.
    ///
    /// # Errors
    /// The file cannot be checked, or cannot be synced.
    pub(super) fn has_good(&self, node: &NodeId, xx: Xx, packet: PacketHash) -> disk::Result<bool> {
        match self.present(node, xx, packet, &Progress::default()) {
            Ok(present) => Ok(matches!(present, Present::Good(_))),
            Err(Obstacle::Sync(error)) => Err(error),
            Err(obstacle) => Err(DiskError {
                op: Op::Open,
                path: self.packet(node, xx, &packet),
                cause: io::Error::other(obstacle),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::testing::{NODE, TestSpool};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn look(test: &TestSpool, packet: PacketHash) -> Result<Present, Obstacle> {
        test.spool.present(&NODE, Xx::Rx, packet, &Progress::default())
    }

    #[test]
    fn a_copy_counts_once_it_was_read_and_hashes_to_its_name() {
        let test = TestSpool::new();
        let hash = test.add(Xx::Rx, 1, &[7; 300_000]);
        let path = test.spool.packet(&NODE, Xx::Rx, &hash);
        let good = std::fs::read(&path).unwrap();
        assert!(matches!(look(&test, hash), Ok(Present::Good(size)) if size == good.len() as u64));
        for bad in [&good[..good.len() - 1], &[&good[..], b"x"].concat(), &good[1..], b""] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(look(&test, hash), Ok(Present::Damaged(Damage::Content))));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(look(&test, hash), Ok(Present::Nothing)));
        std::fs::remove_dir_all(test.path(&NODE.to_string())).unwrap();
        assert!(matches!(look(&test, hash), Ok(Present::Nothing)));
    }

    #[test]
    fn what_can_not_be_the_packet_is_told_by_its_kind() {
        let test = TestSpool::new();
        let hash = test.add(Xx::Rx, 1, b"");
        let path = test.spool.packet(&NODE, Xx::Rx, &hash);
        let other = path.with_extension("other");
        std::fs::rename(&path, &other).unwrap();
        let why = || look(&test, hash).unwrap_err().to_string();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(why(), "a directory has the packet's name: remove it");
        std::fs::remove_dir(&path).unwrap();
        // Not even a link to the packet counts, because its owner can change its target.
        symlink(&other, &path).unwrap();
        assert_eq!(why(), "a link has the packet's name: remove it");
        std::fs::remove_file(&path).unwrap();
        std::fs::copy(&other, &path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
        if !rustix::process::geteuid().is_root() {
            assert!(why().contains("cannot be opened: permission denied"), "{}", why());
        }
    }

    #[test]
    fn where_it_can_not_be_synced_it_does_not_count() {
        use crate::disk::fault;
        for (at, fails) in [(0, true), (1, true), (2, false)] {
            let test = TestSpool::new();
            let hash = test.add(Xx::Rx, 1, b"payload");
            let broken = fault::Fault::Fail(rustix::io::Errno::IO);
            let (result, reached) = fault::with(broken, at, || look(&test, hash));
            assert_eq!((result.is_err(), reached), (fails, fails), "{at}: {result:?}");
        }
    }
}
