//! Multicast discovery: daemons announce themselves on a link, callers listen.
//!
//! The discovered addresses are stored in `heard`.

use super::station::Station;
use super::stop::Stop;
use crate::log::online;
use packmule_protocol::announce;
use regex_lite::Regex;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::{interval, sleep_until};

/// Interval for looking for new interfaces.
const RESCAN: Duration = Duration::from_secs(60);

/// Why discovery cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// A rule for interfaces is not a valid regular expression.
    #[error("interface rule {rule}: {error}")]
    Rule {
        /// The rule.
        rule: String,
        /// The error in it.
        error: Box<regex_lite::Error>,
    },
    /// The socket could not be set up.
    #[error("multicast socket on port {port}: {error}")]
    Socket {
        /// Its port.
        port: u16,
        /// The cause.
        error: io::Error,
    },
}

/// An interface of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interface {
    name: String,
    index: u32,
}

/// Checks the configuration's rules for listening.
pub(super) fn check_listening(station: &Station) -> Result<(), DiscoveryError> {
    rules(station.node().mcd_listen.iter()).map(drop)
}

/// Checks the configuration's rules for announcing.
pub(super) fn check_announcing(station: &Station) -> Result<(), DiscoveryError> {
    rules(station.node().mcd_send.keys()).map(drop)
}

