//! Standard output and standard error, written so that a closed pipe or a full disk behind them
//! is neither a panic nor overlooked.

use std::io::{self, Write};

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

fn ended_by_reader<T>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(READER_GONE),
        other => other,
    }
}

/// Prints to standard output at once. A failure is told on standard error.
pub fn print(text: &str) {
    let mut out = Stdout::new();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        complain(&format!("writing standard output: {error}\n"));
    }
}

/// Writes to standard error. Nothing can be done if that fails.
pub fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Text with its control characters escaped: names chosen by peers must not drive a terminal nor
/// look like further lines.
pub fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(one_line("a\u{1b}[2Jb\nü\u{9b}"), "a\\u{1b}[2Jb\\nü\\u{9b}");
    }
}
