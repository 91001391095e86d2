//! A directory as a PAX tar, made while it is being read. NNCP manual, "nncp-file".
//!
//! All directories come first, then all regular files, in lexical order and under the directory's
//! own name. Modes are 0777 and 0666, there are no owners, and times have nanoseconds. Links and
//! special files are omitted. The list of members is made in advance, so the size is known.

use crate::display::reason;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use std::ffi::CString;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const BLOCK: u64 = 512;
/// Limit for the depth of directories, so that hostile trees cannot overflow the stack.
const DEPTH_MAX: usize = 512;

/// The archive's bytes.
pub(super) struct Archive {
    root: OwnedFd,
    len: u64,
    members: std::vec::IntoIter<Member>,
    /// Bytes to return before the next member.
    pending: io::Cursor<Vec<u8>>,
    /// The file whose content is being read, its remaining size, and its name.
    content: Option<(std::fs::File, u64, String)>,
    ended: bool,
}

/// A directory or file to archive.
struct Member {
    /// Path below the root; empty for the root itself.
    path: Vec<u8>,
    /// Name in the archive.
    name: Vec<u8>,
    /// `None` for a directory.
    size: Option<u64>,
    seconds: i64,
    nanoseconds: u64,
}

impl Archive {
    /// The archive of the directory `root`. The names of its members begin with `name`.
    pub(super) fn of(root: OwnedFd, name: &[u8]) -> io::Result<Self> {
        let mut members = Vec::new();
        list(root.as_fd(), &[], name, 0, &mut members)?;
        // A stable sort: directories first, otherwise in the order of listing.
        members.sort_by_key(|member| member.size.is_some());
        let len = members
            .iter()
            .map(|m| m.header().len() as u64 + m.size.unwrap_or(0).next_multiple_of(BLOCK))
            .sum::<u64>()
            + 2 * BLOCK;
        Ok(Self {
            root,
            len,
            members: members.into_iter(),
            pending: io::Cursor::default(),
            content: None,
            ended: false,
        })
    }

    /// Size of the archive in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Prepares the next member's header, or the end of the archive.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(member) = self.members.next() else {
            let ended = std::mem::replace(&mut self.ended, true);
            let end = if ended { 0 } else { 2 * BLOCK as usize };
            self.pending = io::Cursor::new(vec![0; end]);
            return Ok(!ended);
        };
        self.pending = io::Cursor::new(member.header());
        if let Some(size) = member.size {
            let fd = open_below(self.root.as_fd(), &member.path, OFlags::NONBLOCK)
                .map_err(|error| at(&member.name, error))?;
            let name = super::path::shown(&member.name);
            self.content = Some((fd.into(), size, name));
        }
        Ok(true)
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.pending.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match &mut self.content {
                Some((file, left, name)) if *left > 0 => {
                    let limit = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                    let read = file
                        .read(&mut buffer[..limit])
                        .map_err(|error| at(name.as_bytes(), error))?;
                    if read == 0 {
                        return Err(io::Error::other(format!("{name}: shrank while it was read")));
                    }
                    *left -= read as u64;
                    if *left == 0 {
                        let end = rustix::fs::tell(&*file)?;
                        let fill = (end.next_multiple_of(BLOCK) - end) as usize;
                        self.pending = io::Cursor::new(vec![0; fill]);
                        self.content = None;
                    }
                    return Ok(read);
                }
                _ => {
                    self.content = None;
                    if !self.advance()? {
                        return Ok(0);
                    }
                }
            }
        }
    }
}

/// Adds a member's name to an error.
fn at(name: &[u8], error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    let text = format!("{}: {}", super::path::shown(name), reason(&error));
    io::Error::new(error.kind(), text)
}

/// Opens `path` below `root`. Follows no link in any component.
fn open_below(root: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir = rustix::fs::openat(root, ".", OFlags::DIRECTORY | flags, Mode::empty())?;
    let mut components = path.split(|byte| *byte == b'/').filter(|c| !c.is_empty()).peekable();
    while let Some(component) = components.next() {
        let kind = if components.peek().is_some() { OFlags::DIRECTORY } else { OFlags::empty() };
        dir = rustix::fs::openat(&dir, component, kind | flags, Mode::empty())?;
    }
    Ok(dir)
}

