//! A directory that names from others can not leave.
//!
//! A name is split into components and opened one by one below the directory's descriptor, never
//! through a link: what `openat2` does with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, on any kernel.

use super::Below;
use super::ops::{Disk, rename_new};
use crate::display::reason;
use crate::random;
use packmule_protocol::id::PacketHash;
use rustix::fs::{AtFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Tells that a delivered file is a packet's, until the packet is gone: after a crash between the
/// two the packet is known to be done.
const PACKET_ATTRIBUTE: &str = "user.packmule.packet";

/// How a directory of a path is opened.
const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// What publishing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    /// The file has its name now.
    Now,
    /// This packet's file had its name already: a toss was cut short before it removed the packet.
    Before,
}

/// What failed while a file was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Making a directory on the way, or going into it.
    Mkdir,
    /// Writing it out.
    Sync,
    /// Giving it its name.
    Link,
    /// Writing out the directory that it is in, or one above.
    SyncDir,
}

/// A file was not published: it has no name.
#[derive(Debug, thiserror::Error)]
#[error("{}", reason(cause))]
pub(crate) struct PublishError {
    pub(crate) step: Step,
    cause: io::Error,
}

impl Step {
    fn failed(self) -> impl Fn(Errno) -> PublishError {
        move |errno| PublishError { step: self, cause: errno.into() }
    }
}

/// A directory of the configuration.
pub(crate) struct Confined {
    root: OwnedFd,
    sync: bool,
}

impl Confined {
    /// Opens `path`, which is made if it is not there. `sync`: what is published is durable.
    pub(crate) fn create(path: &Path, sync: bool) -> io::Result<Self> {
        Disk { sync }.ensure_dir(path)?;
        Self::open(path, sync)
    }

