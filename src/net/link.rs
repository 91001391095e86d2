//! Streams to a peer. All of them carry the same bytes.

use super::address::Address;
use super::descriptor::Descriptor;
use crate::inherited;
use rustix::net::sockopt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Head start of one resolved address over the next.
const STAGGER: Duration = Duration::from_millis(250);
/// How long a command may run after its call has ended.
const LINGER: Duration = Duration::from_secs(10);

/// A stream to a peer.
pub(super) struct Link {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
    child: Option<Child>,
}

impl Link {
    /// Opens a stream to `address` within `limit`.
    pub(super) async fn connect(address: &Address, limit: Duration) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let dialled = timeout(limit, dial(address)).await;
                Self::tcp(dialled.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
            }
            Address::Command(command) => Self::command(command),
            Address::Ucspi => Self::descriptors(inherited::take(6)?, inherited::take(7)?),
        }
    }

    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        // With keepalive, a vanished peer is detected within a minute instead of two hours.
        sockopt::set_socket_keepalive(&stream, true)?;
        sockopt::set_tcp_keepidle(&stream, Duration::from_secs(30))?;
        sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(10))?;
        sockopt::set_tcp_keepcnt(&stream, 3)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: Box::new(reader), writer: Box::new(writer), child: None })
    }

    pub(super) fn descriptors(read: OwnedFd, write: OwnedFd) -> io::Result<Self> {
        let (reader, writer) = (Descriptor::new(read)?, Descriptor::new(write)?);
        Ok(Self { reader: Box::new(reader), writer: Box::new(writer), child: None })
    }

    /// Uses the standard input and output of a shell command as the stream. The command runs in a
    /// process group of its own, so that the whole group can be killed.
    fn command(command: &str) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let reader = child.stdout.take().expect("piped above");
        let writer = child.stdin.take().expect("piped above");
        Ok(Self { reader: Box::new(reader), writer: Box::new(writer), child: Some(child) })
    }

    /// Closes the stream and waits for its command.
    pub(super) async fn close(self) {
        drop((self.reader, self.writer));
        let Some(mut child) = self.child else { return };
        let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if timeout(LINGER, child.wait()).await.is_err() {
            if let Some(group) = group {
                let kill = rustix::process::Signal::KILL;
                rustix::process::kill_process_group(group, kill).ok();
            }
            child.wait().await.ok();
        }
    }
}

/// Connects to the first address of `address` that answers.
async fn dial(address: &str) -> io::Result<TcpStream> {
    let mut dials = JoinSet::new();
    for (index, target) in resolve(address).await?.into_iter().enumerate() {
        let wait = STAGGER * u32::try_from(index).unwrap_or(u32::MAX);
        dials.spawn(async move {
            sleep(wait).await;
            TcpStream::connect(target).await
        });
    }
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "no address of this name"));
    while let Some(dialled) = dials.join_next().await {
        result = dialled.map_err(io::Error::other)?;
        if result.is_ok() {
            break;
        }
    }
    result
}

async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let port: u16 = port.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // The resolver accepts zones ("fe80::1%eth0"), but no brackets.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}
