//! Progress on standard error: a line for each transfer, drawn over and over.
//!
//! Events are printed through the same [`Screen`], which takes the progress lines away first.

use crate::{
    log::{sentence, size::Size},
    progress::{Transfer, Watcher, Work},
};
use jiff::Timestamp;
use std::{
    fmt::Write as _,
    io::Write as _,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How often lines are drawn.
const REFRESH: Duration = Duration::from_millis(100);
/// Work that is done sooner is not worth a line on a terminal.
const PATIENCE: Duration = Duration::from_secs(1);
/// One line up, and empty it.
const ERASE_LINE: &str = "\x1b[1A\x1b[2K";

/// Which progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// None.
    Nothing,
    /// On a terminal, what takes longer than a second; the line goes when the work is done.
    Slow,
    /// All of it from the start, terminal or not, and the last line stays: as the reference does.
    Everything,
}

/// Standard error, with progress lines at its end.
pub struct Screen {
    show: Show,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shown: Vec<(Arc<Transfer>, Instant)>,
    /// Progress lines on the screen, the cursor being below them.
    lines: usize,
    drawing: bool,
}

impl Screen {
    /// A screen that shows such progress.
    pub fn new(show: Show) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Self { show, state, changed })
    }

    /// Prints text above the progress lines.
    pub fn print(&self, text: &str) {
        let mut state = self.state();
        let mut out = state.erase();
        out.push_str(text);
        if !text.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&state.draw(self.show, Instant::now()));
        put(&out);
    }

    /// Who tells library code's progress to this screen; `None` when nothing is shown.
    pub fn watcher(self: &Arc<Self>) -> Option<Arc<dyn Watcher>> {
        (self.show != Show::Nothing).then(|| Arc::new(OnScreen(Arc::clone(self))) as _)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws while there is something to draw; the thread ends with the process.
    fn keep_drawing(&self) {
        let mut state = self.state();
        loop {
            while state.shown.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let waited = self.changed.wait_timeout(state, REFRESH);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            let out = state.erase() + &state.draw(self.show, Instant::now());
            put(&out);
        }
    }
}

struct OnScreen(Arc<Screen>);

impl Watcher for OnScreen {
    fn started(&self, transfer: &Arc<Transfer>) {
        let mut state = self.0.state();
        state.shown.push((Arc::clone(transfer), Instant::now()));
        if self.0.show == Show::Everything {
            state.lines += 1;
            put("\n");
        }
        if !state.drawing {
            state.drawing = true;
            let screen = Arc::clone(&self.0);
            // Without a thread to draw it there is no progress to see; the work goes on.
            let _ =
                thread::Builder::new().name("progress".into()).spawn(move || screen.keep_drawing());
        }
        self.0.changed.notify_one();
    }

    fn ended(&self, transfer: &Arc<Transfer>) {
        let mut state = self.0.state();
        let mut out = state.erase();
        let now = Instant::now();
        let same = |shown: &Arc<Transfer>| Arc::ptr_eq(shown, transfer);
        if self.0.show == Show::Everything
            && let Some((transfer, since)) = state.shown.iter().find(|(shown, _)| same(shown))
        {
            out.push_str(&line(transfer, now - *since, Show::Everything));
            out.push('\n');
        }
        state.shown.retain(|(shown, _)| !same(shown));
        out.push_str(&state.draw(self.0.show, now));
        put(&out);
    }
}

impl State {
    fn erase(&mut self) -> String {
        ERASE_LINE.repeat(std::mem::take(&mut self.lines))
    }

    fn draw(&mut self, show: Show, now: Instant) -> String {
        let mut out = String::new();
        for (transfer, since) in &self.shown {
            let elapsed = now.saturating_duration_since(*since);
            if show == Show::Everything || elapsed >= PATIENCE {
                out.push_str(&cut(line(transfer, elapsed, show), show));
                out.push('\n');
                self.lines += 1;
            }
        }
        out
    }
}

