//! Standard input, output and error. Handles a closed pipe and reports a full disk, where std's
//! macros would panic.

use super::environment;
use crate::disk::Disk;
use crate::display::reason;
use crate::inherited;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Standard output for results. If the reader closes the pipe (`| head`), the process ends with the
/// status of SIGPIPE. The reference relies on that signal, but Rust programs ignore it.
#[derive(Debug)]
pub(crate) struct Stdout(io::BufWriter<io::Stdout>);

impl Stdout {
    /// The process's standard output, buffered. The caller must call [`Write::flush`] at the end.
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
        written(inherited::descriptor(1).and_then(|_| self.0.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        written(self.0.flush())
    }
}

/// 128 + SIGPIPE: the status that a shell reports for a writer whose reader closed the pipe.
const READER_GONE: i32 = 141;

/// Ends the process because the reader closed the pipe.
pub(crate) fn reader_gone() -> ! {
    std::process::exit(READER_GONE)
}

/// Ends the process if the reader is gone. Adds "writing standard output" to other errors.
fn written<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => reader_gone(),
        kind => io::Error::new(kind, format!("writing standard output: {}", reason(&error))),
    })
}

/// Standard input, unbuffered: it reads no byte in advance.
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

/// Prints to standard output at once. After a failure the command continues; see [`lost`].
pub(crate) fn print(text: &str) {
    if let Err(error) = output(text.as_bytes()) {
        lost(&error);
    }
}

/// True after a result could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Reports the first result that could not be written. The command will then exit with 1.
pub(crate) fn lost(error: &io::Error) {
    if !LOST.swap(true, Ordering::Relaxed) {
        complain(&format!("{error}\n"));
    }
}

/// True if a result was [`lost`].
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

/// Writes private keys to standard output. If that is a file, syncs it, since it may be the only
/// copy of the keys.
///
/// # Errors
/// It did not get there whole.
pub(crate) fn output_durably(bytes: &[u8]) -> io::Result<()> {
    output(bytes)?;
    written(disk().sync_stream(&stdout()?))
}

/// The disk for commands that have no spool.
pub(crate) fn disk() -> Disk {
    Disk { sync: !environment::nosync() }
}

/// Writes to standard error. Ignores errors: there is no other place to report them.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
