//! Calls a neighbour now.

use super::address::{Address, AddressError};
use super::driver::Outcome;
use super::handshake::{self, SetupError};
use super::link::Link;
use super::locks::{self, Locks};
use super::metrics::Fault;
use super::runtime::{RuntimeError, block_on};
use super::station::Station;
use super::stop::Stop;
use super::terms::Terms;
use super::{discovery, leftover, offers, session};
use crate::config::Neighbour;
use crate::log::online;
use crate::random;
use packmule_protocol::sync::Session;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Time limit for connecting: to a configured address, and to a discovered one.
const CONNECT: Duration = Duration::from_secs(60);
const CONNECT_HEARD: Duration = Duration::from_secs(5);
/// Pause before another attempt. The reference releases its locks a moment after it hangs up.
const AGAIN: Duration = Duration::from_millis(500);

/// The addresses to call.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// These addresses, one after the other.
    Addresses(Vec<String>),
    /// The descriptors 6 and 7.
    Ucspi,
    /// Addresses at which the neighbour is discovered within this time.
    Heard(Duration),
}

/// Why there was no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The neighbour has no key for calls.
    #[error("Node does not have online communication capability")]
    NoKey,
    /// The configuration has no private keys.
    #[error("no private keys in the configuration")]
    NoOwnKeys,
    /// No address is known.
    #[error("no address to call")]
    NoAddress,
    /// The neighbour was not discovered.
    #[error("No MCD packets from the node during {} seconds", .0.as_secs())]
    NotHeard(Duration),
    /// Discovery failed.
    #[error(transparent)]
    Discovery(#[from] discovery::DiscoveryError),
    /// The runtime could not start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No address led to a session. The reasons are in the log.
    #[error("no session with any address")]
    Unreachable,
}

/// The result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Called {
    /// The session ended normally and transferred everything.
    pub good: bool,
    /// All packets that were tossed during the call were processed successfully.
    pub tossed_well: bool,
}

/// Calls a neighbour and exchanges packets with it until neither side has more to send.
///
/// # Errors
/// If there was no session.
pub(crate) fn call(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    target: Target,
    terms: &Terms,
) -> Result<Called, CallError> {
    block_on(async |stop| call_async(station, neighbour, target, terms, stop).await)?
}

async fn call_async(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    target: Target,
    terms: &Terms,
    stop: Stop,
) -> Result<Called, CallError> {
    let addresses = match target {
        Target::Ucspi => vec![Address::Ucspi],
        Target::Heard(wait) => wait_for(station, neighbour, wait, stop.clone()).await?,
        Target::Addresses(texts) => parse(station, neighbour, &texts),
    };
    try_each(station, neighbour, &addresses, terms, stop).await
}

/// Parses addresses. Logs those that are invalid.
pub(super) fn parse(station: &Station, neighbour: &Neighbour, texts: &[String]) -> Vec<Address> {
    let parsed = |text: &String| {
        let address: Result<Address, AddressError> = text.parse();
        let failed = |error| {
            let shown = text.split('?').next().unwrap_or_default();
            station.log.error(online::calling(neighbour.peer(), shown), &error);
        };
        address.map_err(failed).ok()
    };
    texts.iter().filter_map(parsed).collect()
}

/// Calls one address after the other until one leads to a session.
pub(super) async fn try_each(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    addresses: &[Address],
    terms: &Terms,
    stop: Stop,
) -> Result<Called, CallError> {
    if neighbour.noisepub.is_none() {
        return Err(CallError::NoKey);
    }
    if addresses.is_empty() {
        return Err(CallError::NoAddress);
    }
    let reached = || station.reached.lock().unwrap_or_else(PoisonError::into_inner);
    let mut addresses = addresses.to_vec();
    let last = reached().get(&neighbour.id).cloned();
    // The address that worked last time comes first; the others keep their order.
    addresses.sort_by_key(|address| Some(address) != last.as_ref());
    for address in &addresses {
        let mut tried = attempt(station, neighbour, address, terms, stop.clone()).await;
        if matches!(tried, Err(SetupError::HungUp)) && *address != Address::Ucspi {
            tokio::time::sleep(AGAIN).await;
            tried = attempt(station, neighbour, address, terms, stop.clone()).await;
        }
        match tried {
            Ok(called) => {
                reached().insert(neighbour.id, address.clone());
                return Ok(called);
            }
            // Calling the other addresses would have the same result.
            Err(SetupError::Busy | SetupError::Disk(_) | SetupError::Stopped) => break,
            Err(SetupError::NoKeys) => return Err(CallError::NoOwnKeys),
            Err(_) => {}
        }
    }
    Err(CallError::Unreachable)
}

