//! Standard input, output and error: a closed pipe or a full disk behind them is neither a panic
//! nor overlooked.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

/// Standard output for results. When the reader has gone (`| head`), the process ends as SIGPIPE
/// would have ended it; the reference relies on that signal, which Rust programs ignore.
#[derive(Debug)]
pub struct Stdout(io::BufWriter<io::Stdout>);

impl Stdout {
    /// The process's standard output, buffered. Call [`Write::flush`] at the end.
    pub fn new() -> Self {
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
        ended_by_reader(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        ended_by_reader(self.0.flush())
    }
}

/// 128 + SIGPIPE, which a shell reports for a writer whose reader has gone.
const READER_GONE: i32 = 141;

/// Ends the process because nobody reads its output any more.
pub fn reader_gone() -> ! {
    std::process::exit(READER_GONE)
}

fn ended_by_reader<T>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => reader_gone(),
        other => other,
    }
}

/// Standard input, unbuffered: nothing is read that is not used.
///
/// # Errors
/// It is closed.
pub fn stdin() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Standard output, unbuffered: for bytes that the kernel copies.
///
/// # Errors
/// It is closed.
pub fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Prints to standard output at once. A failure is told on standard error.
pub fn print(text: &str) {
    let mut out = Stdout::new();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        complain(&format!("writing standard output: {error}\n"));
    }
}

/// Writes the one result of a command to standard output.
///
/// # Errors
/// It did not get there whole.
pub fn output(bytes: &[u8]) -> io::Result<()> {
    let mut out = Stdout::new();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes to standard error. Nothing can be done if that fails.
pub fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
