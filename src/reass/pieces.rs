//! Finds the content of a chunked file: in chunks and, after an interrupted assembly, in the growing
//! file.

use super::description::Description;
use super::error::ReassError;
use super::worker::Reass;
use crate::blocks;
use crate::disk::{self, DiskError, Op};
use crate::log::event;
use crate::progress::Work;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Maximal number of missing or wrong chunks to log one by one. A small description can name millions.
const LOGGED: u64 = 100;

/// The content, verified.
pub(super) struct Pieces<'a> {
    pub(super) description: &'a Description,
    /// The growing file, if there is one.
    pub(super) growing: Option<File>,
    /// Number of complete chunks in it.
    pub(super) grown: u64,
}

impl Reass<'_> {
    /// Finds all chunks of a file and verifies them. Logs missing and wrong chunks.
    pub(super) fn pieces<'a>(
        &self,
        description: &'a Description,
    ) -> Result<Pieces<'a>, ReassError> {
        let path = description.growing();
        let growing = match self.disk.open_writable(&path) {
            Ok((file, len)) => Some((file, len)),
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => None,
            Err(_) => return Err(ReassError::InTheWay(path)),
        };
        let mut pieces = Pieces { description, growing: None, grown: 0 };
        if let Some((file, len)) = growing {
            // An earlier run wrote the file, and may have failed to sync it.
            self.disk.read_back(&file, &path)?;
            pieces.grown = grown(description, &file, len).map_err(failed(Op::Read, &path))?;
            if pieces.grown == 0 && len > 0 && !is_beginning_of_chunk_0(description, &file, len) {
                return Err(ReassError::InTheWay(path));
            }
            pieces.growing = Some(file);
        }
        self.verify(&pieces)?;
        Ok(pieces)
    }

    fn verify(&self, pieces: &Pieces<'_>) -> Result<(), ReassError> {
        let path = pieces.description.path();
        let mut faults = self.absent(pieces);
        if faults == 0 {
            faults = self.altered(pieces)?;
        }
        if faults > LOGGED {
            let more = format!("{} more chunks are missing or wrong", faults - LOGGED);
            self.log.error(event::reass(event::Reass::Failed, path), &more);
        }
        if faults == 0 { Ok(()) } else { Err(ReassError::Chunks) }
    }

    /// Number of chunks that are missing or have the wrong size.
    fn absent(&self, pieces: &Pieces<'_>) -> u64 {
        let Description { meta, .. } = pieces.description;
        let path = pieces.description.path();
        let mut faults = 0;
        for index in pieces.grown..pieces.description.count() {
            let found = std::fs::symlink_metadata(pieces.description.chunk(index));
            let fault = match &found {
                Ok(file) if file.is_file() && file.len() == meta.chunk_len(index) => continue,
                Ok(_) => Some("invalid size".to_owned()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => Some(crate::display::reason(error)),
            };
            faults += 1;
            match fault {
                _ if faults > LOGGED => {}
                Some(fault) => self.log.error(event::reass_chunk(path, index), &fault),
                None => self.log.info(event::reass_chunk_missing(path, index)),
            }
        }
        faults
    }

    /// Number of chunks whose hash is not the one in the description.
    fn altered(&self, pieces: &Pieces<'_>) -> Result<u64, ReassError> {
        let Description { meta, .. } = pieces.description;
        let mut faults = 0;
        for (index, checksum) in (0..).zip(&meta.checksums).skip(skipped(pieces.grown)) {
            let chunk = pieces.description.chunk(index);
            let shown = chunk.display().to_string();
            let meter = self.progress.start(Work::Check, &shown, Some(meta.chunk_len(index)));
            let hash = blocks::hash(meter.read(pieces.chunk(index)?));
            if hash.map_err(failed(Op::Read, &chunk))? != *checksum {
                faults += 1;
                if faults <= LOGGED {
                    let record = event::reass_chunk(pieces.description.path(), index);
                    self.log.error(record, &"checksum is bad");
                }
            }
        }
        Ok(faults)
    }
}

impl Pieces<'_> {
    /// The bytes of chunk number `index`.
    pub(super) fn chunk(&self, index: u64) -> Result<io::Take<File>, DiskError> {
        let len = self.description.meta.chunk_len(index);
        if let Some(growing) = self.growing.as_ref().filter(|_| index < self.grown) {
            let path = self.description.growing();
            let mut file = growing.try_clone().map_err(failed(Op::Open, &path))?;
            let start = SeekFrom::Start(self.description.offset(index));
            file.seek(start).map_err(failed(Op::Read, &path))?;
            return Ok(file.take(len));
        }
        let path = self.description.chunk(index);
        let (file, metadata) = disk::open_regular_path(&path)?;
        if metadata.len() != len {
            return Err(failed(Op::Read, &path)(io::Error::other(
                "its size changed while it was being read",
            )));
        }
        Ok(file.take(len))
    }
}

/// Number of leading chunks that the growing file holds completely.
fn grown(description: &Description, mut file: &File, len: u64) -> io::Result<u64> {
    file.rewind()?;
    let mut whole = 0;
    for checksum in &description.meta.checksums {
        if description.offset(whole + 1) > len {
            break;
        }
        if blocks::hash(file.take(description.meta.chunk_len(whole)))? != *checksum {
            break;
        }
        whole += 1;
    }
    Ok(whole)
}

/// True if the file may be the growing file. An unrelated file with its name is not overwritten.
fn is_beginning_of_chunk_0(description: &Description, mut file: &File, len: u64) -> bool {
    let Ok((chunk, metadata)) = disk::open_regular_path(&description.chunk(0)) else {
        return false;
    };
    let same = || -> io::Result<bool> {
        file.rewind()?;
        Ok(len <= metadata.len() && blocks::hash(file.take(len))? == blocks::hash(chunk.take(len))?)
    };
    same().unwrap_or(false)
}

fn skipped(grown: u64) -> usize {
    usize::try_from(grown).unwrap_or(usize::MAX)
}

/// Adds operation and path to an error.
pub(super) fn failed(op: Op, path: &std::path::Path) -> impl Fn(io::Error) -> DiskError {
    let path: PathBuf = path.to_owned();
    move |cause| DiskError { op, path: path.clone(), cause }
}
