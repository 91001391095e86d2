//! Packs a stream: a thread of its own compresses it, a filter encrypts it.

use super::super::command::{Piped, end, one_line, piped};
use super::error::SendError;
use super::tee::{Branch, Tee, tee};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

/// Size of the pieces that are passed on: large, so that threads seldom wake each other.
pub(super) const PIECE: usize = 1 << 20;

/// How a stream is packed.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// The zstd level; `None` for no compression.
    pub zstd: Option<i32>,
    /// The encrypting filter, with its arguments.
    pub encrypt: Vec<String>,
}

/// The stages between `zfs send` and the destinations. If it is dropped, no destination publishes.
pub(super) enum Packed {
    /// Without compression.
    Plain(Sink),
    /// With compression, in a thread of its own.
    Zstd { into: Tee, compressor: JoinHandle<Result<Sink, SendError>> },
}

/// The last stage: the destinations, or a filter in front of them.
pub(super) enum Sink {
    Tee(Tee),
    Filter(Filter),
}

pub(super) struct Filter {
    shown: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Receiver<Vec<u8>>,
    pump: Option<JoinHandle<io::Result<Tee>>>,
}

impl Packed {
    pub(super) fn start(flow: &Flow, destinations: Tee) -> Result<Self, SendError> {
        let sink = match &flow.encrypt[..] {
            [] => Sink::Tee(destinations),
            [program, args @ ..] => Sink::Filter(Filter::start(program, args, destinations)?),
        };
        let Some(level) = flow.zstd else { return Ok(Self::Plain(sink)) };
        let (into, mut branches) = tee(1);
        let branch = branches.pop().expect("one was asked for");
        let compressor = std::thread::spawn(move || compress(branch, sink, level));
        Ok(Self::Zstd { into, compressor })
    }

    /// Passes on a piece. After an error, [`Packed::fault`] returns the cause.
    pub(super) fn pass(&mut self, piece: Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain(Sink::Tee(tee)) | Self::Zstd { into: tee, .. } => tee.pass(piece),
            Self::Plain(sink) => sink.write_all(&piece),
        }
    }

    /// Ends the stream, so that every destination publishes it.
    pub(super) fn finish(self) -> Result<(), SendError> {
        let sink = match self {
            Self::Plain(sink) => sink,
            Self::Zstd { into, compressor } => {
                into.finish();
                joined(compressor)?
            }
        };
        match sink {
            Sink::Tee(tee) => tee.finish(),
            Sink::Filter(mut filter) => filter.finish()?.finish(),
        }
        Ok(())
    }

    /// The cause of a failed write.
    pub(super) fn fault(self, error: io::Error) -> SendError {
        let failure = match self {
            Self::Plain(mut sink) => sink.failure(),
            // The destinations get no end, so they publish nothing.
            Self::Zstd { into, compressor } => {
                drop(into);
                joined(compressor).err()
            }
        };
        failure.unwrap_or(SendError::Read(error))
    }
}

fn joined(compressor: JoinHandle<Result<Sink, SendError>>) -> Result<Sink, SendError> {
    compressor.join().unwrap_or_else(|_| Err(io::Error::other("compressing panicked").into()))
}

fn compress(mut from: Branch, sink: Sink, level: i32) -> Result<Sink, SendError> {
    let mut encoder = zstd::Encoder::new(sink, level)?;
    encoder.include_checksum(true)?;
    match pump(&mut from, &mut encoder).and_then(|()| encoder.do_finish()) {
        Ok(()) => Ok(encoder.finish()?),
        // The filter's own error output says more than a broken pipe.
        Err(error) => Err(encoder.get_mut().failure().unwrap_or(SendError::Read(error))),
    }
}

/// Copies to the end.
fn pump(from: &mut impl BufRead, into: &mut impl Write) -> io::Result<()> {
    loop {
        let piece = match from.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        into.write_all(piece)?;
        let length = piece.len();
        from.consume(length);
    }
}

impl Sink {
    /// The filter's failure with its error output, if it failed.
    fn failure(&mut self) -> Option<SendError> {
        match self {
            Self::Tee(_) => None,
            Self::Filter(filter) => filter.finish().err(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tee(tee) => tee.write(data),
            Self::Filter(Filter { stdin: Some(stdin), .. }) => stdin.write(data),
            Self::Filter(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Filter {
    fn start(program: &str, args: &[String], mut tee: Tee) -> Result<Self, SendError> {
        let shown = [&[program.to_owned()], args].concat().join(" ");
        let Piped { child, stdin, stdout, stderr } = piped(program, args)
            .map_err(|error| SendError::Filter(shown.clone(), error.to_string()))?;
        let mut out = BufReader::with_capacity(PIECE, stdout);
        let pump = Some(std::thread::spawn(move || pump(&mut out, &mut tee).map(|()| tee)));
        Ok(Self { shown, child, stdin: Some(stdin), stderr, pump })
    }

    /// Closes the filter's input and waits for its exit. Returns the destinations if it succeeded.
    fn finish(&mut self) -> Result<Tee, SendError> {
        drop(self.stdin.take());
        let pump = self.pump.take().expect("it was started");
        let pumped = pump.join().unwrap_or_else(|_| Err(io::Error::other("the pump panicked")));
        if pumped.is_err() {
            end(&mut self.child);
        }
        let tee = pumped?;
        let status = self.child.wait()?;
        if status.success() {
            return Ok(tee);
        }
        let stderr = self.stderr.recv().unwrap_or_default();
        let stderr = one_line(&String::from_utf8_lossy(&stderr));
        Err(SendError::Filter(self.shown.clone(), format!("{status} {stderr}")))
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        if self.pump.is_some() || self.stdin.is_some() {
            drop(self.stdin.take());
            end(&mut self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Packs two pieces with this filter. Returns what a destination reads.
    fn packed(zstd: Option<i32>, encrypt: &[&str]) -> Result<Vec<u8>, SendError> {
        let encrypt = encrypt.iter().map(|word| (*word).to_owned()).collect();
        let (writer, mut branches) = tee(1);
        let mut branch = branches.pop().expect("one was asked for");
        let got = std::thread::spawn(move || {
            let mut got = Vec::new();
            branch.read_to_end(&mut got).map(|_| got)
        });
        let mut packed = Packed::start(&Flow { zstd, encrypt }, writer)?;
        for _ in 0..2 {
            if let Err(error) = packed.pass(vec![7; PIECE]) {
                return Err(packed.fault(error));
            }
        }
        packed.finish()?;
        Ok(got.join().expect("it does not panic")?)
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let plain = vec![7; 2 * PIECE];
        assert_eq!(packed(None, &[]).unwrap(), plain);
        assert_eq!(packed(None, &["cat"]).unwrap(), plain);
        for filter in [&[][..], &["cat"]] {
            let small = packed(Some(3), filter).unwrap();
            assert!(small.len() < 1000);
            assert_eq!(zstd::decode_all(&small[..]).unwrap(), plain);
        }
    }

    #[test]
    fn a_filter_that_fails_says_why_and_no_destination_sees_an_end() {
        for zstd in [None, Some(3)] {
            let error = packed(zstd, &["sh", "-c", "echo no key >&2; exit 3"]).unwrap_err();
            assert!(error.to_string().ends_with("exit status: 3 no key"), "{error}");
        }
        let absent = packed(None, &["/nowhere/gpg"]).unwrap_err();
        assert!(absent.to_string().starts_with("/nowhere/gpg failed: "), "{absent}");
    }
}
