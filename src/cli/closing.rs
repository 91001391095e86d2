//! The last line of a transfer: how many packets, and where they are.

use super::shared::Talk;
use super::{environment, stdio};
use crate::display::Size;
use crate::media::Report;
use serde_json::Value;
use std::fmt::Write;

/// `17 packets, 61 GiB on the stick, synced; 1 there already`. `place` is `on the stick, synced`.
pub(crate) fn line(report: &Report, place: &str) -> String {
    let mut line = match report.packets {
        0 => "no packet transferred".to_owned(),
        count => format!("{}, {} {place}", packets(count), Size(report.bytes)),
    };
    for (count, what) in [
        (report.there, "there already"),
        (report.skipped, "skipped"),
        (report.failed, "failed"),
        (report.busy, "queues locked by another process"),
    ] {
        if count > 0 {
            let _ = write!(line, "; {count} {what}");
        }
    }
    line
}

/// The report as one line of JSON: the key `first`, then every count except `meaningless`.
pub(crate) fn object(report: &Report, first: Option<(&str, &str)>, meaningless: &str) -> String {
    let first = first.map(|(name, value)| (name, Value::from(value)));
    let figures = [
        ("packets", report.packets),
        ("bytes", report.bytes),
        ("there", report.there),
        ("removed", report.removed),
        ("skipped", report.skipped),
        ("failed", report.failed),
        ("busy", report.busy),
    ];
    let figures = figures.into_iter().filter(|(name, _)| *name != meaningless);
    let figures = figures.map(|(name, value)| (name, Value::from(value)));
    let object: Value = first.into_iter().chain(figures).collect();
    format!("{object}\n")
}

/// `1 packet`, `2 packets`.
pub(crate) fn packets(count: u64) -> String {
    format!("{count} packet{}", if count == 1 { "" } else { "s" })
}

/// States whether the packets were synced, so that they survive a power cut.
pub(crate) fn synced() -> &'static str {
    if environment::nosync() { "not synced (NNCPNOSYNC is set)" } else { "synced" }
}

/// Prints a line on standard error, unless `-quiet`.
pub(crate) fn note(talk: &Talk, line: &str) {
    if !talk.quiet {
        stdio::complain(&format!("{}\n", crate::display::escape(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(report: Report, want: &str) {
        assert_eq!(line(&report, "on the stick, synced"), want);
    }

    #[test]
    fn the_line_says_what_is_where() {
        let report = Report { packets: 17, bytes: 61 << 30, ..Report::default() };
        check(report, "17 packets, 61 GiB on the stick, synced");
        check(
            Report { there: 2, failed: 1, ..report },
            "17 packets, 61 GiB on the stick, synced; 2 there already; 1 failed",
        );
        check(
            Report { packets: 1, bytes: 10, ..Report::default() },
            "1 packet, 10 B on the stick, synced",
        );
        check(
            Report { skipped: 3, busy: 1, ..Report::default() },
            "no packet transferred; 3 skipped; 1 queues locked by another process",
        );
        assert!(Report::default().is_nothing());
        assert!(!Report { skipped: 1, ..Report::default() }.is_nothing());
    }
}
