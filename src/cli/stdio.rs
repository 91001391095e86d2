//! Standard input, output and error: a closed pipe or a full disk behind them is neither a panic
//! nor overlooked.

use super::environment;
use crate::disk::Disk;
use crate::display::reason;
use crate::inherited;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Standard output for results. When the reader has gone (`| head`), the process ends as SIGPIPE
/// would have ended it; the reference relies on that signal, which Rust programs ignore.
#[derive(Debug)]
pub(crate) struct Stdout(io::BufWriter<io::Stdout>);

impl Stdout {
    /// The process's standard output, buffered. Call [`Write::flush`] at the end.
    pub(crate) fn new() -> Self {
        Self(io::BufWriter::new(io::stdout()))
    }
}

impl Default for Stdout {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        told(inherited::descriptor(1).and_then(|_| self.0.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        told(self.0.flush())
    }
}

/// 128 + SIGPIPE, which a shell reports for a writer whose reader has gone.
const READER_GONE: i32 = 141;

/// Ends the process because nobody reads its output any more.
pub(crate) fn reader_gone() -> ! {
    std::process::exit(READER_GONE)
}

/// The result of writing, its error with the place.
fn told<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => reader_gone(),
        kind => io::Error::new(kind, format!("writing standard output: {}", reason(&error))),
    })
}

/// Standard input, unbuffered: nothing is read that is not used.
///
/// # Errors
/// It is closed.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(inherited::descriptor(0)?.try_clone_to_owned()?.into())
}

/// Standard output, unbuffered: for bytes that the kernel copies.
///
/// # Errors
/// It is closed.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(inherited::descriptor(1)?.try_clone_to_owned()?.into())
}

/// Prints to standard output at once. A failure stops nothing, but see [`lost`].
pub(crate) fn print(text: &str) {
    if let Err(error) = output(text.as_bytes()) {
        lost(&error);
    }
}

/// Whether a result did not get to where it was wanted.
static LOST: AtomicBool = AtomicBool::new(false);

/// A result could not be written: told once, and the command will not end as if all went well.
pub(crate) fn lost(error: &io::Error) {
    if !LOST.swap(true, Ordering::Relaxed) {
        complain(&format!("{error}\n"));
    }
}

/// Whether a result was [`lost`].
pub(crate) fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes the one result of a command to standard output.
///
/// # Errors
/// It did not get there whole.
pub(crate) fn output(bytes: &[u8]) -> io::Result<()> {
    let mut out = Stdout::new();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes keys, of which there may be no other copy, to standard output; where that is a file, on
/// the disk on return.
///
/// # Errors
/// It did not get there whole.
pub(crate) fn output_durably(bytes: &[u8]) -> io::Result<()> {
    output(bytes)?;
    told(disk().sync_stream(&stdout()?))
}

/// The disk of commands that have no spool.
pub(crate) fn disk() -> Disk {
    Disk { sync: !environment::nosync() }
}

/// Writes to standard error. Nothing can be done if that fails.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
