//! A directory that names chosen by peers cannot escape.
//!
//! Opens the components of a name one by one below the directory's descriptor, never through a
//! link. This works on every kernel, like `openat2` with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS.

use super::at::At;
use super::below::Below;
use super::dir::OpenDir;
use super::error::{DiskError, Op, Result};
use super::ops::Disk;
use super::publish::{Before, Named, Temporary, first_free};
use packmule_protocol::id::PacketHash;
use rustix::fs::XattrFlags;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// Attribute of a delivered file that names its packet, until toss has removed the packet. If a
/// crash comes between the two, the next toss sees that the packet was delivered.
const PACKET_ATTRIBUTE: &str = "user.packmule.packet";

/// The result of publishing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    /// The file got its name now.
    Now,
    /// An earlier toss published this packet's file, but was interrupted before it removed the packet.
    Before,
}

/// A directory of the configuration.
pub(crate) struct Confined {
    root: Arc<OpenDir>,
    disk: Disk,
}

impl Confined {
    /// Opens `path`, which is made if it is not there. By the rules of `disk`, what is published is
    /// durable.
    pub(crate) fn create(path: &Path, disk: Disk) -> Result<Self> {
        disk.ensure_dir(path)?;
        Self::open(path, disk)
    }

    /// Opens `path`.
    pub(crate) fn open(path: &Path, disk: Disk) -> Result<Self> {
        Ok(Self { root: Arc::new(OpenDir::open(path)?), disk })
    }

    /// Opens `path` for reading. Follows no link and does not block on a FIFO.
    pub(crate) fn read(&self, path: &Below) -> io::Result<OwnedFd> {
        let mut dir = Arc::clone(&self.root);
        for component in &path.parents {
            dir = Arc::new(dir.below(OsStr::from_bytes(component)).map_err(|error| error.cause)?);
        }
        dir.read(OsStr::from_bytes(&path.name))
    }

    /// The directory itself.
    pub(crate) fn itself(&self) -> io::Result<OwnedFd> {
        self.root.as_fd().try_clone_to_owned()
    }

    /// Creates a file without a name, to be published later as `path`. Creates it in the directory of
    /// `path` if that exists, since a file inherits group and access list from its directory.
    pub(crate) fn temporary(&self, path: &Below) -> Result<Temporary> {
        let mut dir = Arc::clone(&self.root);
        for component in &path.parents {
            match dir.below(OsStr::from_bytes(component)) {
                Ok(below) => dir = Arc::new(below),
                Err(_) => break,
            }
        }
        Temporary::nameless(self.disk, &dir, PREFIX)
    }

    /// Gives `temporary` the name `path`; if that is taken, `path.0`, `path.1`, …. On return the
    /// file, its name and every new directory are durable. After an error the name is removed
    /// again, so that the next toss does not rely on a name that is not on disk.
    ///
    /// # Errors
    /// [`Op::Mkdir`]: making a directory on the way, or going into it. [`Op::Sync`],
    /// [`Op::SyncDir`]: writing the file or a directory out. Otherwise: giving it its name.
    pub(crate) fn publish(
        &self,
        temporary: &mut Temporary,
        path: &Below,
        packet: &PacketHash,
    ) -> Result<Published> {
        let hash = packet.to_string();
        // On a file system without attributes, a crash may cause a second delivery of the file.
        let _ = rustix::fs::fsetxattr(
            &temporary.file,
            PACKET_ATTRIBUTE,
            hash.as_bytes(),
            XattrFlags::empty(),
        );
        temporary.sync()?;
        let mut parents = Vec::with_capacity(path.parents.len());
        let published = self.disk.publish(|| {
            self.make_parents(path, &mut parents)?;
            let dir = parents.last().map_or(&self.root, |parent: &Parent| &parent.dir);
            let (named, published) = self.link(temporary, dir, &path.name, &hash)?;
            let above = parents.iter().rev().skip(1).map(|parent| &parent.dir);
            let above = above.chain((!parents.is_empty()).then_some(&self.root)).cloned();
            Ok((named.with_dirs_above(above), published))
        });
        published.inspect_err(|_| self.remove_made(path, &parents))
    }