/// Appends the directory `path` below `root` and everything in it.
fn list(
    root: BorrowedFd<'_>,
    path: &[u8],
    name: &[u8],
    depth: usize,
    members: &mut Vec<Member>,
) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other(format!(
            "{}: directories nested too deep",
            super::path::shown(name)
        )));
    }
    let dir = open_below(root, path, OFlags::DIRECTORY).map_err(|error| at(name, error))?;
    let stat = rustix::fs::fstat(&dir).map_err(|errno| at(name, errno))?;
    members.push(member(path, name, None, &stat));
    let entries = list_dir(&dir, name)?;
    // Closed before the recursion, so that only one directory is open at any depth.
    drop(dir);
    for (entry, stat) in entries {
        let join = |front: &[u8]| match front {
            [] => entry.as_bytes().to_vec(),
            _ => [front, b"/", entry.as_bytes()].concat(),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => list(root, &join(path), &join(name), depth + 1, members)?,
            FileType::RegularFile => {
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                members.push(member(&join(path), &join(name), Some(size), &stat));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The contents of the directory `dir`, sorted. `name` is its name in the archive, for errors.
fn list_dir(dir: &OwnedFd, name: &[u8]) -> io::Result<Vec<(CString, rustix::fs::Stat)>> {
    let entries = entries(dir).map_err(|errno| at(name, errno))?;
    let look = |entry: CString| {
        let stat = rustix::fs::statat(dir, &entry, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| at(&[name, b"/", entry.as_bytes()].concat(), errno))?;
        Ok((entry, stat))
    };
    entries.into_iter().map(look).collect()
}

/// The names in a directory, sorted.
fn entries(dir: &OwnedFd) -> rustix::io::Result<Vec<CString>> {
    let mut entries: Vec<CString> = Dir::read_from(dir)?
        .map(|entry| entry.map(|entry| entry.file_name().to_owned()))
        .collect::<Result<_, _>>()?;
    entries.retain(|entry| !matches!(entry.as_bytes(), b"." | b".."));
    entries.sort_unstable();
    Ok(entries)
}

fn member(path: &[u8], name: &[u8], size: Option<u64>, stat: &rustix::fs::Stat) -> Member {
    Member {
        path: path.to_vec(),
        name: name.to_vec(),
        size,
        seconds: stat.st_mtime,
        nanoseconds: stat.st_mtime_nsec,
    }
}

impl Member {
    /// The pax header for what ustar cannot express, then the ustar header.
    fn header(&self) -> Vec<u8> {
        let size = self.size.unwrap_or(0);
        let mut records = record("comment", concat!("packmule ", env!("CARGO_PKG_VERSION")));
        records.extend(record("mtime", self.time()));
        let mut plain = ustar(b'x', size);
        if !put_name(&mut plain, &self.name) || !self.name.is_ascii() {
            records.extend(record("path", &self.name));
        }
        if size >= 1 << 33 {
            records.extend(record("size", size.to_string()));
            plain.set_size(0);
        }
        plain.set_entry_type(match self.size {
            None => ::tar::EntryType::Directory,
            Some(_) => ::tar::EntryType::Regular,
        });
        plain.set_mode(if self.size.is_none() { 0o777 } else { 0o666 });
        plain.set_mtime(u64::try_from(self.seconds).unwrap_or(0));
        plain.set_cksum();
        let mut extended = ustar(b'x', records.len() as u64);
        put_name(&mut extended, b"PaxHeaders.0/member");
        extended.set_cksum();
        records.resize(records.len().next_multiple_of(BLOCK as usize), 0);
        [extended.as_bytes(), records.as_slice(), plain.as_bytes()].concat()
    }

    /// Seconds since 1970 with a decimal fraction, as PAX writes times.
    fn time(&self) -> String {
        // Before 1970, the decimal number counts backwards from the next second.
        let (seconds, nanoseconds) = match self.nanoseconds {
            0 => (self.seconds, 0),
            fraction if self.seconds < 0 => (self.seconds + 1, 1_000_000_000 - fraction),
            fraction => (self.seconds, fraction),
        };
        let sign = if self.seconds < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{nanoseconds:09}", seconds.unsigned_abs());
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Writes a member's name into the ustar fields, as `NAME` or `PREFIX/NAME`. Returns false if it
/// does not fit; a reader without pax then sees only its end.
fn put_name(header: &mut ::tar::Header, name: &[u8]) -> bool {
    let fields = header.as_ustar_mut().expect("made as one");
    if name.len() <= fields.name.len() {
        fields.name[..name.len()].copy_from_slice(name);
        return true;
    }
    let cut = (0..name.len())
        .filter(|at| name[*at] == b'/' && *at <= fields.prefix.len() && *at > 0)
        .rfind(|at| name.len() - at - 1 <= fields.name.len());
    if let Some(at) = cut {
        fields.prefix[..at].copy_from_slice(&name[..at]);
        fields.name[..name.len() - at - 1].copy_from_slice(&name[at + 1..]);
        return true;
    }
    let end = &name[name.len() - fields.name.len()..];
    fields.name.copy_from_slice(end);
    false
}

fn ustar(kind: u8, size: u64) -> ::tar::Header {
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// `LEN key=value\n`, where LEN counts itself.
pub(crate) fn record(key: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let rest = key.len() + value.len() + 3;
    let mut len = rest + rest.to_string().len();
    if len.to_string().len() > rest.to_string().len() {
        len = rest + len.to_string().len();
    }
    [format!("{len} {key}=").as_bytes(), value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(dir: &std::path::Path, name: &str) -> Vec<u8> {
        let fd = std::fs::File::open(dir).unwrap().into();
        let mut archive = Archive::of(fd, name.as_bytes()).unwrap();
        let len = archive.len();
        let mut bytes = Vec::new();
        archive.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, len);
        bytes
    }

    #[test]
    fn directories_come_first_and_links_stay_out() {
        let dir = tempfile::tempdir().unwrap();
        let long = "n".repeat(200);
        std::fs::create_dir_all(dir.path().join("b/c")).unwrap();
        std::fs::write(dir.path().join("a"), "aaa").unwrap();
        std::fs::write(dir.path().join("b/c/f"), vec![7; 512]).unwrap();
        std::fs::write(dir.path().join("b").join(&long), "").unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        let bytes = archive(dir.path(), "top");
        let mut reader = ::tar::Archive::new(&bytes[..]);
        let names: Vec<String> = reader
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        let long = format!("top/b/{long}");
        assert_eq!(names, ["top", "top/b", "top/b/c", "top/a", "top/b/c/f", &long]);
    }

    #[test]
    fn a_member_that_can_not_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        let member = dir.path().join("b/secret");
        std::fs::write(&member, "x").unwrap();
        let fd = std::fs::File::open(dir.path()).unwrap().into();
        let mut archive = Archive::of(fd, b"top").unwrap();
        // Removed, since a file mode would not stop root.
        std::fs::remove_file(&member).unwrap();
        let error = archive.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "top/b/secret: no such file or directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(record("a", "b"), b"6 a=b\n");
        assert_eq!(record("abcd", "b"), b"9 abcd=b\n");
        assert_eq!(record("abcde", "b"), b"11 abcde=b\n");
    }

    #[test]
    fn times_before_the_epoch_are_written_right() {
        let check = |seconds, nanoseconds, want: &str| {
            let member = Member { path: vec![], name: vec![], size: None, seconds, nanoseconds };
            assert_eq!(member.time(), want);
        };
        check(5, 0, "5");
        check(5, 500_000_000, "5.5");
        check(-1, 500_000_000, "-0.5");
        check(-2, 0, "-2");
    }

    #[test]
    fn its_end_stays_the_end() {
        let dir = tempfile::tempdir().unwrap();
        for (name, len) in [("a", 0), ("b", 1), ("c", 511), ("d", 512), ("e", 70_000)] {
            let fd = std::fs::File::open(dir.path()).unwrap().into();
            let archive = Archive::of(fd, b"top").unwrap();
            let len_said = archive.len();
            assert_eq!(crate::blocks::ends_for_good(archive).len() as u64, len_said);
            std::fs::write(dir.path().join(name), vec![1; len]).unwrap();
        }
    }
}