/// Listens for neighbours on the configured interfaces until stopped.
pub(super) async fn listen(station: &Station, mut stop: Stop) -> Result<(), DiscoveryError> {
    let node = station.node();
    let rules = rules(node.mcd_listen.iter())?;
    if rules.is_empty() {
        return Ok(());
    }
    let socket = socket(announce::PORT)?;
    let mut joined = BTreeMap::new();
    let mut rescan = interval(RESCAN);
    // One byte longer than an announcement, to detect datagrams that are too long.
    let mut datagram = [0; announce::LEN + 1];
    loop {
        tokio::select! {
            _ = rescan.tick() => join(station, &socket, &rules, &mut joined),
            received = socket.recv_from(&mut datagram) => match received {
                Ok((len, from)) => take(station, &datagram[..len], from, &joined),
                Err(error) => {
                    station.log.error(online::discovery("all", "receiving on"), &error);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
            () = stop.stopped() => return Ok(()),
        }
    }
}

/// Joins the group on new interfaces.
fn join(
    station: &Station,
    socket: &UdpSocket,
    rules: &[Regex],
    joined: &mut BTreeMap<u32, String>,
) {
    let matching = |name: &str| rules.iter().any(|rule| rule.is_match(name));
    let present: Vec<_> =
        interfaces().into_iter().filter(|interface| matching(&interface.name)).collect();
    joined.retain(|index, _| present.iter().any(|interface| interface.index == *index));
    for Interface { name, index } in present {
        if joined.contains_key(&index) {
            continue;
        }
        match socket.join_multicast_v6(&announce::GROUP, index) {
            Ok(()) => _ = joined.insert(index, name),
            Err(error) => station.log.error(online::discovery(&name, "joining on"), &error),
        }
    }
}

/// Stores the address of a datagram, if it is a neighbour's announcement.
fn take(station: &Station, datagram: &[u8], from: SocketAddr, joined: &BTreeMap<u32, String>) {
    let SocketAddr::V6(from) = from else { return };
    let (Some(interface), Some(id)) = (joined.get(&from.scope_id()), announce::decode(datagram))
    else {
        return;
    };
    let node = station.node();
    let Some(neighbour) = node.by_id(&id) else { return };
    if id == node.self_neighbour().id {
        return;
    }
    let address = format!("[{}%{interface}]:{}", from.ip(), from.port());
    if station.heard.note(id, address.clone(), Instant::now()) {
        station.log.info(online::discovered(interface, neighbour.peer(), &address));
    }
}

/// Announces this node with `port` on the configured interfaces until stopped; only once if `once`
/// is set.
pub(super) async fn announce(
    station: &Station,
    port: u16,
    once: bool,
    mut stop: Stop,
) -> Result<(), DiscoveryError> {
    let node = station.node();
    let rules = rules(node.mcd_send.keys())?;
    if rules.is_empty() {
        return Ok(());
    }
    let rules: Vec<_> = rules.into_iter().zip(node.mcd_send.values().copied()).collect();
    let socket = socket(port)?;
    let datagram = announce::encode(&node.self_neighbour().id);
    let mut due = BTreeMap::new();
    loop {
        let next = announce_due(station, &socket, &datagram, &rules, &mut due).await;
        if once {
            return Ok(());
        }
        tokio::select! {
            () = sleep_until(next.into()) => {}
            () = stop.stopped() => return Ok(()),
        }
    }
}

/// Announces this node on the interfaces whose time has come. Returns when to look again.
async fn announce_due(
    station: &Station,
    socket: &UdpSocket,
    datagram: &[u8],
    rules: &[(Regex, i64)],
    due: &mut BTreeMap<String, Instant>,
) -> Instant {
    let now = Instant::now();
    let mut next = now + RESCAN;
    for Interface { name, index } in interfaces() {
        let Some((_, seconds)) = rules.iter().find(|(rule, _)| rule.is_match(&name)) else {
            continue;
        };
        let again = u64::try_from(*seconds).ok().filter(|seconds| *seconds > 0);
        let at = due.get(&name).copied();
        if at.is_none_or(|at| at <= now) {
            let group = SocketAddrV6::new(announce::GROUP, announce::PORT, 0, index);
            if let Err(error) = socket.send_to(datagram, group).await {
                station.log.error(online::discovery(&name, "announcing on"), &error);
            }
            // An interval of zero means "once", so the pause is practically endless. An
            // interface that disappears and returns is announced on again.
            let pause = Duration::from_secs(again.unwrap_or(u64::from(u32::MAX)));
            due.insert(name.clone(), now + pause);
        }
        next = next.min(due[&name]);
    }
    next
}

fn rules<'a>(texts: impl Iterator<Item = &'a String>) -> Result<Vec<Regex>, DiscoveryError> {
    texts
        .map(|text| {
            Regex::new(text).map_err(|error| DiscoveryError::Rule {
                rule: text.clone(),
                error: Box::new(error),
            })
        })
        .collect()
}

/// A socket whose port can be shared with other daemons and callers on this host.
fn socket(port: u16) -> Result<UdpSocket, DiscoveryError> {
    let open = || -> io::Result<UdpSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::INET6, SocketType::DGRAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        rustix::net::bind(&socket, &SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0))?;
        let socket = UdpSocket::from_std(std::net::UdpSocket::from(socket))?;
        socket.set_multicast_loop_v6(false)?;
        Ok(socket)
    };
    open().map_err(|error| DiscoveryError::Socket { port, error })
}

/// The interfaces that are up and support multicast, as the kernel lists them.
fn interfaces() -> Vec<Interface> {
    const UP: u32 = 0x1;
    const MULTICAST: u32 = 0x1000;
    let Ok(entries) = std::fs::read_dir("/sys/class/net") else { return Vec::new() };
    let read = |entry: std::fs::DirEntry| {
        let text = |file| std::fs::read_to_string(entry.path().join(file)).ok();
        let flags = text("flags")?;
        let flags = u32::from_str_radix(flags.trim().strip_prefix("0x")?, 16).ok()?;
        let index = text("ifindex")?.trim().parse().ok()?;
        let name = entry.file_name().into_string().ok()?;
        (flags & (UP | MULTICAST) == UP | MULTICAST).then_some(Interface { name, index })
    };
    let mut found: Vec<_> = entries.flatten().filter_map(read).collect();
    found.sort_by_key(|interface| interface.index);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_is_no_expression_is_named() {
        let error = rules([&"eth[".to_owned()].into_iter()).unwrap_err();
        assert!(error.to_string().starts_with("interface rule eth[: "), "{error}");
    }
}
