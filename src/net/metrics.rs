//! Figures for monitoring, in the OpenMetrics text format, served over HTTP on loopback.

use super::queues::{Queue, queues};
use super::station::Station;
use super::stop::Stop;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A request has to come, and its answer to be taken, within this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest request that is read.
const MAX_REQUEST: usize = 4096;

/// What went wrong, in kinds that are worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No handshake, or a bad one.
    Handshake,
    /// A key that no neighbour has.
    UnknownKey,
    /// The neighbour is busy with another session.
    Busy,
    /// The peer broke the protocol.
    Protocol,
    /// The stream broke, or the peer stopped taking what we send.
    Stream,
    /// Packets that could not be stored, read, verified or removed.
    Packet,
    /// A connection could not be accepted.
    Accept,
}

const FAULTS: [(Fault, &str); 7] = [
    (Fault::Handshake, "handshake"),
    (Fault::UnknownKey, "unknown-key"),
    (Fault::Busy, "busy"),
    (Fault::Protocol, "protocol"),
    (Fault::Stream, "stream"),
    (Fault::Packet, "packet"),
    (Fault::Accept, "accept"),
];

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    pub(super) active: AtomicU64,
    pub(super) sessions: AtomicU64,
    pub(super) rx_bytes: AtomicU64,
    pub(super) tx_bytes: AtomicU64,
    pub(super) rx_packets: AtomicU64,
    pub(super) tx_packets: AtomicU64,
    faults: [AtomicU64; FAULTS.len()],
}

impl Metrics {
    pub(super) fn fault(&self, fault: Fault) {
        self.faults[fault as usize].fetch_add(1, Relaxed);
    }

    /// The whole exposition.
    fn text(&self, queues: &[Queue]) -> String {
        let mut out = String::new();
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        family(&mut out, "sessions", "gauge", "Sessions running now");
        sample(&mut out, "sessions", "", count(&self.active));
        family(&mut out, "sessions_started", "counter", "Sessions established");
        sample(&mut out, "sessions_started_total", "", count(&self.sessions));
        family(&mut out, "bytes", "counter", "Bytes on the wire, frames and all");
        sample(&mut out, "bytes_total", r#"{direction="rx"}"#, count(&self.rx_bytes));
        sample(&mut out, "bytes_total", r#"{direction="tx"}"#, count(&self.tx_bytes));
        family(&mut out, "packets", "counter", "Packets received and verified, or delivered");
        sample(&mut out, "packets_total", r#"{direction="rx"}"#, count(&self.rx_packets));
        sample(&mut out, "packets_total", r#"{direction="tx"}"#, count(&self.tx_packets));
        family(&mut out, "errors", "counter", "What went wrong, by kind");
        for (fault, name) in FAULTS {
            let value = count(&self.faults[fault as usize]);
            sample(&mut out, "errors_total", &format!(r#"{{kind="{name}"}}"#), value);
        }
        type Figure = (&'static str, &'static str, fn(&Queue) -> u64);
        let figures: [Figure; 3] = [
            ("queue_packets", "Packets in the spool", |queue| queue.packets),
            ("queue_bytes", "Bytes in the spool", |queue| queue.bytes),
            ("oldest_packet_age_seconds", "Age of the oldest packet", |queue| queue.oldest),
        ];
        for (name, help, figure) in figures {
            family(&mut out, name, "gauge", help);
            for queue in queues {
                let labels = format!(r#"{{node="{}",xx="{}"}}"#, label(&queue.node), queue.xx);
                sample(&mut out, name, &labels, figure(queue));
            }
        }
        out.push_str("# EOF\n");
        out
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(out, "# TYPE packmule_{name} {kind}\n# HELP packmule_{name} {help}.").ok();
}

fn sample(out: &mut String, name: &str, labels: &str, value: u64) {
    writeln!(out, "packmule_{name}{labels} {value}").ok();
}

fn label(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

/// Opens the listener for `address`.
///
/// # Errors
/// When it is not a loopback address: the figures are for this host alone.
pub(super) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let text = format!("{address} is not a loopback address");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    TcpListener::bind(address).await
}

/// Serves the figures until stopped.
pub(super) async fn serve(listener: TcpListener, station: &Arc<Station>, mut stop: Stop) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // One at a time: whoever is slow is dropped after a few seconds.
                Ok((stream, _)) => {
                    timeout(PATIENCE, answer(stream, station)).await.ok();
                }
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            },
            () = stop.stopped() => return,
        }
    }
}

async fn answer(mut stream: TcpStream, station: &Arc<Station>) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let found = [&b"GET /metrics "[..], b"GET / "].iter().any(|start| request.starts_with(start));
    let (status, body) = match found {
        true => ("200 OK", station.metrics.text(&queues(station).await)),
        false => ("404 Not Found", "only /metrics is here\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::event::Xx;

    #[test]
    fn every_sample_belongs_to_a_family_and_the_text_ends() {
        let metrics = Metrics::default();
        metrics.fault(Fault::Accept);
        metrics.rx_bytes.store(7, Relaxed);
        let queue = Queue { node: "a\"b".into(), xx: Xx::Tx, packets: 2, bytes: 99, oldest: 3600 };
        let text = metrics.text(&[queue]);
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

    #[test]
    fn faults_are_counted_where_they_are_named() {
        for (index, (fault, _)) in FAULTS.iter().enumerate() {
            assert_eq!(*fault as usize, index);
        }
    }
}