fn put(text: &str) {
    if !text.is_empty() {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// A line that wraps could not be erased: on a terminal it is no longer than the terminal is wide.
fn cut(line: String, show: Show) -> String {
    let width = match show {
        Show::Slow => {
            rustix::termios::tcgetwinsize(std::io::stderr()).map_or(0, |size| size.ws_col)
        }
        _ => 0,
    };
    match line.char_indices().nth(width.into()) {
        Some((at, _)) if width > 0 => line[..at].into(),
        _ => line,
    }
}

fn label(work: Work) -> &'static str {
    match work {
        Work::Tx => "Tx",
        Work::TxTrns => "Tx trns",
        Work::Rx => "Rx",
        Work::RxFile => "Rx file",
        Work::Check => "check",
        Work::Reass => "reass",
        Work::Hash => "hash",
        Work::Prehash => "prehash",
    }
}

/// The reference's line; people are spared a total that nobody knows, and told the time left.
fn line(transfer: &Transfer, elapsed: Duration, show: Show) -> String {
    let done = transfer.done();
    let millis = elapsed.as_millis().max(1);
    let rate = u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX);
    let amount = match (transfer.total, show) {
        (None, Show::Slow) => Size(done).to_string(),
        (total, _) => {
            let total = total.unwrap_or(0);
            let percent = u128::from(done) * 100;
            let percent = percent.checked_div(total.into()).unwrap_or(100);
            format!("{}/{} {percent}%", Size(done), Size(total))
        }
    };
    let mut line = format!(
        "{} {} {} {amount} ({}/sec)",
        sentence::seconds(Timestamp::now()),
        label(transfer.work),
        short(&sentence::escape(&transfer.name)),
        Size(rate),
    );
    if let Some(left) = transfer.total.and_then(|total| total.checked_sub(done))
        && show == Show::Slow
        && rate > 0
        && left > 0
    {
        let _ = write!(line, " {} left", clock(left.div_ceil(rate)));
    }
    line
}

/// Names as long as a packet's are cut in the middle.
fn short(name: &str) -> String {
    let chars: Vec<_> = name.chars().collect();
    if chars.len() < 52 {
        return name.into();
    }
    let (head, tail) = (&chars[..16], &chars[chars.len() - 16..]);
    head.iter().chain(&['.', '.']).chain(tail).collect()
}

/// Seconds as `1:02:03` or `2:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[track_caller]
    fn check(total: Option<u64>, done: u64, seconds: u64, show: Show, want: &str) {
        let screen = Screen::new(Show::Nothing);
        let meter = Progress::to(Arc::new(OnScreen(screen.clone()))).start(Work::Tx, "f", total);
        meter.add(done);
        let transfer = Arc::clone(&screen.state().shown[0].0);
        let line = line(&transfer, Duration::from_secs(seconds), show);
        assert_eq!(line.split_once(' ').unwrap().1, want);
    }

    #[test]
    fn lines_are_the_references_with_the_time_left_for_people() {
        let mib = 1 << 20;
        check(
            Some(20 * mib),
            10 * mib,
            2,
            Show::Everything,
            "Tx f 10 MiB/20 MiB 50% (5.0 MiB/sec)",
        );
        check(
            Some(20 * mib),
            10 * mib,
            2,
            Show::Slow,
            "Tx f 10 MiB/20 MiB 50% (5.0 MiB/sec) 0:02 left",
        );
        check(None, mib, 1, Show::Slow, "Tx f 1.0 MiB (1.0 MiB/sec)");
        check(None, mib, 1, Show::Everything, "Tx f 1.0 MiB/0 B 100% (1.0 MiB/sec)");
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(short(&"a".repeat(51)).len(), 51);
        let name = format!("{}{}", "a".repeat(40), "b".repeat(12));
        assert_eq!(short(&name), "aaaaaaaaaaaaaaaa..aaaabbbbbbbbbbbb");
    }

    #[test]
    fn work_shorter_than_a_second_is_not_drawn_on_a_terminal() {
        let screen = Screen::new(Show::Slow);
        let _meter = Progress::to(screen.watcher().unwrap()).start(Work::Tx, "f", None);
        let mut state = screen.state();
        let start = state.shown[0].1;
        assert_eq!(state.draw(Show::Slow, start + Duration::from_millis(999)), "");
        assert!(state.draw(Show::Slow, start + PATIENCE).contains(" Tx f "));
        assert_eq!(state.erase(), ERASE_LINE);
    }
}
