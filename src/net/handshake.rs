//! Makes a stream an established session: identifies the caller and does the handshake.

use super::link::Link;
use super::station::Station;
use super::stop::Stop;
use crate::config::{BadKey, Neighbour, Node};
use crate::disk::DiskError;
use crate::random::NoRandomness;
use packmule_protocol::keys::NoisePublic;
use packmule_protocol::sync::{Closed, Session};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep_until;

/// Bytes per read during the handshake.
const READ: usize = 16 << 10;

/// Why a session did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    /// The handshake failed.
    #[error(transparent)]
    Handshake(Closed),
    /// The peer hung up: it does not know this node's key, or has another session with this node.
    #[error("peer hung up before the handshake was done")]
    HungUp,
    /// The stream failed.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// Another session with this neighbour is running.
    #[error("resource temporarily unavailable")]
    Busy,
    /// A disk operation in the spool failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No neighbour has the caller's key.
    #[error("unknown peer")]
    UnknownKey,
    /// The neighbour's key is weak.
    #[error(transparent)]
    BadKey(BadKey),
    /// The configuration has no private keys.
    #[error("no private keys in the configuration")]
    NoKeys,
    /// The operating system's random number generator failed.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// This process was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Exchanges bytes until `done` returns true (the caller's key is known, or the handshake is done)
/// or the time is over.
pub(super) async fn shake(
    session: &mut Session,
    link: &mut Link,
    stop: &mut Stop,
    until: Option<Instant>,
    done: impl Fn(&Session) -> bool,
) -> Result<(), SetupError> {
    let mut buffer = vec![0; READ];
    loop {
        let now = Instant::now();
        session.handle_timeout(now);
        if let Some(closed) = session.closed() {
            return Err(SetupError::Handshake(closed));
        }
        let wake = session.poll_timeout().unwrap_or(now);
        let mut out = Vec::new();
        while session.poll_output(now, &mut out) {}
        if !out.is_empty() {
            tokio::select! {
                wrote = link.writer.write_all(&out) => wrote.map_err(broken)?,
                () = sleep_until(wake.into()) => {
                    return Err(SetupError::Handshake(Closed::NoHandshake));
                }
                () = stop.stopped() => return Err(SetupError::Stopped),
            }
        }
        if done(session) || until.is_some_and(|until| now >= until) {
            return Ok(());
        }
        let wake = until.map_or(wake, |until| until.min(wake));
        tokio::select! {
            read = link.reader.read(&mut buffer) => match read.map_err(broken)? {
                0 => return Err(SetupError::HungUp),
                len => session.handle_input(Instant::now(), &buffer[..len]),
            },
            () = sleep_until(wake.into()) => {}
            () = stop.stopped() => return Err(SetupError::Stopped),
        }
        if done(session) {
            return Ok(());
        }
    }
}

// A peer that hangs up before it has read everything resets the connection. That is a normal end,
// too.
fn broken(error: io::Error) -> SetupError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => SetupError::HungUp,
        _ => SetupError::Stream(error),
    }
}

/// Reads the first message and returns the neighbour that calls.
pub(super) async fn identify(
    station: &Arc<Station>,
    session: &mut Session,
    link: &mut Link,
    stop: &mut Stop,
) -> Result<Neighbour, Unidentified> {
    let identified = |session: &Session| session.caller().is_some();
    shake(session, link, stop, None, identified).await.map_err(Unidentified::Silent)?;
    let key = session.caller().expect("identified");
    let node = station.node();
    neighbour_of(&node, &key).cloned().ok_or(Unidentified::Unknown(key))
}

/// A caller that was not identified.
pub(super) enum Unidentified {
    /// It sent no valid first message.
    Silent(SetupError),
    /// No neighbour has its key.
    Unknown(NoisePublic),
}

/// The neighbour with this key; the first by name if two have it. No neighbour for a weak key,
/// since everybody could use it.
fn neighbour_of<'a>(node: &'a Node, key: &NoisePublic) -> Option<&'a Neighbour> {
    let has_it = |neighbour: &&Neighbour| neighbour.noisepub.as_ref() == Some(key);
    node.neighbours.values().find(has_it).filter(|_| !key.is_weak())
}
