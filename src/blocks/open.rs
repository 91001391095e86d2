//! Decrypts the batches of a packet: full blocks, the SIZE block, and the padding at the end.

use super::BATCH;
use super::buffer::{Buffer, Left};
use super::pump::{pump, pump_worked};
use packmule_protocol::mth::BLOCK;
use packmule_protocol::packet::{Ending, OpenError, Opener, PlainError, SEALED_BLOCK};
use rayon::prelude::*;
use std::io::{self, Read, Write};
use std::ops::Range;

/// Why a packet could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The packet's file could not be read.
    #[error("reading the packet: {0}")]
    Source(#[source] io::Error),
    /// The packet was altered or is not its sender's.
    #[error(transparent)]
    Packet(#[from] OpenError),
    /// The packet has no valid plain header.
    #[error(transparent)]
    Plain(#[from] PlainError),
    /// The payload could not be written.
    #[error(transparent)]
    Sink(io::Error),
}

/// The part of the packet that comes next.
pub(super) enum State<'a> {
    /// Full blocks or the SIZE block.
    Blocks { opener: &'a Opener, opened: u64 },
    /// What follows the SIZE block; `None` after the end of the packet.
    Ending(Option<Ending<'a>>),
}

impl State<'_> {
    /// Decrypts the rest of `source` into `sink`. Returns the number of bytes.
    pub(super) fn copy(
        mut self,
        mut source: impl Read + Send,
        sink: &mut (impl Write + Send),
    ) -> Result<u64, ReadError> {
        let mut size = 0;
        pump_worked(
            |batch| read(&mut source, batch),
            |batch, left| self.open(batch, left),
            |batch| {
                size += batch.len() as u64;
                sink.write_all(batch).map_err(ReadError::Sink)
            },
        )?;
        Ok(size)
    }

    /// Replaces a batch of the packet by its content. `left` says whether the packet has more.
    pub(super) fn open(&mut self, batch: &mut Buffer, left: Left) -> Result<(), ReadError> {
        let mut tail = Vec::new();
        match self {
            Self::Blocks { .. } => self.open_blocks(batch, &mut tail)?,
            Self::Ending(ending) => {
                take_ending(ending, batch, &mut tail)?;
                batch.clear();
            }
        }
        if left == Left::Nothing {
            self.finish(&mut tail)?;
        }
        batch.extend(&tail);
        Ok(())
    }

    /// Authenticates the rest of `source` without decrypting the full blocks.
    pub(super) fn verify(mut self, mut source: impl Read + Send) -> Result<(), ReadError> {
        // Only the tail block is decrypted on the way; its content is not needed.
        let mut content = Vec::new();
        pump(|batch| read(&mut source, batch), |batch| self.verify_batch(batch, &mut content))?;
        Ok(self.finish(&mut content)?)
    }

    fn verify_batch(&mut self, batch: &[u8], tail: &mut Vec<u8>) -> Result<(), ReadError> {
        match self {
            Self::Blocks { opener, opened } => {
                let is_block: Vec<_> = batch
                    .par_chunks_exact(SEALED_BLOCK)
                    .enumerate()
                    .map(|(i, block)| opener.is_block(*opened + i as u64, block))
                    .collect();
                let full = leading(&is_block);
                *opened += full as u64;
                let mut rest = batch[full * SEALED_BLOCK..].to_vec();
                self.open_size(&mut rest, tail)?;
                Ok(())
            }
            Self::Ending(ending) => take_ending(ending, batch, tail),
        }
    }

    /// Decrypts sealed blocks in place. Appends the content of the tail block to `tail`.
    fn open_blocks(&mut self, sealed: &mut Buffer, tail: &mut Vec<u8>) -> Result<(), ReadError> {
        let Self::Blocks { opener, opened } = self else { return Ok(()) };
        let (opener, first) = (*opener, *opened);
        let is_open = open_in_place(opener, first, sealed);
        let full = leading(&is_open);
        // These blocks follow the SIZE block, and `Ending` needs them encrypted, as in the packet.
        for (i, block) in sealed.chunks_exact_mut(SEALED_BLOCK).enumerate().skip(full) {
            if is_open[i] {
                opener.close_block(first + i as u64, block);
            }
        }
        for i in 0..full {
            sealed.copy_within(i * SEALED_BLOCK..i * SEALED_BLOCK + BLOCK, i * BLOCK);
        }
        *opened += full as u64;
        let (len, size_block) = (full * BLOCK, full * SEALED_BLOCK);
        let content = self.open_size(&mut sealed[size_block..], tail)?;
        sealed.copy_within(size_block + content.start..size_block + content.end, len);
        sealed.truncate(len + content.len());
        Ok(())
    }

    /// Decrypts the SIZE block after the full blocks of a batch, if there is one. Returns the range
    /// of its content. Appends the content of the tail block to `tail`.
    fn open_size(
        &mut self,
        rest: &mut [u8],
        tail: &mut Vec<u8>,
    ) -> Result<Range<usize>, OpenError> {
        let Self::Blocks { opener, opened } = self else { return Ok(0..0) };
        if rest.is_empty() {
            return Ok(0..0);
        }
        let (block, after) = rest.split_at_mut(rest.len().min(SEALED_BLOCK));
        let (mut ending, content) = opener.open_size(*opened, block)?;
        ending.update(after, tail)?;
        *self = Self::Ending(Some(ending));
        Ok(content)
    }

    /// Checks that the packet may end here.
    fn finish(&mut self, tail: &mut Vec<u8>) -> Result<(), OpenError> {
        match self {
            Self::Blocks { .. } => Err(OpenError::Truncated),
            Self::Ending(ending) => ending.take().map_or(Ok(()), |ending| ending.finish(tail)),
        }
    }
}

/// Processes what follows the SIZE block.
fn take_ending(
    ending: &mut Option<Ending<'_>>,
    bytes: &[u8],
    tail: &mut Vec<u8>,
) -> Result<(), ReadError> {
    let ending = ending.as_mut().ok_or(OpenError::TrailingBytes)?;
    Ok(ending.update(bytes, tail)?)
}

/// The number of full blocks at the start of a batch.
fn leading(is_full: &[bool]) -> usize {
    is_full.iter().take_while(|is_full| **is_full).count()
}

/// Reads a batch of sealed blocks.
pub(super) fn read(source: &mut impl Read, batch: &mut Buffer) -> Result<Left, ReadError> {
    batch.fill(source, BATCH * SEALED_BLOCK).map_err(ReadError::Source)
}

/// Tries to decrypt each block of `sealed` as a full block of the packet.
fn open_in_place(opener: &Opener, first: u64, sealed: &mut [u8]) -> Vec<bool> {
    if sealed.len() < 2 * SEALED_BLOCK {
        let blocks = sealed.chunks_exact_mut(SEALED_BLOCK);
        return blocks.map(|block| opener.open_block(first, block)).collect();
    }
    sealed
        .par_chunks_exact_mut(SEALED_BLOCK)
        .enumerate()
        .map(|(i, block)| opener.open_block(first + i as u64, block))
        .collect()
}
