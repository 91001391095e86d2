//! The text of a progress line, shortened to the width of the terminal.

use crate::display::Size;
use crate::log::sentence;
use crate::progress::{Batch, Transfer, Work};
use jiff::Timestamp;
use std::time::Duration;

/// The form of a line, by its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For a file or a pipe: the reference's form.
    File,
    /// For a terminal with this many columns.
    Terminal(usize),
}

/// A name is shortened to this many characters before other parts are dropped.
const SHORTEST_NAME: usize = 10;

/// The line of one transfer.
pub(super) fn transfer(transfer: &Transfer, elapsed: Duration, form: Form) -> String {
    let done = transfer.done();
    let rate = rate(done, elapsed);
    let (label, name) = (label(transfer.work), crate::display::escape(&transfer.name));
    let stamp = sentence::seconds(Timestamp::now());
    match form {
        Form::File => {
            let total = transfer.total.unwrap_or(0);
            let (name, percent) = (usual(&name), percent(done, total));
            let amount = format!("{}/{}", Size(done), Size(total));
            format!("{stamp} {label} {name} {amount} {percent}% ({}/sec)", Size(rate))
        }
        Form::Terminal(width) => {
            let (amount, figures) = figures(done, transfer.total, rate);
            fitted(&[&stamp, label, &name, &amount, &figures], width)
        }
    }
}

/// The line of a whole batch. `under_way`: processed bytes of packets that are not finished yet.
pub(super) fn batch(batch: &Batch, under_way: u64, elapsed: Duration, form: Form) -> String {
    let (packets, bytes) = batch.done();
    let done = batch.bytes.min(bytes.saturating_add(under_way));
    let rate = rate(done, elapsed);
    let number = batch.packets.min(packets + 1);
    let percent = percent(done, batch.bytes);
    let what = if batch.work == Work::Reass { "chunk" } else { "packet" };
    let counts = format!("{what} {number} of {}, total {percent} %", batch.packets);
    let (of, per_second) = (format!(" of {}", Size(batch.bytes)), format!(" ({}/sec)", Size(rate)));
    let left = left(batch.bytes - done, rate);
    let width = match form {
        Form::Terminal(width) => width,
        Form::File => usize::MAX,
    };
    let shapes = [
        format!("{counts}{of}{per_second}{left}"),
        format!("{counts}{per_second}{left}"),
        // The line of the packet shows the rate too.
        format!("{counts}{left}"),
    ];
    first_that_fits(shapes, width).unwrap_or_else(|| cut(&counts, width))
}

/// The amount, which may be dropped, and the figures that stay: percent, rate and time left.
fn figures(done: u64, total: Option<u64>, rate: u64) -> (String, String) {
    let Some(total) = total else {
        // The total is unknown, so there is no percentage to show.
        return (String::new(), format!("{} ({}/sec)", Size(done), Size(rate)));
    };
    let left = left(total.saturating_sub(done), rate);
    let figures = format!("{}% ({}/sec){left}", percent(done, total), Size(rate));
    (format!("{}/{}", Size(done), Size(total)), figures)
}

/// Drops parts, the least important first, until the line fits: the time, the middle of the name,
/// the amount, the name, the label.
fn fitted(&[stamp, label, name, amount, figures]: &[&str; 5], width: usize) -> String {
    let usual = usual(name);
    let shorter = |others: [&str; 3]| {
        let taken = join(&others).chars().count() + 1;
        let room = width.saturating_sub(taken);
        (room >= SHORTEST_NAME.min(name.chars().count())).then(|| shorten(name, room))
    };
    let with_amount = shorter([label, amount, figures]);
    let without = shorter([label, "", figures]);
    let shapes = [
        Some(join(&[stamp, label, &usual, amount, figures])),
        Some(join(&[label, &usual, amount, figures])),
        with_amount.map(|name| join(&[label, &name, amount, figures])),
        without.map(|name| join(&[label, &name, figures])),
        Some(join(&[label, figures])),
        Some(figures.to_owned()),
    ];
    first_that_fits(shapes.into_iter().flatten(), width).unwrap_or_else(|| cut(figures, width))
}

fn first_that_fits(shapes: impl IntoIterator<Item = String>, width: usize) -> Option<String> {
    shapes.into_iter().find(|shape| shape.chars().count() <= width)
}

fn cut(line: &str, width: usize) -> String {
    line.chars().take(width).collect()
}

fn join(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    words.join(" ")
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

/// Bytes a second.
fn rate(done: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(done) * 1000 / millis).unwrap_or(u64::MAX)
}

fn percent(done: u64, total: u64) -> u128 {
    (u128::from(done) * 100).checked_div(total.into()).unwrap_or(100)
}

/// ` 1:02:03 left`; empty if nothing is left or the rate is unknown.
fn left(bytes: u64, rate: u64) -> String {
    match bytes.div_ceil(rate.max(1)) {
        seconds if bytes > 0 && rate > 0 => format!(" {} left", clock(seconds)),
        _ => String::new(),
    }
}

/// Seconds as `1:02:03` or `2:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Cuts the middle out of names as long as a packet's.
fn usual(name: &str) -> String {
    if name.chars().count() < 52 { name.to_owned() } else { shorten(name, 34) }
}

