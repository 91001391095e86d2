//! Encrypts a stream in one or more layers, innermost first.
//!
//! Each layer turns content into the bytes of a packet, which are the content of the next layer.
//! The bytes of the outermost layer are the packet file.

use super::BATCH;
use super::buffer::{Buffer, Left};
use super::hash::Hasher;
use super::pump::pump;
use packmule_protocol::id::PacketHash;
use packmule_protocol::mth::BLOCK;
use packmule_protocol::packet::{OuterPadding, PlainHeader, SEALED_BLOCK, Sealer, TAG, size};
use rayon::prelude::*;
use std::io::{self, Read, Write};

/// One layer of encryption.
pub(crate) struct Layer {
    /// Encrypts this layer's blocks.
    pub sealer: Sealer,
    /// The plain header before this layer's payload.
    pub plain: PlainHeader,
    /// The length that padding brings the packet to.
    pub padding: Padding,
    /// Whether the name of its packet is wanted. Never set for the outermost layer: its packet is hashed
    /// where it is written.
    pub named: bool,
}

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Bytes of content, the innermost plain header included.
    pub content: u64,
    /// The names that were wanted, innermost first.
    pub names: Vec<PacketHash>,
}

/// The minimum length of a layer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Padding {
    /// Minimum length of the outermost packet, in bytes.
    pub minimum: u64,
    /// Number of layers from this one to the outermost, including both.
    pub layers: u32,
}

