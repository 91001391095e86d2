//! Formats metrics as OpenMetrics text.

use super::metrics::Metrics;
use super::queues::Queue;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// All metrics as one text.
pub(super) fn text(metrics: &Metrics, queues: &[Queue]) -> String {
    let mut out = String::new();
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    family(&mut out, "sessions", "gauge", "Sessions running now");
    sample(&mut out, "sessions", "", count(&metrics.active));
    family(&mut out, "sessions_started", "counter", "Sessions established");
    sample(&mut out, "sessions_started_total", "", count(&metrics.sessions));
    family(&mut out, "bytes", "counter", "Bytes on the wire, frames and all");
    sample(&mut out, "bytes_total", r#"{direction="rx"}"#, count(&metrics.rx_bytes));
    sample(&mut out, "bytes_total", r#"{direction="tx"}"#, count(&metrics.tx_bytes));
    family(&mut out, "packets", "counter", "Packets received and verified, or delivered");
    sample(&mut out, "packets_total", r#"{direction="rx"}"#, count(&metrics.rx_packets));
    sample(&mut out, "packets_total", r#"{direction="tx"}"#, count(&metrics.tx_packets));
    family(&mut out, "errors", "counter", "What went wrong, by kind");
    for (name, value) in metrics.faults() {
        sample(&mut out, "errors_total", &format!(r#"{{kind="{name}"}}"#), value);
    }
    let is_wrong = queues.iter().any(|queue| queue.oldest.is_none());
    family(&mut out, "clock_wrong", "gauge", "Whether a packet is newer than the clock");
    sample(&mut out, "clock_wrong", "", u8::from(is_wrong));
    type Figure = (&'static str, &'static str, fn(&Queue) -> Option<u64>);
    let figures: [Figure; 3] = [
        ("queue_packets", "Packets in the spool", |queue| Some(queue.packets)),
        ("queue_bytes", "Bytes in the spool", |queue| Some(queue.bytes)),
        ("oldest_packet_age_seconds", "Age of the oldest packet", |queue| queue.oldest),
    ];
    for (name, help, figure) in figures {
        family(&mut out, name, "gauge", help);
        for queue in queues {
            let labels = format!(r#"{{node="{}",xx="{}"}}"#, label(&queue.node), queue.xx);
            // NaN means unknown in OpenMetrics.
            let value = figure(queue).map_or("NaN".to_owned(), |value| value.to_string());
            sample(&mut out, name, &labels, value);
        }
    }
    out.push_str("# EOF\n");
    out
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(out, "# TYPE packmule_{name} {kind}\n# HELP packmule_{name} {help}.").ok();
}

fn sample(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    writeln!(out, "packmule_{name}{labels} {value}").ok();
}

fn label(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::event::Xx;
    use crate::net::metrics::Fault;

    #[test]
    fn every_sample_belongs_to_a_family_and_the_text_ends() {
        let metrics = Metrics::default();
        metrics.fault(Fault::Accept);
        metrics.rx_bytes.store(7, Relaxed);
        let queue =
            Queue { node: "a\"b".into(), xx: Xx::Tx, packets: 2, bytes: 99, oldest: Some(3600) };
        let text = text(&metrics, &[queue]);
        assert!(text.ends_with("# EOF\n"));
        for line in [
            r#"packmule_bytes_total{direction="rx"} 7"#,
            r#"packmule_errors_total{kind="accept"} 1"#,
            r#"packmule_errors_total{kind="handshake"} 0"#,
            r#"packmule_queue_packets{node="a\"b",xx="tx"} 2"#,
            r#"packmule_oldest_packet_age_seconds{node="a\"b",xx="tx"} 3600"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
