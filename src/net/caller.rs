//! Calls neighbours by schedule.

use super::address::Address;
use super::call::{parse, try_each};
use super::daemon::Reload;
use super::discovery::{self, DiscoveryError};
use super::runtime::{self, RuntimeError, block_on, blocking};
use super::station::Station;
use super::stop::{Stop, stop};
use super::supervisor::Supervisor;
use super::terms::Terms;
use crate::config::{Autotoss, Call, Direction, Neighbour};
use crate::log::online;
use crate::spool::Xx;
use jiff::ZonedDateTime;
use packmule_protocol::id::NodeId;
use packmule_protocol::sync::Flow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Interval for reading the clock: it may be set, and the host may have been suspended.
const LOOK: Duration = Duration::from_secs(20);

/// The options of a caller.
pub(crate) struct Caller {
    /// Names of the neighbours to call; all neighbours if empty.
    pub names: Vec<String>,
    /// Toss during every call, in addition to the calls' own settings.
    pub autotoss: Option<Autotoss>,
    /// The socket of the service manager that waits for the readiness signal.
    pub supervisor: Option<PathBuf>,
    /// Reads the configuration again after SIGHUP.
    pub reload: Option<Reload>,
}

/// Why a caller cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallerError {
    /// A neighbour with `calls` has no key for calls.
    #[error("Node {0} does not have online communication capability")]
    NoKey(String),
    /// An unknown neighbour was named.
    #[error("{0}: unknown node")]
    Unknown(String),
    /// Discovery failed.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The runtime could not start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

/// One entry of a neighbour's `calls`.
#[derive(Clone)]
struct Entry {
    neighbour: Neighbour,
    index: usize,
    call: Call,
    autotoss: Option<Autotoss>,
}

/// The neighbours that are being called.
type Busy = Arc<Mutex<HashSet<NodeId>>>;

/// Calls by schedule until SIGINT or SIGTERM, or until no schedule has a time left.
///
/// # Errors
/// If a schedule or a neighbour is not fit for calling.
pub(crate) fn caller(station: &Arc<Station>, caller: Caller) -> Result<(), CallerError> {
    let entries = entries(station, &caller)?;
    if entries.is_empty() {
        // The service manager must not take an empty schedule for a failed start.
        Supervisor::new(caller.supervisor).ready();
        return Ok(());
    }
    discovery::check_listening(station)?;
    block_on(async |stop| run(station, caller, entries, stop).await)?
}

/// The calls of the current configuration.
fn entries(station: &Station, caller: &Caller) -> Result<Vec<Entry>, CallerError> {
    let node = station.node();
    let neighbours: Vec<&Neighbour> = match caller.names.as_slice() {
        [] => node.neighbours.values().collect(),
        names => names
            .iter()
            .map(|name| node.find(name).map_err(|_| CallerError::Unknown(name.clone())))
            .collect::<Result<_, _>>()?,
    };
    let mut entries = Vec::new();
    for neighbour in neighbours.into_iter().filter(|neighbour| !neighbour.calls.is_empty()) {
        if neighbour.noisepub.is_none() {
            let error = CallerError::NoKey(neighbour.name.clone());
            if !caller.names.is_empty() {
                return Err(error);
            }
            // The other neighbours are called nevertheless.
            station.log.error(online::calling(neighbour.peer(), "calls"), &error);
            continue;
        }
        for (index, call) in neighbour.calls.iter().enumerate() {
            entries.push(Entry {
                neighbour: neighbour.clone(),
                index,
                call: call.clone(),
                autotoss: either(call.autotoss, caller.autotoss),
            });
        }
    }
    Ok(entries)
}

/// Combines the settings of both.
fn either(one: Option<Autotoss>, other: Option<Autotoss>) -> Option<Autotoss> {
    one.zip(other).map(|(one, other)| one.and(other)).or(one).or(other)
}

async fn run(
    station: &Arc<Station>,
    caller: Caller,
    mut entries: Vec<Entry>,
    mut process: Stop,
) -> Result<(), CallerError> {
    let supervisor = Supervisor::new(caller.supervisor.clone());
    let mut hangups = runtime::hangups()?;
    let busy = Busy::default();
    let mut listening = listen(station, process.clone());
    let mut schedules = JoinSet::new();
    loop {
        // A reload ends schedules of the old configuration, but not their current calls.
        let (stopper, outdated) = stop();
        for entry in entries {
            let waits = process.clone().or(&outdated);
            let calls = process.clone();
            schedules.spawn(keep(Arc::clone(station), entry, Arc::clone(&busy), waits, calls));
        }
        supervisor.ready();
        let reloaded = loop {
            tokio::select! {
                // Either no schedule has a time left, or all of them have noticed the stop first.
                ended = schedules.join_next() => if ended.is_none() {
                    break false;
                },
                Some(()) = hangups.recv(), if caller.reload.is_some() => {
                    if reload(station, &caller, &supervisor) {
                        break true;
                    }
                }
                () = process.stopped() => break false,
            }
        };
        stopper.stop();
        if !reloaded {
            break;
        }
        listening.abort_all();
        listening = listen(station, process.clone());
        entries = self::entries(station, &caller)?;
    }
    supervisor.stopping();
    while schedules.join_next().await.is_some() {}
    Ok(())
}

