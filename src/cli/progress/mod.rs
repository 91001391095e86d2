//! Progress on standard error: one line for each transfer, redrawn ten times a second.
//!
//! Events are printed through the same [`Screen`], which erases the progress lines first.

mod line;

use crate::progress::{Batch, Transfer, Watcher, Work};
use line::Form;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two drawings.
const REFRESH: Duration = Duration::from_millis(100);
/// Work shows no line on a terminal until it has taken this long.
const PATIENCE: Duration = Duration::from_secs(1);
/// Moves the cursor one line up and clears that line.
const ERASE_LINE: &str = "\x1b[1A\x1b[2K";

/// Which progress to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// None.
    Nothing,
    /// On a terminal, work that takes longer than a second. The line disappears at the end.
    Slow,
    /// All work from the start, also without a terminal; the last line stays. As in the reference.
    Everything,
}

/// Standard error, with progress lines at its end.
pub(crate) struct Screen {
    show: Show,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shown: Vec<(Arc<Transfer>, Instant)>,
    batches: Vec<(Arc<Batch>, Instant)>,
    /// Number of progress lines on the screen. The cursor is below them.
    lines: usize,
    drawing: bool,
}

impl Screen {
    /// A screen that shows this progress.
    pub(crate) fn new(show: Show) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Self { show, state, changed })
    }

    /// Prints text above the progress lines.
    pub(crate) fn print(&self, text: &str) {
        let mut state = self.state();
        let mut out = state.erase();
        out.push_str(text);
        if !text.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&state.draw(self.show, Instant::now()));
        put(&out);
    }

    /// The watcher that draws progress on this screen; `None` if it shows nothing.
    pub(crate) fn watcher(self: &Arc<Self>) -> Option<Arc<dyn Watcher>> {
        (self.show != Show::Nothing).then(|| Arc::new(OnScreen(Arc::clone(self))) as _)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Redraws while there is progress to show. The thread ends with the process.
    fn keep_drawing(&self) {
        let mut state = self.state();
        loop {
            while state.shown.is_empty() && state.batches.is_empty() {
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
        self.begin_drawing(&mut state);
    }

    fn ended(&self, transfer: &Arc<Transfer>) {
        let mut state = self.0.state();
        let mut out = state.erase();
        let now = Instant::now();
        let same = |shown: &Arc<Transfer>| Arc::ptr_eq(shown, transfer);
        if self.0.show == Show::Everything
            && let Some((transfer, since)) = state.shown.iter().find(|(shown, _)| same(shown))
        {
            out.push_str(&line::transfer(transfer, now - *since, form(self.0.show)));
            out.push('\n');
        }
        state.shown.retain(|(shown, _)| !same(shown));
        out.push_str(&state.draw(self.0.show, now));
        put(&out);
    }

    fn batch_started(&self, batch: &Arc<Batch>) {
        // For one packet the batch line would repeat the packet's line; files get the reference's lines.
        if batch.packets > 1 && self.0.show == Show::Slow {
            let mut state = self.0.state();
            state.batches.push((Arc::clone(batch), Instant::now()));
            self.begin_drawing(&mut state);
        }
    }

    fn batch_ended(&self, batch: &Arc<Batch>) {
        let mut state = self.0.state();
        let out = state.erase();
        state.batches.retain(|(shown, _)| !Arc::ptr_eq(shown, batch));
        put(&(out + &state.draw(self.0.show, Instant::now())));
    }
}

impl OnScreen {
    fn begin_drawing(&self, state: &mut State) {
        if !state.drawing {
            state.drawing = true;
            let screen = Arc::clone(&self.0);
            // If the thread cannot be started, only the display is missing: continue the work.
            let _ =
                thread::Builder::new().name("progress".into()).spawn(move || screen.keep_drawing());
        }
        self.0.changed.notify_one();
    }
}

impl State {
    fn erase(&mut self) -> String {
        ERASE_LINE.repeat(std::mem::take(&mut self.lines))
    }

    fn draw(&mut self, show: Show, now: Instant) -> String {
        let form = form(show);
        let mut lines = Vec::new();
        for (transfer, since) in &self.shown {
            let elapsed = now.saturating_duration_since(*since);
            if show == Show::Everything || elapsed >= PATIENCE {
                lines.push(line::transfer(transfer, elapsed, form));
            }
        }
        for (batch, since) in &self.batches {
            let elapsed = now.saturating_duration_since(*since);
            if elapsed >= PATIENCE {
                lines.push(line::batch(batch, self.under_way(batch), elapsed, form));
            }
        }
        self.lines += lines.len();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Processed bytes of the packets of a batch that are not finished yet.
    fn under_way(&self, batch: &Batch) -> u64 {
        let is_its = |work: Work| self.batches.len() == 1 || work == batch.work;
        let its = self.shown.iter().filter(|(transfer, _)| is_its(transfer.work));
        its.map(|(transfer, _)| transfer.done()).sum()
    }
}

fn form(show: Show) -> Form {
    match terminal_width() {
        Some(width) => Form::Terminal(width),
        None if show == Show::Slow => Form::Terminal(usize::MAX),
        None => Form::File,
    }
}

fn put(text: &str) {
    if !text.is_empty() {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// The terminal's width. A line must not wrap, because `ERASE_LINE` erases only one row.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    (size.ws_col > 0).then(|| size.ws_col.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn work_shorter_than_a_second_is_not_drawn_on_a_terminal() {
        let screen = Screen::new(Show::Slow);
        let progress = Progress::to(screen.watcher().unwrap());
        let _meter = progress.start(Work::Tx, "f", None);
        let _packets = progress.many(Work::Tx, 17, 1000);
        let mut state = screen.state();
        let start = state.shown[0].1;
        assert_eq!(state.draw(Show::Slow, start + Duration::from_millis(999)), "");
        let drawn = state.draw(Show::Slow, start + Duration::from_secs(2));
        assert!(drawn.contains("Tx f ") && drawn.contains("packet 1 of 17, total 0 %"), "{drawn}");
        assert_eq!(state.erase(), ERASE_LINE.repeat(2));
    }

    #[test]
    fn one_packet_has_no_line_for_all() {
        let screen = Screen::new(Show::Slow);
        let _packets = Progress::to(screen.watcher().unwrap()).many(Work::Tx, 1, 1000);
        let mut state = screen.state();
        assert_eq!(state.draw(Show::Slow, Instant::now() + Duration::from_secs(9)), "");
    }
}
