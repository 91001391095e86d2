//! Opening the batches of a packet: full blocks, the SIZE block, and what ends the packet.

use super::BATCH;
use super::buffer::{Buffer, Left};
use super::pump::{pump, pump_worked};
use packmule_protocol::mth::BLOCK;
use packmule_protocol::packet::{Ending, OpenError, Opener, PlainError, SEALED_BLOCK};
use rayon::prelude::*;
use std::io::{self, Read, Write};
use std::ops::Range;

/// A packet could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The packet's file could not be read.
    #[error("reading the packet: {0}")]
    Source(#[source] io::Error),
    /// The packet is not as its sender made it.
    #[error(transparent)]
    Packet(#[from] OpenError),
    /// What the sender put in front of the payload is not a plain header.
    #[error(transparent)]
    Plain(#[from] PlainError),
    /// The payload could not be written.
    #[error(transparent)]
    Sink(io::Error),
}

/// How far a packet was opened.
pub(super) enum State<'a> {
    /// Full blocks are expected, or the SIZE block.
    Blocks { opener: &'a Opener, opened: u64 },
    /// The SIZE block was opened; `None` after the end of the packet.
    Ending(Option<Ending<'a>>),
}

impl State<'_> {
    /// Opens all that is left of `source` into `sink`; how much it was.
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

    /// Leaves the content of a batch of the packet in its place. `left`: of the packet.
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

    /// Authenticates all that is left of `source`.
    pub(super) fn verify(mut self, mut source: impl Read + Send) -> Result<(), ReadError> {
        // Little content is found on the way, and nobody asked for it.
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

    /// Opens sealed blocks in place. The content of the tail block goes to `tail`.
    fn open_blocks(&mut self, sealed: &mut Buffer, tail: &mut Vec<u8>) -> Result<(), ReadError> {
        let Self::Blocks { opener, opened } = self else { return Ok(()) };
        let (opener, first) = (*opener, *opened);
        let is_open = open_in_place(opener, first, sealed);
        let full = leading(&is_open);
        // Blocks behind the SIZE block must reach `Ending` as they are in the packet.
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

    /// Opens the SIZE block at the front of what follows the full blocks of a batch, if anything does;
    /// where its content is. What the tail block adds goes to `tail`.
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

    /// The packet's last byte was taken.
    fn finish(&mut self, tail: &mut Vec<u8>) -> Result<(), OpenError> {
        match self {
            Self::Blocks { .. } => Err(OpenError::Truncated),
            Self::Ending(ending) => ending.take().map_or(Ok(()), |ending| ending.finish(tail)),
        }
    }
}

/// Takes what follows the SIZE block.
fn take_ending(
    ending: &mut Option<Ending<'_>>,
    bytes: &[u8],
    tail: &mut Vec<u8>,
) -> Result<(), ReadError> {
    let ending = ending.as_mut().ok_or(OpenError::TrailingBytes)?;
    Ok(ending.update(bytes, tail)?)
}

/// How many full blocks a batch begins with.
fn leading(is_full: &[bool]) -> usize {
    is_full.iter().take_while(|is_full| **is_full).count()
}

/// Reads a batch of sealed blocks.
pub(super) fn read(source: &mut impl Read, batch: &mut Buffer) -> Result<Left, ReadError> {
    batch.fill(source, BATCH * SEALED_BLOCK).map_err(ReadError::Source)
}

/// Tries every full-size block of `sealed` as a full block of the packet.
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