/// Calls one address. Logs a failure.
async fn attempt(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    address: &Address,
    terms: &Terms,
    mut stop: Stop,
) -> Result<Called, SetupError> {
    let shown = address.to_string();
    let who = neighbour.peer();
    station.log.debug(|| online::calling(who, &shown));
    let patience = if station.heard.has(&neighbour.id, address) { CONNECT_HEARD } else { CONNECT };
    let connected = tokio::select! {
        connected = Link::connect(address, patience) => connected,
        () = stop.stopped() => return Err(SetupError::Stopped),
    };
    let mut link = connected.inspect_err(|error| {
        station.metrics.fault(Fault::Stream);
        station.log.error(online::calling(who, &shown), &crate::display::reason(error));
    })?;
    let set_up = set_up(station, neighbour, terms, &mut link, &mut stop).await;
    let (session, locks) = match set_up {
        Ok(ready) => ready,
        Err(error) => {
            station.metrics.fault(match error {
                SetupError::Busy => Fault::Busy,
                _ => Fault::Handshake,
            });
            station.log.error(online::call_started(who, &shown), &error);
            link.close().await;
            return Err(error);
        }
    };
    station.log.info(online::call_started(who, &shown));
    let result = session::run(station, neighbour, terms, session, link, locks, stop).await;
    station.log.info(online::call_finished(who, &shown, &result.figures));
    leftover::tell(station, neighbour, &result.outcome.left);
    let good = Outcome::is_good(&result.outcome);
    Ok(Called { good, tossed_well: result.tossed_well })
}

/// Takes the locks and does the handshake.
async fn set_up(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    terms: &Terms,
    link: &mut Link,
    stop: &mut Stop,
) -> Result<(Session, Locks), SetupError> {
    let keys = station.key().ok_or(SetupError::NoKeys)?;
    let theirs = neighbour.noisepub.as_ref().ok_or(SetupError::UnknownKey)?;
    neighbour.check_noise_key().map_err(SetupError::BadKey)?;
    let locks = locks::take(station, neighbour, terms).await?;
    let offers = offers::waiting(station, neighbour, terms).await?;
    let now = Instant::now();
    let options = terms.options(neighbour, station.deadline);
    offers::tell(station, neighbour, terms, &offers);
    let (ephemeral, deadline) = (random::seed()?, station.deadline);
    let mut session = Session::call(now, &keys, theirs, ephemeral, deadline, options, offers);
    handshake::shake(&mut session, link, stop, None, Session::is_established).await?;
    Ok((session, locks))
}

/// Waits until the neighbour is discovered.
async fn wait_for(
    station: &Arc<Station>,
    neighbour: &Neighbour,
    wait: Duration,
    stop: Stop,
) -> Result<Vec<Address>, CallError> {
    let listening = discovery::listen(station, stop);
    tokio::pin!(listening);
    let end = tokio::time::sleep(wait);
    tokio::pin!(end);
    let mut looks = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            listened = &mut listening => {
                listened?;
                return Err(CallError::NotHeard(wait));
            }
            _ = looks.tick() => {
                let heard = station.heard.of(&neighbour.id, Instant::now());
                if !heard.is_empty() {
                    return Ok(heard);
                }
            }
            () = &mut end => return Err(CallError::NotHeard(wait)),
        }
    }
}