    /// Gives `temporary` the first free name of `name`, `name.0`, `name.1`, ….
    fn link(
        &self,
        temporary: &mut Temporary,
        dir: &Arc<OpenDir>,
        name: &[u8],
        packet: &str,
    ) -> Result<(Named<'static>, Published)> {
        first_free(OsStr::from_bytes(name), |name| {
            let to = At::new(dir, Path::new(name).to_owned());
            match self.link_as(temporary, dir, to.clone()) {
                Err(error) if error.cause.kind() == io::ErrorKind::AlreadyExists => {
                    let file = packets_file(dir, name, packet).ok_or(error)?;
                    Ok((Named::new(to, Before::Same).unsynced(file), Published::Before))
                }
                linked => Ok((linked?, Published::Now)),
            }
        })
    }

    fn link_as(
        &self,
        temporary: &mut Temporary,
        dir: &Arc<OpenDir>,
        to: At<'static>,
    ) -> Result<Named<'static>> {
        match temporary.link(to.clone()) {
            // The directory is another file system's mount point.
            Err(error) if error.cause.kind() == io::ErrorKind::CrossesDevices => {
                let mut there = Temporary::nameless(self.disk, dir, PREFIX)?;
                let copied = temporary
                    .file
                    .rewind()
                    .and_then(|()| io::copy(&mut temporary.file, &mut there.file));
                copied.map_err(|cause| DiskError { cause, ..error })?;
                there.sync()?;
                there.link(to)
            }
            linked => linked,
        }
    }

    /// Removes the directories that this call created, unless another process already uses them.
    fn remove_made(&self, path: &Below, parents: &[Parent]) {
        for (at, _) in parents.iter().enumerate().rev().filter(|(_, parent)| parent.made) {
            let above = at.checked_sub(1).map_or(&self.root, |above| &parents[above].dir);
            let name = Path::new(OsStr::from_bytes(&path.parents[at]));
            let _ = self.disk.remove_dir(At::new(above, name));
        }
    }

    /// Makes the directories that lead to `path`, where they are missing, and opens them.
    fn make_parents(&self, path: &Below, parents: &mut Vec<Parent>) -> Result<()> {
        for component in &path.parents {
            let name = OsStr::from_bytes(component);
            let above = parents.last().map_or(&self.root, |parent| &parent.dir);
            let made = self.disk.make_dir(At::new(above, Path::new(name)))?;
            let dir = above.below(name).map_err(|error| DiskError { op: Op::Mkdir, ..error })?;
            parents.push(Parent { dir: Arc::new(dir), made });
        }
        Ok(())
    }
}

/// How the name of a file in the making begins, where it needs one.
const PREFIX: &str = "nncpfile";

/// A directory on the way to a file.
struct Parent {
    dir: Arc<OpenDir>,
    /// True if this call created it.
    made: bool,
}

/// The file called `name`, if it was delivered by the packet `hash`.
fn packets_file(dir: &OpenDir, name: &OsStr, hash: &str) -> Option<File> {
    let file = dir.read(name).ok()?;
    let mut value = [0; 64];
    let len = rustix::fs::fgetxattr(&file, PACKET_ATTRIBUTE, &mut value[..]).ok()?;
    (value.get(..len) == Some(hash.as_bytes())).then(|| file.into())
}

