//! Progress on standard error: a line for each transfer, drawn over and over.
//!
//! Events are printed through the same [`Screen`], which takes the progress lines away first.

mod line;

use crate::progress::{Batch, Transfer, Watcher, Work};
use line::Form;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often lines are drawn.
const REFRESH: Duration = Duration::from_millis(100);
/// Work that is done sooner is not worth a line on a terminal.
const PATIENCE: Duration = Duration::from_secs(1);
/// One line up, and empty it.
const ERASE_LINE: &str = "\x1b[1A\x1b[2K";

/// Which progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// None.
    Nothing,
    /// On a terminal, what takes longer than a second; the line goes when the work is done.
    Slow,
    /// All of it from the start, terminal or not, and the last line stays: as the reference does.
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
    /// Progress lines on the screen, the cursor being below them.
    lines: usize,
    drawing: bool,
}

impl Screen {
    /// A screen that shows such progress.
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

    /// Who tells library code's progress to this screen; `None` when nothing is shown.
    pub(crate) fn watcher(self: &Arc<Self>) -> Option<Arc<dyn Watcher>> {
        (self.show != Show::Nothing).then(|| Arc::new(OnScreen(Arc::clone(self))) as _)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws while there is something to draw; the thread ends with the process.
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
        // The lines of one packet say all there is to say, and in files they are the reference's.
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
            // Without a thread to draw it there is no progress to see; the work goes on.
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

    /// Bytes that are done of those packets of a batch that are not done with.
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

/// A line that wraps could not be erased: on a terminal none is longer than it is wide.
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
