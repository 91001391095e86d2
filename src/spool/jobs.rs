//! Lists the packets of a neighbour.

use super::{Spool, Suffix, Xx, hdr};
use crate::blocks;
use crate::disk::{self, DiskError, Op, Result};
use crate::log::event;
use packmule_protocol::id::{NodeId, PacketHash, TEXT_LEN};
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::Header;
use rayon::prelude::*;
use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A packet in the spool. Another process may remove it before it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The neighbour whose directory holds it; not necessarily its sender or recipient.
    pub node: NodeId,
    /// Its direction.
    pub xx: Xx,
    /// Its name.
    pub hash: PacketHash,
    /// Bytes of the whole packet.
    pub size: u64,
    /// Its own header, unverified.
    pub header: Header,
    /// Modification time: seconds and nanoseconds.
    pub modified: (i64, i64),
    path: PathBuf,
}

/// A file with the name of a packet that is not one: truncated, of another format, or unreadable.
#[derive(Debug, Clone)]
pub(crate) struct NoPacket {
    /// The hash in its name.
    pub hash: PacketHash,
    /// Its path.
    pub path: PathBuf,
    /// Its length in bytes, if known.
    pub size: u64,
    /// Why it is not a packet.
    pub why: String,
    /// True if it could not be read, so that it may be a good packet.
    pub unread: bool,
}

/// The contents of one direction of a neighbour.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Its packets.
    pub jobs: Vec<Job>,
    /// Files that are not packets. They have been logged.
    pub bad: Vec<NoPacket>,
}

impl Listing {
    /// Sorts packets: the most urgent first, of one niceness the oldest first.
    #[must_use]
    pub(crate) fn by_urgency(mut self) -> Self {
        self.jobs.sort_by_key(|job| (job.nice(), job.modified, job.hash));
        self
    }
}

impl Job {
    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its name in the directory. It may be another spelling of [`Job::hash`].
    pub(crate) fn file_name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Its priority.
    pub(crate) fn nice(&self) -> Niceness {
        self.header.nice
    }

    /// Opens it for reading, from its first byte.
    ///
    /// # Errors
    /// Those of the disk; the path no longer names a regular file.
    pub(crate) fn open(&self) -> Result<File> {
        disk::open_regular_path(&self.path).map(|(file, _)| file)
    }
}

impl Spool {
    /// The packets of a neighbour, most urgent first and within a niceness the oldest first.
    ///
    /// Logs and skips files with a packet's name that are not packets. Corrects copies of headers.
    ///
    /// # Errors
    /// The directory cannot be read. A missing directory is no error.
    pub(crate) fn jobs(&self, node: &NodeId, xx: Xx) -> Result<Vec<Job>> {
        Ok(self.listing(node, xx)?.by_urgency().jobs)
    }

    /// The packets of a neighbour in directory order, and files that are not packets. See
    /// [`Spool::jobs`].
    ///
    /// # Errors
    /// The same.
    pub(crate) fn listing(&self, node: &NodeId, xx: Xx) -> Result<Listing> {
        self.list_named(node, xx, None)
    }

