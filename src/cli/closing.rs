//! The last line of a transfer: what is where now.

use super::{environment, shared::Talk, stdio};
use crate::display::Size;
use std::fmt::Write;

/// What a transfer did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Packets that are where they were to go.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that were there already.
    pub there: u64,
    /// Packets that were passed over.
    pub skipped: u64,
    /// Packets and directories that something was wrong with.
    pub failed: u64,
    /// Neighbours whose queues another process holds.
    pub busy: u64,
}

impl Sum {
    /// Whether there was nothing to do, and nothing to pass over.
    pub fn is_nothing(&self) -> bool {
        let Self { packets, skipped, failed, busy, .. } = self;
        packets + skipped + failed + busy == 0
    }

    /// `17 packets, 61 GiB on the stick, synced; 1 was there already`; `place` is where, and how
    /// well.
    pub fn line(&self, place: &str) -> String {
        let mut line = match self.packets {
            0 => "no packet transferred".to_owned(),
            count => format!("{}, {} {place}", packets(count), Size(self.bytes)),
        };
        for (count, what) in [
            (self.there, "there already"),
            (self.skipped, "skipped"),
            (self.failed, "failed"),
            (self.busy, "queues locked by another process"),
        ] {
            if count > 0 {
                let _ = write!(line, "; {count} {what}");
            }
        }
        line
    }
}

/// A number of packets.
pub fn packets(count: u64) -> String {
    format!("{count} packet{}", if count == 1 { "" } else { "s" })
}

/// Whether what was written would survive a power cut.
pub fn synced() -> &'static str {
    if environment::nosync() { "not synced (NNCPNOSYNC is set)" } else { "synced" }
}

/// Prints a line on standard error, unless `-quiet`.
pub fn note(talk: &Talk, line: &str) {
    if !talk.quiet {
        stdio::complain(&format!("{}\n", crate::display::escape(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sum: Sum, want: &str) {
        assert_eq!(sum.line("on the stick, synced"), want);
    }

    #[test]
    fn the_line_says_what_is_where() {
        let sum = Sum { packets: 17, bytes: 61 << 30, ..Sum::default() };
        check(sum, "17 packets, 61 GiB on the stick, synced");
        check(
            Sum { there: 2, failed: 1, ..sum },
            "17 packets, 61 GiB on the stick, synced; 2 there already; 1 failed",
        );
        check(
            Sum { packets: 1, bytes: 10, ..Sum::default() },
            "1 packet, 10 B on the stick, synced",
        );
        check(
            Sum { skipped: 3, busy: 1, ..Sum::default() },
            "no packet transferred; 3 skipped; 1 queues locked by another process",
        );
        assert!(Sum::default().is_nothing());
        assert!(!Sum { skipped: 1, ..Sum::default() }.is_nothing());
    }
}
