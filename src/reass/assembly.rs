//! Assembles one file from its pieces.
//!
//! # In place
//! The first chunk becomes the growing file, `F.nncp.reass`, and the others are appended to it, so
//! that at most one chunk (or [`SETTLE`] bytes of small ones) is on disk twice. A chunk is removed
//! after its bytes are durable in the growing file. The next run resumes an interrupted one:
//!
//! ```text
//! description   F.nncp.reass    chunks     F      the next step
//! plain         none            all        no     it is made, and chunk 0 renamed to it
//! plain         a beginning     the rest   no     what hashes right is kept, the rest appended
//! plain         whole           none       no     the description is marked
//! marked        whole           none       no     F.nncp.reass is renamed to F (or F.0, F.1, …)
//! marked        none            none       yes    the description is removed
//! ```
//!
//! Without the mark, the last state would look like a description whose chunks have not arrived. The
//! reference ignores the mark, like all bytes after a description.
//!
//! # Beside
//! With `keep`, and to a stream, all bytes are copied, and nothing is removed until the copy is
//! complete and durable.

use super::description::Description;
use super::error::ReassError;
use super::pieces::{Pieces, failed};
use super::worker::Reass;
use crate::disk::{Before, Named, Op, Result as DiskResult, Temporary, first_free};
use crate::progress::Work;
use crate::random;
use crate::spool::SETTLE;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes copied between two updates of the progress. Tests stop after each piece.
const PIECE: u64 = if cfg!(test) { 300 } else { 8 << 20 };

