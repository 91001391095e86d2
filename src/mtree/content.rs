//! Digests of files: at once of those that are in memory; of the others after the kernel was told
//! to fetch them, a few at a time.

use super::digest::{Digests, Hasher};
use super::keyword::Keywords;
use crate::progress::Meter;
use rustix::fs::{Advice, Stat};
use rustix::io::{Errno, ReadWriteFlags, preadv2, read, retry_on_intr};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::os::fd::OwnedFd;

/// Bytes read in one go: what the hash reads is in the processor's cache still.
const BUFFER: usize = 256 * 1024;

/// How many files wait for the kernel to fetch them.
const AHEAD: usize = 8;

thread_local!(static BYTES: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]));

/// A file to be read.
pub(super) struct Content {
    /// The caller's number for it.
    pub(super) nth: usize,
    pub(super) file: OwnedFd,
    /// What it was when it was opened.
    pub(super) stat: Stat,
    /// The digests wanted.
    pub(super) keywords: Keywords,
}

/// The caller's number for a file, and its digests.
pub(super) type Digested = (usize, io::Result<Digests>);

/// Reads files, not always in the order in which they come.
pub(super) struct Contents<'a> {
    meter: &'a Meter,
    hasher: Hasher,
    waiting: VecDeque<Content>,
    memory: Memory,
}

/// What is known of where the files of a directory are.
#[derive(Clone, Copy)]
enum Memory {
    /// The file system tells which are in memory.
    Told,
    /// All are: it has no other place for them.
    All,
    /// It does not tell.
    Unknown,
}

impl<'a> Contents<'a> {
    pub(super) fn new(meter: &'a Meter) -> Self {
        let (hasher, waiting) = (Hasher::new([]), VecDeque::new());
        Self { meter, hasher, waiting, memory: Memory::Told }
    }

    /// Takes a file, and reads it or one taken before, unless there is time.
    pub(super) fn take(&mut self, content: Content) -> Option<Digested> {
        BYTES.with_borrow_mut(|buffer| {
            if let Some(length) = self.read_at_once(&content.file, buffer) {
                return Some(self.digest(&content, buffer, length));
            }
            announce(&content);
            self.waiting.push_back(content);
            if self.waiting.len() > AHEAD { self.read_next(buffer) } else { None }
        })
    }

    /// Reads one of those that are left.
    pub(super) fn next(&mut self) -> Option<Digested> {
        BYTES.with_borrow_mut(|buffer| self.read_next(buffer))
    }

    /// Reads the start of a file if that is in memory.
    fn read_at_once(&mut self, file: &OwnedFd, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        if let Memory::Told = self.memory {
            // This offset stands for the file's own position.
            let mut buffers = [IoSliceMut::new(buffer)];
            match preadv2(file, &mut buffers, u64::MAX, ReadWriteFlags::NOWAIT) {
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    self.memory = if is_memory(file) { Memory::All } else { Memory::Unknown };
                }
                Err(Errno::AGAIN | Errno::INTR) => return None,
                done => return Some(done.map_err(io::Error::from)),
            }
        }
        match self.memory {
            Memory::All => Some(read_some(file, buffer)),
            Memory::Told | Memory::Unknown => None,
        }
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> Option<Digested> {
        let content = self.waiting.pop_front()?;
        let length = read_some(&content.file, buffer);
        Some(self.digest(&content, buffer, length))
    }

    /// All digests of a file from one reading, of which `length` bytes are in the buffer.
    fn digest(
        &mut self,
        content: &Content,
        buffer: &mut [u8],
        length: io::Result<usize>,
    ) -> Digested {
        let digests = length.and_then(|length| self.read_on(content, buffer, length));
        (content.nth, digests)
    }

    fn read_on(
        &mut self,
        content: &Content,
        buffer: &mut [u8],
        mut length: usize,
    ) -> io::Result<Digests> {
        let before = &content.stat;
        let expected = u64::try_from(before.st_size).unwrap_or(0);
        self.hasher.restart(content.keywords.algorithms());
        let mut done = 0;
        while length > 0 {
            self.hasher.update(&buffer[..length]);
            self.meter.add(length as u64);
            done += length as u64;
            // A file that gives as much as it said is not asked once more; whether it grew, its
            // size tells below.
            if done == expected {
                break;
            }
            length = read_some(&content.file, buffer)?;
        }
        let after = rustix::fs::fstat(&content.file)?;
        let moment = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        if moment(&after) != moment(before) {
            return Err(io::Error::other("it changed while it was read"));
        }
        Ok(self.hasher.finish())
    }
}

fn read_some(file: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| read(file, &mut *buffer))?)
}

/// Whether the file system of a file is tmpfs, which cannot answer and need not be asked.
fn is_memory(file: &OwnedFd) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(file).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(TMPFS))
}

/// Has the kernel read ahead.
fn announce(content: &Content) {
    let large = u64::try_from(content.stat.st_size).is_ok_and(|size| size > BUFFER as u64);
    let advice = if large { Advice::Sequential } else { Advice::WillNeed };
    // Advice only: what does not heed it is read all the same.
    let _ = rustix::fs::fadvise(&content.file, 0, None, advice);
}
