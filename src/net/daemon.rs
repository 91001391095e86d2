//! Serves calls: connections on a TCP port, or one on inherited descriptors.

use super::accept::accept;
use super::answer::{Known, Server};
use super::discovery::{self, DiscoveryError};
use super::link::Link;
use super::runtime::{self, RuntimeError, block_on, blocking};
use super::scrape;
use super::station::Station;
use super::stop::Stop;
use super::supervisor::Supervisor;
use super::terms::Terms;
use crate::config::Node;
use crate::display::reason;
use crate::inherited;
use crate::log::online;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::task::JoinSet;

/// The options of a daemon.
pub(crate) struct Daemon {
    /// The address to listen on.
    pub listen: Listen,
    /// Maximum number of connections; further ones wait to be accepted.
    pub max_connections: usize,
    /// The terms of each session.
    pub terms: Terms,
    /// The loopback address for metrics.
    pub metrics: Option<SocketAddr>,
    /// The socket of the service manager that waits for the readiness signal.
    pub supervisor: Option<PathBuf>,
    /// Reads the configuration again after SIGHUP.
    pub reload: Option<Reload>,
}

/// Reads the configuration again. Returns `None` after it has reported an error in it.
pub(crate) type Reload = Box<dyn Fn() -> Option<Node> + Send + Sync>;

/// What a daemon listens on.
pub(crate) enum Listen {
    /// This address.
    Address(String),
    /// This number of sockets from systemd, at the descriptors from 3 on.
    Inherited(u32),
    /// Nothing: the daemon only announces, and serves metrics.
    Nowhere,
}

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// The address has no port, or its port is not a number.
    #[error("Can not parse port: {0}")]
    Port(String),
    /// The daemon cannot listen on the address.
    #[error("Can not listen: {address}: {error}")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        error: io::Error,
    },
    /// Metrics cannot be served.
    #[error("Can not serve metrics: {0}")]
    Metrics(io::Error),
    /// Announcements cannot be sent.
    #[error("Can not do MCD transmission: {0}")]
    Discovery(#[from] DiscoveryError),
    /// The runtime could not start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The configuration has no private keys.
    #[error("no private keys in the configuration")]
    NoKeys,
}

/// The port of an address: the part after its last colon.
///
/// # Errors
/// If it is not a number.
pub(crate) fn port_of(address: &str) -> Result<u16, DaemonError> {
    let port = address.rsplit(':').next().unwrap_or_default();
    port.parse().map_err(|_| DaemonError::Port(address.into()))
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// If the daemon cannot start.
pub(crate) fn daemon(station: &Arc<Station>, daemon: Daemon) -> Result<(), DaemonError> {
    station.key().ok_or(DaemonError::NoKeys)?;
    block_on(async |stop| serve(station, daemon, stop).await)?
}

/// Announces this node once, on every interface that the configuration names.
///
/// # Errors
/// If announcements cannot be sent.
pub(crate) fn announce_once(station: &Arc<Station>, address: &str) -> Result<(), DaemonError> {
    let port = port_of(address)?;
    block_on(async |stop| discovery::announce(station, port, true, stop).await)??;
    Ok(())
}

/// Serves one session on standard input and output. `label` is the caller's name in the log.
///
/// # Errors
/// If the session cannot start.
pub(crate) fn serve_one(
    station: &Arc<Station>,
    terms: &Terms,
    label: &str,
) -> Result<(), DaemonError> {
    station.key().ok_or(DaemonError::NoKeys)?;
    block_on(async |stop| {
        let open = || Link::descriptors(inherited::take(0)?, inherited::take(1)?);
        match open() {
            Ok(link) => {
                let server = Server::new(station, terms.clone());
                server.answer(link, label, &Known::default(), stop).await;
            }
            Err(error) => station.log.error(online::accepting(), &reason(&error)),
        }
    })?;
    Ok(())
}

async fn serve(station: &Arc<Station>, daemon: Daemon, mut stop: Stop) -> Result<(), DaemonError> {
    let (listeners, port) = listeners(&daemon.listen).await?;
    let supervisor = Supervisor::new(daemon.supervisor);
    let mut tasks = JoinSet::new();
    if let Some(address) = daemon.metrics {
        let listener = scrape::bind(address).await.map_err(DaemonError::Metrics)?;
        let (station, stop) = (Arc::clone(station), stop.clone());
        tasks.spawn(async move {
            scrape::serve(listener, &station, stop).await;
        });
    }
    if let Some(port) = port {
        // Checked now, so that an invalid rule is reported at the start and not at the first
        // announcement.
        discovery::check_announcing(station)?;
        tasks.spawn(announce(Arc::clone(station), port, stop.clone()));
    }
    if let Some(reload) = daemon.reload {
        let hangups = runtime::hangups()?;
        tasks.spawn(keep_reloading(Arc::clone(station), reload, hangups, supervisor.clone()));
    }
    let server = Arc::new(Server::new(station, daemon.terms));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let server = Arc::clone(&server);
        accepting.spawn(accept(server, listener, daemon.max_connections, stop.clone()));
    }
    supervisor.ready();
    stop.stopped().await;
    supervisor.stopping();
    // Sessions get the signal themselves, and store what they have received.
    while accepting.join_next().await.is_some() {}
    tasks.shutdown().await;
    Ok(())
}

async fn announce(station: Arc<Station>, port: u16, stop: Stop) {
    if let Err(error) = discovery::announce(&station, port, false, stop).await {
        station.log.error(online::discovery("all", "announcing on"), &error);
    }
}

/// Reads the configuration again on each SIGHUP.
async fn keep_reloading(
    station: Arc<Station>,
    reload: Reload,
    mut hangups: Signal,
    supervisor: Supervisor,
) {
    let reload = Arc::new(reload);
    while hangups.recv().await.is_some() {
        supervisor.reloading();
        let reload = Arc::clone(&reload);
        if let Some(node) = blocking(move || reload()).await {
            station.reload(node);
        }
        supervisor.ready();
    }
}

async fn listeners(listen: &Listen) -> Result<(Vec<TcpListener>, Option<u16>), DaemonError> {
    match listen {
        Listen::Nowhere => Ok((Vec::new(), None)),
        Listen::Address(address) => {
            let port = port_of(address)?;
            let failed = |error| DaemonError::Listen { address: address.clone(), error };
            // Like the reference, ":port" means all addresses.
            let bind = match address.strip_prefix(':') {
                Some(port) => format!("[::]:{port}"),
                None => address.clone(),
            };
            let listener = TcpListener::bind(bind).await.map_err(failed)?;
            let port = if port == 0 { listener.local_addr().map_err(failed)?.port() } else { port };
            Ok((vec![listener], Some(port)))
        }
        Listen::Inherited(count) => {
            let mut listeners = Vec::new();
            for number in (3_u32..).take(*count as usize) {
                let failed = |error| DaemonError::Listen { address: format!("fd {number}"), error };
                let fd = inherited::take(number).map_err(failed)?;
                let listener = std::net::TcpListener::from(fd);
                listener.set_nonblocking(true).map_err(failed)?;
                listeners.push(TcpListener::from_std(listener).map_err(failed)?);
            }
            let port = listeners.first().and_then(|listener| listener.local_addr().ok());
            Ok((listeners, port.map(|address| address.port())))
        }
    }
}