    /// Opens `path`.
    pub(crate) fn open(path: &Path, sync: bool) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { root, sync })
    }

    /// Opens what is at `path` for reading: not through a link, not waiting for a FIFO.
    pub(crate) fn read(&self, path: &Below) -> io::Result<OwnedFd> {
        let dir = self.parent(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&dir, path.name.as_slice(), flags, Mode::empty())?)
    }

    /// The directory itself.
    pub(crate) fn itself(&self) -> io::Result<OwnedFd> {
        self.root.try_clone()
    }

    /// A file without a name, to be published later as `path`. As far as that directory is there it
    /// is made in it: group and access list come from where a file is made.
    pub(crate) fn temporary(&self, path: &Below) -> io::Result<Temporary> {
        let mut dir = self.root.try_clone()?;
        for component in &path.parents {
            match rustix::fs::openat(&dir, component.as_slice(), DIRECTORY, Mode::empty()) {
                Ok(below) => dir = below,
                Err(_) => break,
            }
        }
        Temporary::new(dir.as_fd())
    }

    /// Gives `temporary` the name `path`, or that name with `.0`, `.1`, … when it is taken. The
    /// file, its name and every directory made for it are durable on return; after an error the
    /// name is gone again, so that the next toss does not rely on what the disk has not.
    pub(crate) fn publish(
        &self,
        temporary: &mut Temporary,
        path: &Below,
        packet: &PacketHash,
    ) -> Result<Published, PublishError> {
        let hash = packet.to_string();
        // Where the file system has no attributes a crash may leave a file twice.
        let _ = rustix::fs::fsetxattr(
            &temporary.file,
            PACKET_ATTRIBUTE,
            hash.as_bytes(),
            XattrFlags::empty(),
        );
        self.fsync(&temporary.file).map_err(Step::Sync.failed())?;
        let parents = self.make_parents(path).map_err(Step::Mkdir.failed())?;
        let dir = parents.last().map_or(&self.root, |parent| &parent.dir);
        let linked = self.link(temporary, dir.as_fd(), &path.name, &hash)?;
        let settled = self.settle(&linked.file, &parents);
        if settled.is_err() && linked.published == Published::Now {
            let _ = rustix::fs::unlinkat(dir, linked.name.as_slice(), AtFlags::empty());
            self.remove_made(path, &parents);
        }
        settled.map(|()| linked.published)
    }

    /// Gives `temporary` the first name that nothing has yet, of `name`, `name.0`, `name.1`, ….
    fn link(
        &self,
        temporary: &mut Temporary,
        dir: BorrowedFd<'_>,
        name: &[u8],
        packet: &str,
    ) -> Result<Linked, PublishError> {
        let mut tried = name.to_vec();
        for number in 0_u64.. {
            match temporary.link(dir, &tried, self.sync) {
                Ok(file) => return Ok(Linked { published: Published::Now, name: tried, file }),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(Step::Link.failed()(errno)),
            }
            if let Some(file) = packets_file(dir, &tried, packet) {
                return Ok(Linked { published: Published::Before, name: tried, file });
            }
            tried = [name, format!(".{number}").as_bytes()].concat();
        }
        Err(Step::Link.failed()(Errno::EXIST))
    }

    /// Makes a file's name durable: the file again, which had no link when it was synced, then its
    /// directory, then those above, each of which may be new. Those that were there may be from a
    /// toss that was cut short before this.
    fn settle(&self, file: &File, parents: &[Parent]) -> Result<(), PublishError> {
        self.fsync(file).map_err(Step::Sync.failed())?;
        for dir in parents.iter().rev().map(|parent| &parent.dir).chain([&self.root]) {
            self.fsync(dir).map_err(Step::SyncDir.failed())?;
        }
        Ok(())
    }

    /// Removes the directories that were made in vain, as far as nobody else uses them yet.
    fn remove_made(&self, path: &Below, parents: &[Parent]) {
        for (at, _) in parents.iter().enumerate().rev().filter(|(_, parent)| parent.made) {
            let above = at.checked_sub(1).map_or(&self.root, |above| &parents[above].dir);
            let _ = rustix::fs::unlinkat(above, path.parents[at].as_slice(), AtFlags::REMOVEDIR);
        }
    }

    fn fsync(&self, fd: impl AsFd) -> Result<(), Errno> {
        if self.sync { rustix::fs::fsync(fd) } else { Ok(()) }
    }

    /// The directories that lead to `path`, made where they are missing.
    fn make_parents(&self, path: &Below) -> Result<Vec<Parent>, Errno> {
        let mut parents: Vec<Parent> = Vec::with_capacity(path.parents.len());
        for component in &path.parents {
            let above = parents.last().map_or(&self.root, |parent| &parent.dir);
            let made = match rustix::fs::mkdirat(above, component.as_slice(), NEW_DIRECTORY) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(errno) => return Err(errno),
            };
            let dir = rustix::fs::openat(above, component.as_slice(), DIRECTORY, Mode::empty())?;
            parents.push(Parent { dir, made });
        }
        Ok(parents)
    }

    /// The directory that `path` is in.
    fn parent(&self, path: &Below) -> io::Result<OwnedFd> {
        let mut dir = self.root.try_clone()?;
        for component in &path.parents {
            dir = rustix::fs::openat(&dir, component.as_slice(), DIRECTORY, Mode::empty())?;
        }
        Ok(dir)
    }
}

/// A directory on the way to a file.
struct Parent {
    dir: OwnedFd,
    /// By this very call.
    made: bool,
}

/// A packet's file and the name it has.
struct Linked {
    published: Published,
    name: Vec<u8>,
    file: File,
}

/// The file called `name`, if it was delivered by the packet `hash`.
fn packets_file(dir: BorrowedFd<'_>, name: &[u8], hash: &str) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, name, flags, Mode::empty()).ok()?;
    let mut value = [0; 64];
    let len = rustix::fs::fgetxattr(&file, PACKET_ATTRIBUTE, &mut value[..]).ok()?;
    (value.get(..len) == Some(hash.as_bytes())).then(|| file.into())
}