    /// The hashes in all names of packets of a neighbour. Does not open the files.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn hashes(&self, node: &NodeId, xx: Xx) -> Result<Vec<PacketHash>> {
        let found = self.names(node, xx, None)?;
        Ok(found.into_iter().flat_map(|found| found.names).map(|(hash, _)| hash).collect())
    }

    /// The unverified packets of a neighbour, in directory order.
    ///
    /// # Errors
    /// The same as [`Spool::jobs`].
    pub(crate) fn nocks(&self, node: &NodeId) -> Result<Listing> {
        self.list_named(node, Xx::Rx, Some(Suffix::Nock))
    }

    /// One packet of a neighbour; `None` if the spool does not hold it.
    ///
    /// # Errors
    /// It cannot be read, or is not a packet.
    pub(crate) fn job(&self, node: &NodeId, xx: Xx, hash: &PacketHash) -> Result<Option<Job>> {
        self.job_at(self.packet(node, xx, hash), node, xx, hash)
    }

    /// One unverified packet of a neighbour; `None` if the spool does not hold it.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn nock(&self, node: &NodeId, hash: &PacketHash) -> Result<Option<Job>> {
        self.job_at(self.unfinished(node, hash, Suffix::Nock), node, Xx::Rx, hash)
    }

    fn job_at(
        &self,
        path: PathBuf,
        node: &NodeId,
        xx: Xx,
        hash: &PacketHash,
    ) -> Result<Option<Job>> {
        match look(CWD, path.clone(), &path) {
            Ok(look) => Ok(Some(look.job(node, xx, *hash))),
            Err(Bad { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(Bad { error, .. }) => Err(DiskError { op: Op::Read, path, cause: error }),
        }
    }

    /// The partly received packets with their sizes, in directory order.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn parts(&self, node: &NodeId) -> Result<Vec<(PacketHash, u64)>> {
        let found = self.names(node, Xx::Rx, Some(Suffix::Part))?;
        let size = |name: &String| {
            let metadata = std::fs::symlink_metadata(self.dir(node, Xx::Rx).join(name)).ok()?;
            metadata.is_file().then_some(metadata.len())
        };
        let part = |(hash, name)| size(&name).map(|size| (hash, size));
        Ok(found.into_iter().flat_map(|found| found.names).filter_map(part).collect())
    }

    fn list_named(&self, node: &NodeId, xx: Xx, suffix: Option<Suffix>) -> Result<Listing> {
        let Some(found) = self.names(node, xx, suffix)? else {
            return Ok(Listing::default());
        };
        let keeps_hdr = self.0.hdr && suffix.is_none();
        let looks = self.look_at_all(&found, node, xx, keeps_hdr);
        let mut listing = Listing::default();
        let mut hdr_works = true;
        for ((hash, name), look) in found.names.into_iter().zip(looks) {
            match look {
                Err(Bad { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
                Err(Bad { size, error }) => {
                    let why = crate::display::reason(&error);
                    self.log().error(event::job_bad(xx, &name, size), &why);
                    let path = self.dir(node, xx).join(&name);
                    let unread = error.raw_os_error().is_some();
                    listing.bad.push(NoPacket { hash, path, size, why, unread });
                }
                Ok((look, right)) => {
                    let job = look.job(node, xx, hash);
                    if !right && hdr_works {
                        hdr_works = self.write_hdr(node, xx, &name, &job.header);
                    }
                    self.log()
                        .debug(|| event::job(xx, &name, job.header.sender, job.nice(), job.size));
                    listing.jobs.push(job);
                }
            }
        }
        Ok(listing)
    }

    /// Reads the header of each file, and compares it with its copy. Reads many files in parallel.
    fn look_at_all(
        &self,
        found: &Found,
        node: &NodeId,
        xx: Xx,
        keeps_hdr: bool,
    ) -> Vec<std::result::Result<(Look, bool), Bad>> {
        let path = self.dir(node, xx);
        let hdr_dir = keeps_hdr.then(|| open_dir(&self.hdr_dir(node, xx)).ok()).flatten();
        let is_right = |name: &str, look: &Look| {
            hdr_dir.as_ref().is_some_and(|dir| hdr::is_right(dir.as_fd(), name, &look.header))
        };
        let names = found.names.par_iter().with_min_len(64);
        names
            .map(|(_, name)| {
                let look = look(&found.dir, path.join(name), Path::new(name))?;
                let right = !keeps_hdr || is_right(name, &look);
                Ok((look, right))
            })
            .collect()
    }

    /// The names of packets in a directory; `None` if the directory does not exist.
    fn names(&self, node: &NodeId, xx: Xx, suffix: Option<Suffix>) -> Result<Option<Found>> {
        let path = self.dir(node, xx);
        let fail =
            |source: io::Error| DiskError { op: Op::Read, path: path.clone(), cause: source };
        let fd = match open_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(fail).inspect_err(|error| {
                self.log().error(event::jobs_unread(&path), &crate::display::reason(&error.cause));
            })?,
        };
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd).map_err(|error| fail(error.into()))? {
            let entry = entry.map_err(|error| fail(error.into()))?;
            if let Ok(name) = entry.file_name().to_str()
                && let Some(hash) = packet_name(name, suffix)
            {
                names.push((hash, name.to_owned()));
            }
        }
        Ok(Some(Found { dir: fd, names }))
    }
}

/// An open directory, and its names of packets with their hashes.
struct Found {
    dir: OwnedFd,
    names: Vec<(PacketHash, String)>,
}

/// The hash in a file's name. Tolerates stray bits in its last letter, like the reference.
fn packet_name(name: &str, suffix: Option<Suffix>) -> Option<PacketHash> {
    let stem = name.strip_suffix(suffix.map_or("", Suffix::text))?;
    (stem.len() == TEXT_LEN).then(|| stem.parse().ok()).flatten()
}

fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

/// The status and header of a packet.
struct Look {
    header: Header,
    size: u64,
    modified: (i64, i64),
    path: PathBuf,
}

/// A file that is not a packet, and why.
struct Bad {
    size: u64,
    error: io::Error,
}

impl Look {
    fn job(self, node: &NodeId, xx: Xx, hash: PacketHash) -> Job {
        let Self { header, size, modified, path } = self;
        Job { node: *node, xx, hash, size, header, modified, path }
    }
}

fn look(dir: impl AsFd, path: PathBuf, name: &Path) -> std::result::Result<Look, Bad> {
    let mut size = 0;
    let read = || {
        let (file, metadata) = disk::open_regular(dir, name)?;
        size = metadata.len();
        let header = Header::parse(&blocks::head(file)?).map_err(io::Error::other)?;
        Ok((header, (metadata.mtime(), metadata.mtime_nsec())))
    };
    match read() {
        Ok((header, modified)) => Ok(Look { header, size, modified, path }),
        Err(error) => Err(Bad { size, error }),
    }
}

#[cfg(test)]
mod tests;