/// Cuts the middle out of a name longer than `room`, but keeps at least `SHORTEST_NAME` characters.
fn shorten(name: &str, room: usize) -> String {
    let chars: Vec<_> = name.chars().collect();
    if chars.len() <= room || room < 4 {
        return name.into();
    }
    let (head, tail) = ((room - 2).div_ceil(2), (room - 2) / 2);
    let (head, tail) = (&chars[..head], &chars[chars.len() - tail..]);
    head.iter().chain(&['.', '.']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Packets, Progress, Watcher};
    use std::sync::{Arc, Mutex};

    const MIB: u64 = 1 << 20;
    const PACKET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRST";

    #[derive(Default)]
    struct Seen {
        transfers: Mutex<Vec<Arc<Transfer>>>,
        batches: Mutex<Vec<Arc<Batch>>>,
    }

    impl Watcher for Seen {
        fn started(&self, transfer: &Arc<Transfer>) {
            self.transfers.lock().unwrap().push(Arc::clone(transfer));
        }
        fn ended(&self, _: &Arc<Transfer>) {}
        fn batch_started(&self, batch: &Arc<Batch>) {
            self.batches.lock().unwrap().push(Arc::clone(batch));
        }
        fn batch_ended(&self, _: &Arc<Batch>) {}
    }

    fn shown(name: &str, total: Option<u64>, done: u64, seconds: u64, form: Form) -> String {
        let seen = Arc::new(Seen::default());
        Progress::to(seen.clone()).start(Work::Tx, name, total).add(done);
        let started = Arc::clone(&seen.transfers.lock().unwrap()[0]);
        transfer(&started, Duration::from_secs(seconds), form)
    }

    #[track_caller]
    fn check(width: usize, want: &str) {
        let form = Form::Terminal(width);
        let line = shown(PACKET, Some(61 << 30), 30 << 30, 6 * 3600, form);
        assert_eq!(line, want, "{width}");
        assert!(line.len() <= width);
    }

    #[test]
    fn without_a_terminal_lines_are_the_references() {
        let line = |total, done, seconds| {
            let line = shown("f", total, done, seconds, Form::File);
            line.split_once(' ').unwrap().1.to_owned()
        };
        assert_eq!(line(Some(20 * MIB), 10 * MIB, 2), "Tx f 10 MiB/20 MiB 50% (5.0 MiB/sec)");
        assert_eq!(line(None, MIB, 1), "Tx f 1.0 MiB/0 B 100% (1.0 MiB/sec)");
        let named = shown(PACKET, Some(1), 1, 1, Form::File);
        assert!(named.contains(" ABCDEFGHIJKLMNOP..EFGHIJKLMNOPQRST "), "{named}");
        let named = shown(&PACKET[1..], Some(1), 1, 1, Form::File);
        assert!(named.contains(&PACKET[1..]), "{named}");
    }

    #[test]
    fn percent_rate_and_time_left_are_the_last_to_go() {
        let name = "ABCDEFGHIJKLMNOP..EFGHIJKLMNOPQRST";
        let figures = "49% (1.4 MiB/sec) 6:12:01 left";
        let full = shown(PACKET, Some(61 << 30), 30 << 30, 6 * 3600, Form::Terminal(200));
        assert_eq!(full.split_once(' ').unwrap().1, format!("Tx {name} 30 GiB/61 GiB {figures}"));
        check(84, &format!("Tx {name} 30 GiB/61 GiB {figures}"));
        check(80, &format!("Tx ABCDEFGHIJKLMNO..FGHIJKLMNOPQRST 30 GiB/61 GiB {figures}"));
        check(58, &format!("Tx ABCD..QRST 30 GiB/61 GiB {figures}"));
        check(57, &format!("Tx ABCDEFGHIJK..KLMNOPQRST {figures}"));
        check(44, &format!("Tx ABCD..QRST {figures}"));
        check(40, &format!("Tx {figures}"));
        check(32, figures);
        check(17, "49% (1.4 MiB/sec)");
    }

    #[test]
    fn at_40_columns_a_short_name_stays() {
        let line = shown("f", Some(20 * MIB), 10 * MIB, 2, Form::Terminal(40));
        assert_eq!(line, "Tx f 50% (5.0 MiB/sec) 0:02 left");
        let line = shown("f", None, MIB, 1, Form::Terminal(40));
        assert_eq!(line, "Tx f 1.0 MiB (1.0 MiB/sec)");
    }

    fn all(width: usize) -> String {
        let seen = Arc::new(Seen::default());
        let packets: Packets = Progress::to(seen.clone()).many(Work::Tx, 17, 61 << 30);
        packets.done(3 << 30);
        packets.done(3 << 30);
        let started = Arc::clone(&seen.batches.lock().unwrap()[0]);
        batch(&started, 3 << 29, Duration::from_secs(600), Form::Terminal(width))
    }

    #[test]
    fn of_many_packets_number_and_total_are_the_last_to_go() {
        let counts = "packet 3 of 17, total 12 %";
        assert_eq!(all(80), format!("{counts} of 61 GiB (13 MiB/sec) 1:11:21 left"));
        assert_eq!(all(53), format!("{counts} (13 MiB/sec) 1:11:21 left"));
        assert_eq!(all(40), format!("{counts} 1:11:21 left"));
        assert_eq!(all(30), counts);
        assert_eq!(all(8), "packet 3");
    }
}
