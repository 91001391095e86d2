//! What lies under a packet's name already, where the packet is to go.
//!
//! A name proves nothing: the copy may be cut, altered, or in the page cache only. It counts once
//! all of it was read, hashes to its name, and is synced: then it is as good as one just written.

use super::{Spool, Xx};
use crate::disk;
use crate::disk::Disk;
use crate::disk::DiskError;
use crate::disk::NotRegular;
use crate::disk::Op;
use crate::display::reason;
use crate::{
    blocks,
    progress::{Progress, Work},
};
use packmule_protocol::id::{NodeId, PacketHash};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};
use std::{io, os::fd::AsFd, path::Path};

/// What lies under a packet's name.
#[derive(Debug)]
pub(crate) enum Present {
    /// Nothing.
    Nothing,
    /// A file that is not the packet. Nobody can use it; the packet may take its place.
    Damaged(Damage),
    /// The packet, all of it read and synced, of so many bytes.
    Good(u64),
}

/// What is wrong with a copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Damage {
    /// It has not as many bytes as the packet.
    #[error("it has {found} bytes instead of {expected}")]
    Size {
        /// Its bytes.
        found: u64,
        /// The packet's.
        expected: u64,
    },
    /// It hashes to something else.
    #[error("checksum mismatch")]
    Content,
    /// The disk does not give all of it back.
    #[error("reading it: {}", reason(.0))]
    Read(io::Error),
}

/// Nobody knows whether the packet is there, and it can not be put there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    /// The name is not a file's.
    #[error("{0} has the packet's name: remove it")]
    Kind(&'static str),
    /// It can not be opened, so that it may be the packet.
    #[error("what has the packet's name can not be opened: {}; make it readable, or remove it", reason(.0))]
    Unreadable(io::Error),
    /// It may not survive a power cut.
    #[error("syncing what has the packet's name: {}", reason(&.0.cause))]
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
    /// Looks at what lies in `dir` under the name of a packet of `size` bytes, if that is known. What
    /// is good is synced, its directory is not: several may share one.
    ///
    /// The bytes are read back from the disk rather than from memory, where the system allows: after
    /// a failed write memory may hold what the disk never got.
    ///
    /// # Errors
    /// [`Obstacle`]: nothing can be done about the packet.
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
    /// Looks at what the spool has under a packet's name. What is good is durable.
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

    /// Whether the spool has a packet, durably.
    ///
    /// # Errors
    /// Nobody knows, or it may not survive a power cut.
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
        // Not even one to the packet: whoever made it can change where it leads.
        symlink(&other, &path).unwrap();
        assert_eq!(why(), "a link has the packet's name: remove it");
        std::fs::remove_file(&path).unwrap();
        std::fs::copy(&other, &path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
        if !rustix::process::geteuid().is_root() {
            assert!(why().contains("can not be opened: permission denied"), "{}", why());
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
