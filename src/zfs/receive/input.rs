//! The stream within a packet or file: decrypted by a filter, then decompressed.

use super::super::command::{Piped, end, one_line, piped};
use super::error::ReceiveError;
use crate::unpack::unpacked;
use std::io::{self, BufRead, Read};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::Receiver;
use std::thread::{Scope, ScopedJoinHandle};

/// Opens a packet or file at its start.
pub type Open<'a> = dyn Fn() -> io::Result<Box<dyn Read + Send + 'a>> + 'a;

/// An open stream.
pub(super) struct Input<'s> {
    stream: Box<dyn BufRead + 's>,
    filter: Option<Filter<'s>>,
}

/// A running filter, fed by a thread.
struct Filter<'s> {
    shown: String,
    child: Child,
    feeder: ScopedJoinHandle<'s, io::Result<()>>,
    stderr: Receiver<Vec<u8>>,
}

impl<'s> Input<'s> {
    /// The stream in `raw`, decrypted by the filter if there is one.
    pub(super) fn new(
        scope: &'s Scope<'s, '_>,
        raw: Box<dyn Read + Send + 's>,
        decrypt: &[String],
    ) -> Result<Self, ReceiveError> {
        let (stream, filter): (Box<dyn Read + 's>, _) = match decrypt {
            [] => (raw, None),
            [program, args @ ..] => {
                let (out, filter) = Filter::start(scope, raw, program, args)?;
                (Box::new(out), Some(filter))
            }
        };
        // Built before decompression starts, so that an error there still kills the filter.
        let mut input = Self { stream: Box::new(io::empty()), filter };
        input.stream = unpacked(stream).map_err(ReceiveError::Read)?;
        Ok(input)
    }

    /// Reads the next bytes; returns 0 at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(ReceiveError::Read),
            }
        }
    }

    /// To be called at the end of the stream. Reports a filter that failed: a filter that
    /// authenticates says only by its exit status whether the data is genuine.
    pub(super) fn finish(mut self) -> Result<(), ReceiveError> {
        self.stream = Box::new(io::empty());
        let Some(Filter { shown, mut child, feeder, stderr }) = self.filter.take() else {
            return Ok(());
        };
        let status = child.wait().map_err(ReceiveError::Read)?;
        let fed = feeder.join().unwrap_or_else(|_| Err(io::Error::other("the feeder panicked")));
        let stderr = stderr.recv().unwrap_or_default();
        if !status.success() {
            let stderr = one_line(&String::from_utf8_lossy(&stderr));
            return Err(ReceiveError::Filter {
                command: shown,
                status: status.to_string(),
                stderr,
            });
        }
        match fed {
            // A filter may close its input early, once it has read the end of its own format.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(ReceiveError::Read(error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Input<'_> {
    fn drop(&mut self) {
        if let Some(filter) = &mut self.filter {
            end(&mut filter.child);
        }
    }
}

impl<'s> Filter<'s> {
    fn start(
        scope: &'s Scope<'s, '_>,
        mut raw: Box<dyn Read + Send + 's>,
        program: &str,
        args: &[String],
    ) -> Result<(ChildStdout, Self), ReceiveError> {
        let shown = [&[program.to_owned()], args].concat().join(" ");
        let failed = |error: io::Error| ReceiveError::Filter {
            command: shown.clone(),
            status: "not started".to_owned(),
            stderr: error.to_string(),
        };
        let Piped { child, mut stdin, stdout, stderr } = piped(program, args).map_err(failed)?;
        let feeder = scope.spawn(move || io::copy(&mut raw, &mut stdin).map(|_| ()));
        Ok((stdout, Self { shown, child, feeder, stderr }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8], decrypt: &[&str]) -> Result<Vec<u8>, ReceiveError> {
        let decrypt: Vec<String> = decrypt.iter().map(|word| (*word).to_owned()).collect();
        std::thread::scope(|scope| {
            let mut input = Input::new(scope, Box::new(raw), &decrypt)?;
            let mut out = Vec::new();
            let mut buffer = [0; 100];
            loop {
                match input.read(&mut buffer)? {
                    0 => break,
                    len => out.extend_from_slice(&buffer[..len]),
                }
            }
            input.finish().map(|()| out)
        })
    }

    #[test]
    fn plain_and_compressed_and_filtered_give_the_same_bytes() {
        let data = b"stream ".repeat(1000);
        let packed = zstd::encode_all(&data[..], 3).unwrap();
        assert_eq!(read(&data, &[]).unwrap(), data);
        assert_eq!(read(&packed, &[]).unwrap(), data);
        assert_eq!(read(&packed, &["cat"]).unwrap(), data);
        assert_eq!(read(b"abc", &[]).unwrap(), b"abc");
    }

    #[test]
    fn a_filter_that_fails_at_the_end_is_told() {
        let error = read(b"data", &["sh", "-c", "cat; echo bad MDC >&2; exit 2"]).unwrap_err();
        assert!(error.to_string().ends_with("bad MDC"), "{error}");
        assert!(matches!(read(b"", &["/nowhere/gpg"]), Err(ReceiveError::Filter { .. })));
    }

    #[test]
    fn a_cut_zstd_frame_is_an_error() {
        let packed = zstd::encode_all(&b"stream ".repeat(1000)[..], 3).unwrap();
        assert!(matches!(read(&packed[..packed.len() - 1], &[]), Err(ReceiveError::Read(_))));
    }
}