/// A file in the making. Where the file system can, it has no name, so that nothing is left of it
/// after a crash.
pub(crate) struct Temporary {
    /// The content.
    pub(crate) file: File,
    named: Option<(OwnedFd, String)>,
}

impl Temporary {
    fn new(dir: BorrowedFd<'_>) -> io::Result<Self> {
        let mode = Mode::from_raw_mode(0o666);
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        // Without /proc there is no way to name it later.
        if Path::new("/proc/self/fd").exists()
            && let Ok(fd) = rustix::fs::openat(dir, ".", flags | OFlags::TMPFILE, mode)
        {
            return Ok(Self { file: fd.into(), named: None });
        }
        let name = format!("nncpfile{:x}", random::number()?);
        let fd = rustix::fs::openat(dir, &name, flags | OFlags::CREATE | OFlags::EXCL, mode)?;
        Ok(Self { file: fd.into(), named: Some((dir.try_clone_to_owned()?, name)) })
    }

    /// Names the file, which it returns; an existing one is never replaced.
    fn link(&mut self, dir: BorrowedFd<'_>, name: &[u8], sync: bool) -> Result<File, Errno> {
        let linked = match &self.named {
            None => {
                let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(rustix::fs::CWD, path, dir, name, AtFlags::SYMLINK_FOLLOW)
            }
            Some((from, temporary)) => rename_new((from, temporary.as_str()), (dir, name)),
        };
        match linked {
            Err(Errno::XDEV) => self.copy_into(dir, name, sync),
            Ok(()) => {
                self.named = None;
                self.file.try_clone().map_err(|error| errno(&error))
            }
            Err(errno) => Err(errno),
        }
    }

    /// For a directory that is another file system's mount point.
    fn copy_into(&mut self, dir: BorrowedFd<'_>, name: &[u8], sync: bool) -> Result<File, Errno> {
        let failed = |error| errno(&error);
        let mut there = Self::new(dir).map_err(failed)?;
        self.file.rewind().map_err(failed)?;
        io::copy(&mut self.file, &mut there.file).map_err(failed)?;
        if sync {
            rustix::fs::fsync(&there.file)?;
        }
        there.link(dir, name, sync)
    }

    /// The packet is gone: the file is the receiver's alone.
    pub(crate) fn forget_packet(&self) {
        // Left behind it does no harm.
        let _ = rustix::fs::fremovexattr(&self.file, PACKET_ATTRIBUTE);
    }
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some((dir, name)) = &self.named {
            let _ = rustix::fs::unlinkat(dir, name.as_str(), AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::PathError;
    use std::io::Write;

    const PACKET: PacketHash = PacketHash([7; 32]);

    fn deliver(
        root: &Path,
        path: &str,
        content: &str,
        packet: PacketHash,
    ) -> io::Result<Published> {
        let dir = Confined::create(root, true)?;
        let path = Below::new(path.as_bytes()).unwrap();
        let mut temporary = dir.temporary(&path)?;
        temporary.file.write_all(content.as_bytes())?;
        let published = dir.publish(&mut temporary, &path, &packet).map_err(|e| e.cause)?;
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

    /// doc/weaknesses.md W5.
    #[test]
    fn a_packet_that_was_delivered_before_a_crash_is_not_delivered_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = Confined::create(root.path(), true).unwrap();
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
        let dir = Confined::open(root.path(), true).unwrap();
        std::fs::write(victim.path().join("secret"), "s").unwrap();
        assert!(dir.read(&Below::new(b"vl/secret").unwrap()).is_err());
        link(&victim.path().join("secret"), "direct");
        assert!(dir.read(&Below::new(b"direct").unwrap()).is_err());
    }

    #[test]
    fn a_file_that_is_not_published_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = Confined::create(root.path(), true).unwrap();
        drop(dir.temporary(&Below::new(b"d/f").unwrap()).unwrap());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