impl Temporary {
    /// The packet is gone: its delivered file is the receiver's alone.
    pub(crate) fn forget_packet(&self) {
        // An attribute that stays does no harm.
        let _ = rustix::fs::fremovexattr(&self.file, PACKET_ATTRIBUTE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::PathError;
    use crate::disk::fault::{self, Fault};
    use std::io::Write;

    const PACKET: PacketHash = PacketHash([7; 32]);
    const DISK: Disk = Disk { sync: true };

    fn deliver(
        root: &Path,
        path: &str,
        content: &str,
        packet: PacketHash,
    ) -> io::Result<Published> {
        let dir = Confined::create(root, DISK)?;
        let path = Below::new(path.as_bytes()).unwrap();
        let mut temporary = dir.temporary(&path)?;
        temporary.file.write_all(content.as_bytes())?;
        let published = dir.publish(&mut temporary, &path, &packet)?;
        temporary.forget_packet();
        Ok(published)
    }

    /// doc/weaknesses.md W1.
    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for (path, want) in [
            ("/etc/passwd", PathError::Absolute),
            ("..", PathError::Traversal),
            ("../x", PathError::Traversal),
            ("a/../../x", PathError::Traversal),
            ("a/..", PathError::Traversal),
            ("", PathError::Traversal),
            (".", PathError::Traversal),
            ("./", PathError::Traversal),
            ("a\0b", PathError::Nul),
        ] {
            assert_eq!(Below::new(path.as_bytes()), Err(want), "{path:?}");
        }
    }

    /// Only a whole component `..` leaves a directory.
    #[test]
    fn names_with_dots_in_them_are_legitimate() {
        for path in ["..hidden", "a/..b/c", "...", "a..", "./a//b"] {
            assert!(Below::new(path.as_bytes()).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_taken_name_gets_a_number_on_the_original_name() {
        let root = tempfile::tempdir().unwrap();
        for content in ["1", "2", "3"] {
            deliver(root.path(), "d/col", content, PacketHash([content.as_bytes()[0]; 32]))
                .unwrap();
        }
        for (name, content) in [("d/col", "1"), ("d/col.0", "2"), ("d/col.1", "3")] {
            assert_eq!(std::fs::read_to_string(root.path().join(name)).unwrap(), content);
        }
    }

    #[test]
    fn a_file_gets_the_group_that_its_directory_gives() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        if chown(&below, None, Some(12345)).is_err() {
            return println!("skipped: only root may give a directory to a group");
        }
        std::fs::set_permissions(&below, std::fs::Permissions::from_mode(0o2770)).unwrap();
        for path in ["a/b/f", "a/b/new/f"] {
            deliver(root.path(), path, "x", PACKET).unwrap();
            assert_eq!(root.path().join(path).metadata().unwrap().gid(), 12345, "{path}");
        }
    }

    #[test]
    fn stopped_at_any_step_there_is_no_file_or_a_whole_one_and_later_one_only() {
        fault::at_each_step(|fault, at| {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("a/b/f");
            let again = || deliver(root.path(), "a/b/f", "content", PACKET);
            let (delivered, reached) = fault::with(fault, at, again);
            let found = std::fs::read_to_string(&path);
            assert!(found.as_ref().is_ok_and(|found| found == "content") || delivered.is_err());
            if fault != Fault::Kill {
                let is_empty = std::fs::read_dir(root.path()).unwrap().next().is_none();
                assert_eq!(delivered.is_err(), is_empty, "{fault:?} at {at}: {delivered:?}");
            } else if let Ok(found) = found {
                assert_eq!(found, "content", "killed at {at}");
            }
            if delivered.is_err() {
                again().unwrap();
            }
            let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
            assert_eq!(files, 1, "{fault:?} at {at}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "content");
            reached
        });
    }

    /// doc/weaknesses.md W5.
    #[test]
    fn a_packet_that_was_delivered_before_a_crash_is_not_delivered_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = Confined::create(root.path(), DISK).unwrap();
        let path = Below::new(b"f").unwrap();
        let publish = |packet| {
            let mut temporary = dir.temporary(&path).unwrap();
            dir.publish(&mut temporary, &path, packet).unwrap()
        };
        assert_eq!(publish(&PACKET), Published::Now);
        assert_eq!(publish(&PACKET), Published::Before);
        assert_eq!(publish(&PacketHash([8; 32])), Published::Now);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
    }

    /// doc/weaknesses.md W13.
    #[test]
    fn links_are_neither_followed_nor_replaced() {
        let (root, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
        };
        link(victim.path(), "vl");
        link(Path::new("/nonexistent"), "dangling");
        assert!(deliver(root.path(), "vl/pwn", "x", PACKET).is_err());
        assert_eq!(std::fs::read_dir(victim.path()).unwrap().count(), 0);
        deliver(root.path(), "dangling", "x", PACKET).unwrap();
        assert!(root.path().join("dangling.0").is_file());
        assert!(root.path().join("dangling").is_symlink());
        let dir = Confined::open(root.path(), DISK).unwrap();
        std::fs::write(victim.path().join("secret"), "s").unwrap();
        assert!(dir.read(&Below::new(b"vl/secret").unwrap()).is_err());
        link(&victim.path().join("secret"), "direct");
        assert!(dir.read(&Below::new(b"direct").unwrap()).is_err());
    }

    #[test]
    fn a_file_that_is_not_published_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = Confined::create(root.path(), DISK).unwrap();
        drop(dir.temporary(&Below::new(b"d/f").unwrap()).unwrap());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