/// Why a packet could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The content could not be read.
    #[error("reading the source: {0}")]
    Source(#[source] io::Error),
    /// The content is longer than allowed.
    #[error("Too big than allowed: more than {0} bytes")]
    TooBig(u64),
    /// The packet could not be written.
    #[error("writing the packet: {0}")]
    Sink(#[source] io::Error),
}

/// Encrypts `source` in `layers`, innermost first, and writes the packet to `sink`.
///
/// `limit` is the maximum number of bytes of content, including the innermost plain header.
///
/// # Errors
/// The caller must then discard what `sink` got.
pub(crate) fn seal(
    mut source: impl Read + Send,
    layers: Vec<Layer>,
    limit: u64,
    sink: &mut (impl Write + Send),
) -> Result<Sealed, SealError> {
    let mut stack: Vec<Open> = layers.into_iter().map(Open::new).collect();
    let mut stage = Stage::Content;
    let mut buffer = Vec::new();
    pump(
        |out| {
            if let Stage::Content = stage {
                let left = read(&mut stack, &mut source, out).map_err(SealError::Source)?;
                if stack[0].content() > limit {
                    return Err(SealError::TooBig(limit));
                }
                if left == Left::Nothing {
                    stage = Stage::Ending { layer: 0, outer: None };
                }
            }
            stage.advance(&mut stack, &mut buffer, out);
            Ok(if stage.is_over(&stack) { Left::Nothing } else { Left::More })
        },
        |batch| sink.write_all(batch).map_err(SealError::Sink),
    )?;
    let content = stack[0].content();
    let names = stack.into_iter().filter_map(|layer| layer.name);
    Ok(Sealed { content, names: names.map(|name| PacketHash(name.finish())).collect() })
}

/// The part of the packet that is written next.
enum Stage {
    /// The content of the source.
    Content,
    /// The end of a layer and its outer padding; then those of the next layer.
    Ending { layer: usize, outer: Option<OuterPadding> },
}

impl Stage {
    /// Completes layer after layer, but returns after each batch of outer padding.
    fn advance(&mut self, stack: &mut [Open], buffer: &mut Vec<u8>, out: &mut Buffer) {
        let Self::Ending { layer, outer } = self else { return };
        while let Some((ending, above)) = stack[*layer..].split_first_mut() {
            buffer.clear();
            let padding = outer.get_or_insert_with(|| ending.finish(buffer));
            padding.take(BATCH * BLOCK, buffer);
            ending.name(buffer);
            feed(above, buffer, out);
            if padding.left() > 0 {
                return;
            }
            (*layer, *outer) = (*layer + 1, None);
        }
    }

    fn is_over(&self, stack: &[Open]) -> bool {
        matches!(self, Self::Ending { layer, .. } if *layer == stack.len())
    }
}

/// Reads a batch into the first layer of `stack` and passes it on. `out` gets the last layer's
/// bytes.
fn read(stack: &mut [Open], source: &mut impl Read, out: &mut Buffer) -> io::Result<Left> {
    match stack {
        [] => Ok(Left::Nothing),
        [outermost] => outermost.fill(source, out),
        [layer, above @ ..] => {
            let mut buffer = std::mem::take(&mut layer.buffer);
            buffer.clear();
            let left = layer.fill(source, &mut buffer)?;
            layer.name(&buffer);
            feed(above, &buffer, out);
            layer.buffer = buffer;
            Ok(left)
        }
    }
}

/// Passes content through the layers of `stack`, first to last. `out` gets the last layer's bytes.
fn feed(stack: &mut [Open], bytes: &[u8], out: &mut Buffer) {
    match stack {
        [] => out.extend(bytes),
        [outermost] => outermost.push(bytes, out),
        [layer, above @ ..] => {
            let mut buffer = std::mem::take(&mut layer.buffer);
            buffer.clear();
            layer.push(bytes, &mut buffer);
            layer.name(&buffer);
            feed(above, &buffer, out);
            layer.buffer = buffer;
        }
    }
}

/// A layer that is being written.
struct Open {
    layer: Layer,
    started: bool,
    /// Content that does not fill a block yet.
    rest: Vec<u8>,
    /// Number of full blocks written.
    blocks: u64,
    /// Bytes for the next layer.
    buffer: Buffer,
    /// Hashes them, if its name is wanted.
    name: Option<Hasher>,
}

impl Open {
    fn new(layer: Layer) -> Self {
        let rest = layer.plain.to_bytes().to_vec();
        let name = layer.named.then(Hasher::new);
        Self { layer, started: false, rest, blocks: 0, buffer: Buffer::new(), name }
    }

    /// Takes bytes of the packet, for its name.
    fn name(&mut self, bytes: &[u8]) {
        if let Some(name) = &mut self.name {
            name.update(bytes);
        }
    }

    fn content(&self) -> u64 {
        self.blocks * BLOCK as u64 + self.rest.len() as u64
    }

    fn start(&mut self, out: &mut Buffer) {
        if !std::mem::replace(&mut self.started, true) {
            out.extend(self.layer.sealer.header().as_bytes());
        }
    }

    /// Adds content, and appends each block that is full.
    fn push(&mut self, mut bytes: &[u8], out: &mut Buffer) {
        self.start(out);
        let first = out.len();
        while self.rest.len() + bytes.len() >= BLOCK {
            let (now, later) = bytes.split_at(BLOCK - self.rest.len());
            self.take_rest(out);
            out.extend(now);
            out.grow(TAG);
            bytes = later;
        }
        self.rest.extend_from_slice(bytes);
        self.seal(&mut out[first..]);
    }

    /// Reads a batch of content directly to where it is encrypted, and appends the full blocks.
    fn fill(&mut self, source: &mut impl Read, out: &mut Buffer) -> io::Result<Left> {
        self.start(out);
        let first = out.len();
        let mut left = Left::More;
        for _ in 0..BATCH {
            let block = out.len();
            self.take_rest(out);
            left = out.fill(source, block + BLOCK - out.len())?;
            if left == Left::Nothing {
                self.rest.extend_from_slice(&out[block..]);
                out.truncate(block);
                break;
            }
            out.grow(TAG);
        }
        self.seal(&mut out[first..]);
        Ok(left)
    }

    fn take_rest(&mut self, out: &mut Buffer) {
        out.extend(&self.rest);
        self.rest.clear();
    }

    /// Encrypts full blocks in place.
    fn seal(&mut self, sealed: &mut [u8]) {
        let sealer = &self.layer.sealer;
        match sealed.len() / SEALED_BLOCK {
            0 => {}
            1 => sealer.seal_block(self.blocks, sealed),
            _ => sealed
                .par_chunks_exact_mut(SEALED_BLOCK)
                .enumerate()
                .for_each(|(i, block)| sealer.seal_block(self.blocks + i as u64, block)),
        }
        self.blocks += (sealed.len() / SEALED_BLOCK) as u64;
    }

    /// Appends the end of the layer except its outer padding, which it returns.
    fn finish(&mut self, out: &mut Vec<u8>) -> OuterPadding {
        let Padding { minimum, layers } = self.layer.padding;
        let padding = size::padding(self.content(), minimum, layers);
        self.layer.sealer.seal_end(self.blocks, &self.rest, padding, out)
    }
}