fn listen(station: &Arc<Station>, stop: Stop) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let station = Arc::clone(station);
    tasks.spawn(async move {
        if let Err(error) = discovery::listen(&station, stop).await {
            station.log.error(online::discovery("all", "listening on"), &error);
        }
    });
    tasks
}

/// Reads the configuration again, for SIGHUP; whether there is a new one.
fn reload(station: &Station, caller: &Caller, supervisor: &Supervisor) -> bool {
    supervisor.reloading();
    let reloaded = read_again(station, caller);
    if !reloaded {
        supervisor.ready();
    }
    reloaded
}

/// Reads the configuration again. Returns false if it is not fit for calling; the old one then
/// stays.
fn read_again(station: &Station, caller: &Caller) -> bool {
    let Some(node) = caller.reload.as_ref().and_then(|reload| reload()) else { return false };
    let old = station.node();
    station.reload(node);
    match entries(station, caller) {
        Ok(_) => true,
        Err(error) => {
            station.log.error(online::configuration(), &error);
            station.reload((*old).clone());
            false
        }
    }
}

/// Calls at the times of one schedule.
async fn keep(station: Arc<Station>, entry: Entry, busy: Busy, mut waits: Stop, calls: Stop) {
    loop {
        let Some(next) = entry.call.cron.next(&ZonedDateTime::now()) else {
            let record = online::schedule(entry.neighbour.peer(), entry.index);
            station.log.error(record, &"got zero time");
            return;
        };
        tokio::select! {
            () = until(&next) => {}
            () = waits.stopped() => return,
        }
        let lock = || busy.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().insert(entry.neighbour.id) {
            fire(&station, &entry, calls.clone()).await;
            lock().remove(&entry.neighbour.id);
        }
    }
}

/// Waits until this time by the system clock.
async fn until(next: &ZonedDateTime) {
    loop {
        let left = next.timestamp().duration_since(jiff::Timestamp::now());
        match Duration::try_from(left) {
            Ok(left) if !left.is_zero() => sleep(left.min(LOOK)).await,
            _ => return,
        }
    }
}

/// Makes one call, if its conditions are met.
async fn fire(station: &Arc<Station>, entry: &Entry, stop: Stop) {
    let Entry { neighbour, call, .. } = entry;
    if call.when_tx_exists && call.xx != Some(Direction::Rx) && !has_queue(station, entry).await {
        return;
    }
    let terms = Terms {
        flow: match call.xx {
            None => Flow::Both,
            Some(Direction::Rx) => Flow::Receive,
            Some(Direction::Tx) => Flow::Send,
        },
        limit: call.nice,
        only: None,
        rxrate: call.rxrate,
        txrate: call.txrate,
        onlinedeadline: call.onlinedeadline,
        maxonlinetime: call.maxonlinetime,
        inherit_maxonlinetime: false,
        nock: call.nock,
        autotoss: entry.autotoss,
    };
    // Failures are in the log, and the next call is made in any case.
    let addresses = addresses(station, neighbour, call);
    try_each(station, neighbour, &addresses, &terms, stop).await.ok();
}

async fn has_queue(station: &Arc<Station>, entry: &Entry) -> bool {
    let (spool, id, limit) = (station.spool.clone(), entry.neighbour.id, entry.call.nice);
    blocking(move || {
        spool
            .listing(&id, Xx::Tx)
            .is_ok_and(|listing| listing.jobs.iter().any(|job| job.nice() <= limit))
    })
    .await
}

/// The addresses to call: first discovered ones, then those of the configuration.
fn addresses(station: &Station, neighbour: &Neighbour, call: &Call) -> Vec<Address> {
    let mut addresses = match call.mcd_ignore {
        true => Vec::new(),
        false => station.heard.of(&neighbour.id, Instant::now()),
    };
    let texts: Vec<String> = match &call.addr {
        Some(addr) => vec![neighbour.addrs.get(addr).unwrap_or(addr).clone()],
        None => neighbour.addrs.values().cloned().collect(),
    };
    addresses.extend(parse(station, neighbour, &texts));
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use packmule_protocol::packet::{Kind, Kinds};

    #[test]
    fn wishes_to_toss_add_up() {
        let files = Kinds::of(&[Kind::File]);
        let one = Autotoss { leave: files, ..Autotoss::default() };
        let other = Autotoss { doseen: true, ..Autotoss::default() };
        assert_eq!(either(None, None), None);
        assert_eq!(either(Some(one), None), Some(one));
        let both = Autotoss { leave: files, doseen: true, ..Autotoss::default() };
        assert_eq!(either(Some(one), Some(other)), Some(both));
    }
}
