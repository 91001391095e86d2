//! Digests the content of files: files in the page cache at once; for the others, it first tells
//! the kernel to read ahead, a few files at a time.

use super::digest::{Digests, Hasher};
use super::keyword::Keywords;
use crate::progress::Meter;
use rustix::fs::{Advice, Stat};
use rustix::io::{Errno, ReadWriteFlags, preadv2, read, retry_on_intr};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::os::fd::OwnedFd;

/// Bytes per read. Small enough that the data is still in the processor's cache when it is hashed.
const BUFFER: usize = 256 * 1024;

/// Number of files that the kernel reads ahead.
const AHEAD: usize = 8;

thread_local!(static BYTES: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]));

/// A file to digest.
pub(super) struct Content {
    /// The caller's index of the file.
    pub(super) nth: usize,
    pub(super) file: OwnedFd,
    /// Its metadata when it was opened.
    pub(super) stat: Stat,
    /// The requested digests.
    pub(super) keywords: Keywords,
}

/// The caller's index of a file, and its digests.
pub(super) type Digested = (usize, io::Result<Digests>);

/// Digests files, not always in the order in which they arrive.
pub(super) struct Contents<'a> {
    meter: &'a Meter,
    hasher: Hasher,
    waiting: VecDeque<Content>,
    memory: Memory,
}

/// Whether the files of a directory are in the page cache.
#[derive(Clone, Copy)]
enum Memory {
    /// The file system says which files are.
    Reported,
    /// All are: this file system (tmpfs) is in memory.
    All,
    /// The file system does not say.
    Unknown,
}

impl<'a> Contents<'a> {
    pub(super) fn new(meter: &'a Meter) -> Self {
        let (hasher, waiting) = (Hasher::new([]), VecDeque::new());
        Self { meter, hasher, waiting, memory: Memory::Reported }
    }

    /// Adds a file. Digests it or an earlier one, unless all of them are still being read ahead.
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

    /// Digests one of the remaining files.
    pub(super) fn next(&mut self) -> Option<Digested> {
        BYTES.with_borrow_mut(|buffer| self.read_next(buffer))
    }

    /// Reads the start of a file if it is in the page cache.
    fn read_at_once(&mut self, file: &OwnedFd, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        if let Memory::Reported = self.memory {
            // The offset -1 means the file's current position.
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
            Memory::Reported | Memory::Unknown => None,
        }
    }

    fn read_next(&mut self, buffer: &mut [u8]) -> Option<Digested> {
        let content = self.waiting.pop_front()?;
        let length = read_some(&content.file, buffer);
        Some(self.digest(&content, buffer, length))
    }

    /// All digests of a file in one pass. The first `length` bytes are already in the buffer.
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
            // Skips the read that would return 0; the size below shows whether the file grew.
            if done == expected {
                break;
            }
            length = read_some(&content.file, buffer)?;
        }
        let after = rustix::fs::fstat(&content.file)?;
        let moment = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        if moment(&after) != moment(before) {
            return Err(io::Error::other("the file changed while it was being read"));
        }
        Ok(self.hasher.finish())
    }
}

fn read_some(file: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| read(file, &mut *buffer))?)
}

/// True if the file is on tmpfs, which does not support the question and has all files in memory.
fn is_memory(file: &OwnedFd) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(file).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(TMPFS))
}

/// Makes the kernel read ahead.
fn announce(content: &Content) {
    let large = u64::try_from(content.stat.st_size).is_ok_and(|size| size > BUFFER as u64);
    let advice = if large { Advice::Sequential } else { Advice::WillNeed };
    // Errors are ignored: this is only advice.
    let _ = rustix::fs::fadvise(&content.file, 0, None, advice);
}
