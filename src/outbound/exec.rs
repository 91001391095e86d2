//! `nncp-exec`: a command for a neighbour or an area, with its standard input.

use super::error::QueueError;
use super::path;
use super::queue::Parcel;
use super::route::{Destination, Via};
use crate::ledger::{self, Follow};
use crate::local::Local;
use crate::progress::Work;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{Kind, PlainHeader};
use std::io::{self, BufRead, BufReader, Read};

/// Options for a command. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct ExecOptions {
    /// Niceness of the packet.
    pub nice: Niceness,
    /// Passed to the handler as `NNCP_NICE`.
    pub reply_nice: Niceness,
    /// Send standard input uncompressed.
    pub uncompressed: bool,
    /// Minimum size.
    pub minimum: u64,
    /// Maximum size of header and (compressed) standard input.
    pub maximum: Option<u64>,
    /// Relays.
    pub via: Via,
    /// The backup that it belongs to, if its recipient is asked for proof: by default that of the
    /// handle's name.
    pub backup: Option<String>,
    /// Whether it is followed at all.
    pub follow: bool,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            nice: Niceness::PRIORITY,
            reply_nice: Niceness::BULK,
            uncompressed: false,
            minimum: 0,
            maximum: None,
            via: Via::Configured,
            backup: None,
            follow: true,
        }
    }
}

impl Local {
    /// Queues `command`, a handle and its arguments, with `input` on its standard input.
    ///
    /// # Errors
    /// Nothing is queued then.
    pub fn exec<'a>(
        &'a self,
        to: Destination<'a>,
        command: &[Vec<u8>],
        input: impl Read + Send,
        options: &ExecOptions,
    ) -> Result<(), QueueError> {
        let kind = if options.uncompressed { Kind::ExecFat } else { Kind::Exec };
        let shown = path::shown(&command.join(&b' '));
        let handle = || command.first().map(|handle| path::shown(handle)).unwrap_or_default();
        let backup = options.backup.clone().unwrap_or_else(handle);
        let parcel = Parcel {
            plain: PlainHeader::exec(kind, options.reply_nice, command)?,
            nice: options.nice,
            minimum: options.minimum,
            maximum: options.maximum,
            size: None,
            shown: shown.clone(),
            work: Work::Tx,
            batch: None,
            follow: options.follow.then(|| Follow::new(ledger::Kind::Exec, backup, self.now())),
        };
        let queued = if options.uncompressed {
            self.queue(to, &options.via, &parcel, input)
        } else {
            ExecSource::new(input)
                .map_err(|error| QueueError::Seal(crate::blocks::SealError::Source(error)))
                .and_then(|body| self.queue(to, &options.via, &parcel, body))
        };
        let peer = to.neighbour(&self.node).peer();
        self.logged(peer, options.nice, queued, |sent| sent.exec(options.reply_nice, &shown))
            .map(drop)
    }
}

/// Standard input, compressed as one Zstandard frame with a checksum. Like the reference, empty
/// input becomes no frame.
pub(super) enum ExecSource<R: Read> {
    /// No input.
    Empty,
    /// The frame, which is compressed while it is read.
    Frame(Box<zstd::stream::read::Encoder<'static, BufReader<R>>>),
}

impl<R: Read> ExecSource<R> {
    /// Compresses `input`.
    ///
    /// # Errors
    /// If the first bytes of `input` cannot be read.
    pub(super) fn new(input: R) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(1 << 20, input);
        if input.fill_buf()?.is_empty() {
            return Ok(Self::Empty);
        }
        let mut encoder = zstd::stream::read::Encoder::with_buffer(input, 0)?;
        encoder.include_checksum(true)?;
        Ok(Self::Frame(Box::new(encoder)))
    }
}

impl<R: Read> Read for ExecSource<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Empty => Ok(0),
            Self::Frame(encoder) => encoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_input_is_no_frame() {
        let mut body = Vec::new();
        ExecSource::new(&b""[..]).unwrap().read_to_end(&mut body).unwrap();
        assert!(body.is_empty());
    }

    #[test]
    fn a_frame_has_a_checksum_and_no_large_window() {
        let mut body = Vec::new();
        ExecSource::new(&vec![7; 3 << 20][..]).unwrap().read_to_end(&mut body).unwrap();
        assert_eq!(zstd::decode_all(&body[..]).unwrap(), vec![7; 3 << 20]);
        assert_eq!(body[4] & 0x04, 0x04, "content checksum flag");
    }

    #[test]
    fn its_end_stays_the_end() {
        for input in [&b""[..], &[7; 1], &[7; 1 << 20]] {
            let again = crate::blocks::Again::new(input);
            let body = crate::blocks::ends_for_good(ExecSource::new(again).unwrap());
            assert_eq!(zstd::decode_all(&body[..]).unwrap_or_default(), input);
        }
    }
}
