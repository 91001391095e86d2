//! Accepts a limited number of connections; strangers make room for new ones.

use super::answer::{Known, Server};
use super::link::Link;
use super::metrics::Fault;
use super::stop::Stop;
use crate::display::reason;
use crate::log::online;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// If all slots are taken, a connection that has not proven its identity within this time is closed.
const PATIENCE: Duration = Duration::from_millis(500);
/// Pause after a connection could not be accepted, for example because descriptors ran out.
const BREATH: Duration = Duration::from_millis(200);

/// A connection that has not proven its identity.
struct Stranger {
    since: Instant,
    task: AbortHandle,
    known: Known,
}

impl Stranger {
    fn is_one(&self) -> bool {
        !self.task.is_finished() && !self.known.load(Ordering::Relaxed)
    }
}

/// Accepts connections until stopped, then waits for their sessions.
///
/// Accepts at most `most` at a time. If all slots are taken, it closes a connection that has not
/// proven its identity, so that strangers cannot keep neighbours out.
pub(super) async fn accept(
    server: Arc<Server>,
    listener: TcpListener,
    most: usize,
    mut stop: Stop,
) {
    let mut connections = JoinSet::new();
    let mut strangers: VecDeque<Stranger> = VecDeque::new();
    loop {
        while connections.try_join_next().is_some() {}
        strangers.retain(Stranger::is_one);
        let full = connections.len() >= most.max(1);
        if full && strangers.front().is_some_and(|oldest| oldest.since.elapsed() >= PATIENCE) {
            strangers.pop_front().expect("looked at above").task.abort();
            connections.join_next().await;
            continue;
        }
        tokio::select! {
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, from)) => {
                    let known = Known::default();
                    let serve = Arc::clone(&server);
                    let serve = connection(serve, stream, from, Arc::clone(&known), stop.clone());
                    let task = connections.spawn(serve);
                    strangers.push_back(Stranger { since: Instant::now(), task, known });
                }
                Err(error) => {
                    server.station.metrics.fault(Fault::Accept);
                    server.station.log.error(online::accepting(), &reason(&error));
                    sleep(BREATH).await;
                }
            },
            _ = connections.join_next(), if !connections.is_empty() => {}
            () = sleep(PATIENCE), if full => {}
            () = stop.stopped() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    server: Arc<Server>,
    stream: TcpStream,
    from: SocketAddr,
    known: Known,
    stop: Stop,
) {
    match Link::tcp(stream) {
        Ok(link) => server.answer(link, &shown(from), &known, stop).await,
        Err(error) => server.station.log.error(online::accepting(), &reason(&error)),
    }
}

/// The address as text for the log. An IPv4 address is shown as such, even on an IPv6 socket.
fn shown(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}
