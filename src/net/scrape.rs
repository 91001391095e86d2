//! Serves metrics over HTTP on loopback.
//!
//! Connections are served in parallel. A client that does not send or read occupies a connection
//! for a few seconds and delays no other client: if all are in use, the oldest is closed.

use super::exposition;
use super::queues::queues;
use super::station::Station;
use super::stop::Stop;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Time limit for a complete request, and for sending the response.
const PATIENCE: Duration = Duration::from_secs(5);
/// Limit for the number of connections.
const MOST: usize = 64;
/// Limit for the length of a request.
const MAX_REQUEST: usize = 4096;
/// Pause after a connection could not be accepted.
const BREATH: Duration = Duration::from_secs(1);

/// Opens the listener for `address`.
///
/// # Errors
/// If it is not a loopback address: metrics are for this host only.
pub(super) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let text = format!("{address} is not a loopback address");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    TcpListener::bind(address).await
}

/// Serves metrics until stopped.
pub(super) async fn serve(listener: TcpListener, station: &Arc<Station>, mut stop: Stop) {
    let desk = Arc::new(Desk { station: Arc::clone(station), turn: Arc::new(Semaphore::new(1)) });
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    make_room(&mut oldest);
                    let desk = Arc::clone(&desk);
                    oldest.push_back(connections.spawn(async move {
                        let (reader, writer) = stream.into_split();
                        desk.answer(reader, writer).await.ok();
                    }));
                }
                Err(_) => sleep(BREATH).await,
            },
            _ = connections.join_next(), if !connections.is_empty() => {}
            () = stop.stopped() => return,
        }
    }
}

/// Closes the oldest connection if there is no room for another one.
fn make_room(oldest: &mut VecDeque<AbortHandle>) {
    oldest.retain(|connection| !connection.is_finished());
    if oldest.len() >= MOST
        && let Some(connection) = oldest.pop_front()
    {
        connection.abort();
    }
}

/// Responds to requests.
struct Desk {
    station: Arc<Station>,
    /// Lists the spool for one request at a time.
    turn: Arc<Semaphore>,
}

impl Desk {
    async fn answer(
        &self,
        reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let Some(request) = timeout(PATIENCE, read(reader)).await?? else { return Ok(()) };
        let found =
            [&b"GET /metrics "[..], b"GET / "].iter().any(|start| request.starts_with(start));
        let answer = match found {
            true => response("200 OK", &self.figures().await),
            false => response("404 Not Found", "only /metrics is here\n"),
        };
        timeout(PATIENCE, writer.write_all(answer.as_bytes())).await?
    }

    async fn figures(&self) -> String {
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok();
        let queues = queues(&self.station, turn).await;
        exposition::text(&self.station.metrics, &queues)
    }
}

/// Reads the request, at least its first line; `None` if the client hangs up before its end.
async fn read(mut reader: impl AsyncRead + Unpin) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        if reader.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(request))
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
