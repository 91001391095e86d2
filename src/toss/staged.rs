//! Stores an authenticated payload while its packet is being processed.

use crate::blocks::{PacketReader, ReadError};
use crate::spool::Spool;
use std::fs::File;
use std::io::{self, Read, Seek};

/// A small payload is in memory, a large one in a file without a name.
pub(super) enum Staged {
    Memory(Vec<u8>),
    File(File, u64),
}

impl Staged {
    /// Reads the whole payload of `reader`.
    pub(super) fn take<R: Read + Send>(
        reader: PacketReader<'_, R>,
        spool: &Spool,
    ) -> Result<Self, ReadError> {
        if let Some(whole) = reader.whole() {
            return Ok(Self::Memory(whole.to_vec()));
        }
        let mut file = spool.scratch().map_err(|error| ReadError::Sink(error.into()))?;
        let size = reader.copy_to(&mut file)?;
        Ok(Self::File(file, size))
    }

    /// Length of the payload in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }

    /// The payload from byte `offset` on. Only one reader at a time is allowed.
    pub(super) fn from(&self, offset: u64) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Self::Memory(bytes) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Box::new(&bytes[offset..])
            }
            Self::File(file, _) => {
                let mut file = file;
                file.seek(io::SeekFrom::Start(offset))?;
                Box::new(file)
            }
        })
    }
}