impl Reass<'_> {
    /// Assembles the file in the space of its chunks.
    pub(super) fn in_place(&self, description: &Description) -> Result<(), ReassError> {
        if description.assembled && !self.is_begun(description) {
            // The run that renamed the file may have been interrupted before this sync.
            self.disk.sync_dir(description.dir())?;
            return self.forget(description);
        }
        let pieces = self.pieces(description)?;
        if self.options.dry_run {
            return Ok(());
        }
        let path = description.growing();
        let (file, grown) = match pieces.growing {
            Some(file) => (file, pieces.grown),
            None => self.begin(description)?,
        };
        self.disk.set_len(&file, &path, description.offset(grown))?;
        self.sync(description, &file, grown)?;
        self.remove_chunks(description, 0..grown)?;
        self.append(description, &file, grown)?;
        self.disk.sync_dir(description.dir())?;
        description.mark_assembled(self.disk)?;
        self.publish(description, |target| {
            self.disk.rename_new(&path, target)?;
            Ok(Named::new(target.to_owned(), Before::NameIfFree((&path).into())))
        })?;
        self.forget(description)
    }

    /// True if a chunk or the growing file exists.
    fn is_begun(&self, description: &Description) -> bool {
        let chunks = (0..description.count()).map(|index| description.chunk(index));
        chunks.chain([description.growing()]).any(|path| path.symlink_metadata().is_ok())
    }

    /// Creates the growing file. Returns it with the number of chunks in it: 1 if the first chunk
    /// became the file; 0 if the chunk has another link or owner, or is not writable, so that it
    /// must be copied. The file gets the mode of a new file.
    fn begin(&self, description: &Description) -> Result<(File, u64), ReassError> {
        let (chunk, path) = (description.chunk(0), description.growing());
        let new = self.disk.create_new(&path)?;
        let first = self.disk.open_writable(&chunk).ok().map(|(file, _)| file);
        let begun = match first.filter(|first| takes_the_place(first, &new)) {
            Some(first) => {
                self.disk.rename(&chunk, &path)?;
                (first, 1)
            }
            None => (new, 0),
        };
        self.disk.sync_dir(description.dir()).inspect_err(|_| {
            let _ = match begun.1 {
                0 => self.disk.remove(&path),
                _ => self.disk.rename_new(&path, &chunk),
            };
        })?;
        Ok(begun)
    }

    /// Appends the chunks from number `first` on. Removes each once it is durable in `file`.
    fn append(&self, description: &Description, file: &File, first: u64) -> Result<(), ReassError> {
        let path = description.growing();
        let chunks = Pieces { description, growing: None, grown: 0 };
        let mut settled = first;
        let sizes = (first..description.count()).map(|index| description.meta.chunk_len(index));
        let progress = self.progress.each(Work::Reass, sizes);
        for index in first..description.count() {
            self.copy(&chunks, index, file, &path)?;
            progress.done(description.meta.chunk_len(index));
            let next = index + 1;
            let unsettled = description.offset(next) - description.offset(settled);
            if unsettled >= SETTLE || next == description.count() {
                self.sync(description, file, settled)?;
                self.remove_chunks(description, settled..next)?;
                settled = next;
            }
        }
        Ok(())
    }

    /// Syncs the growing file. If that fails, only the chunks before number `settled` are surely on
    /// disk: truncates the file after them, since the next sync would succeed although bytes are lost.
    fn sync(&self, description: &Description, file: &File, settled: u64) -> DiskResult<()> {
        let path = description.growing();
        self.disk.sync(file, &path).inspect_err(|_| {
            // If this fails too, the next run reads the file back from disk before it relies on it.
            let _ = self.disk.set_len(file, &path, description.offset(settled));
        })
    }

    fn remove_chunks(
        &self,
        description: &Description,
        range: std::ops::Range<u64>,
    ) -> DiskResult<()> {
        for index in range {
            self.disk.remove_if_there(description.chunk(index))?;
        }
        Ok(())
    }

    /// Copies a chunk to its place in the file `out` at `path`.
    fn copy(&self, pieces: &Pieces<'_>, index: u64, mut out: &File, path: &Path) -> DiskResult<()> {
        let description = pieces.description;
        let mut left = description.meta.chunk_len(index);
        let shown = description.chunk(index).display().to_string();
        let meter = self.progress.start(Work::Reass, &shown, Some(left));
        let mut chunk = pieces.chunk(index)?;
        let mut at = description.offset(index);
        out.seek(SeekFrom::Start(at)).map_err(failed(Op::Write, path))?;
        while left > 0 {
            let piece = left.min(PIECE);
            let copied = self.disk.copy(&mut chunk, out, path, piece)?;
            if copied < piece {
                let cut = io::ErrorKind::UnexpectedEof.into();
                return Err(failed(Op::Read, &description.chunk(index))(cut));
            }
            self.disk.write_out(out, at, copied);
            meter.add(copied);
            at += copied;
            left -= copied;
        }
        Ok(())
    }

    /// Gives the file its name, or the next that is free, by `rename`, durably.
    fn publish<'a>(
        &self,
        description: &Description,
        mut rename: impl FnMut(&Path) -> DiskResult<Named<'a>>,
    ) -> DiskResult<()> {
        self.disk.publish(|| {
            let named = first_free(description.name(), |name| {
                rename(&description.path().with_file_name(name))
            })?;
            Ok((named, ()))
        })
    }

    fn forget(&self, description: &Description) -> Result<(), ReassError> {
        if !self.options.dry_run {
            self.disk.remove(description.path()).map_err(ReassError::Removing)?;
        }
        Ok(())
    }

    /// Assembles a copy of the file, and keeps the chunks.
    pub(super) fn beside(&self, description: &Description) -> Result<(), ReassError> {
        let pieces = self.pieces(description)?;
        if self.options.dry_run {
            return Ok(());
        }
        // Without randomness the name may be taken. Then creating the file fails; it overwrites nothing.
        let unique = random::number().unwrap_or_default();
        let path = description.path().with_file_name(format!("nncpreass{unique:x}"));
        let mut copy = Temporary::named(self.disk, path.clone())?;
        for index in 0..description.count() {
            self.copy(&pieces, index, &copy.file, &path)?;
        }
        copy.sync()?;
        Ok(self.publish(description, |target| copy.link(target.to_owned()))?)
    }

    /// Writes the file to a stream. Without `keep`, removes the pieces once all bytes are written and,
    /// if the stream is a file, synced.
    pub(super) fn pour(&self, description: &Description, out: &File) -> Result<(), ReassError> {
        let pieces = self.pieces(description)?;
        if self.options.dry_run {
            return Ok(());
        }
        for index in 0..description.count() {
            self.copy_out(&pieces, index, out)?;
        }
        if self.options.keep {
            return Ok(());
        }
        self.disk.sync_stream(out).map_err(ReassError::Stream)?;
        self.remove_chunks(description, 0..description.count())?;
        self.disk.remove_if_there(description.growing())?;
        self.forget(description)
    }

    fn copy_out(&self, pieces: &Pieces<'_>, index: u64, mut out: &File) -> Result<(), ReassError> {
        let len = pieces.description.meta.chunk_len(index);
        let shown = pieces.description.chunk(index).display().to_string();
        let meter = self.progress.start(Work::Reass, &shown, Some(len));
        let mut chunk = pieces.chunk(index)?;
        let copied = io::copy(&mut meter.read(&mut chunk), &mut out).map_err(ReassError::Stream)?;
        if copied < len {
            return Err(ReassError::Stream(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

/// True if the chunk can become the file: same owner, one link. Gives it the mode of `new`.
fn takes_the_place(chunk: &File, new: &File) -> bool {
    let (Ok(chunk_is), Ok(new_is)) = (chunk.metadata(), new.metadata()) else { return false };
    chunk_is.nlink() == 1
        && (chunk_is.uid(), chunk_is.gid()) == (new_is.uid(), new_is.gid())
        && chunk.set_permissions(new_is.permissions()).is_ok()
}
