//! The packets that wait for the receiving handlers. Searches the queues of all neighbours, because
//! a base and its increment may arrive through different neighbours.

use super::attempts::{Attempt, attempts};
use super::line::{READY, WaitingPacket};
use super::repair;
use crate::cli::shared::Common;
use crate::config::Neighbour;
use crate::local::Local;
use crate::log::Log;
use crate::spool::Job;
use crate::toss::{Options, Toss};
use crate::zfs::decide::{Refusal, Wait};
use crate::zfs::receive::{Outcome, Prediction, Preview};
use std::collections::{BTreeMap, BTreeSet};

/// A packet that waits.
struct Found {
    job: Job,
    prediction: Prediction,
    /// The sender's name in our configuration.
    sender: String,
    /// Number of partly received packets from the neighbour that delivered it.
    unfinished: usize,
}

/// All packets that wait.
pub(super) struct All {
    found: Vec<Found>,
    /// By dataset and guid: the packet that will create this snapshot.
    makes: BTreeMap<(String, u64), usize>,
    attempts: BTreeMap<String, Attempt>,
    /// Datasets for which a full stream starts a new chain.
    anew: BTreeSet<String>,
}

impl All {
    /// Reads the stream headers in every queue.
    pub(super) fn look(local: &Local, common: &Common) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        // A packet is in the queue of the neighbour that delivered it, which may be a relay.
        for neighbour in local.node.neighbours.values() {
            found.extend(of(local, neighbour)?);
        }
        let is_ready = |found: &&Found| found.prediction.outcome.is_none();
        let ready: Vec<_> = found.iter().filter(is_ready).map(Found::packet).collect();
        let attempts =
            if ready.is_empty() { BTreeMap::new() } else { attempts(local, common, &ready)? };
        let makes = found.iter().enumerate().filter_map(|(at, found)| {
            Some(((found.prediction.name.clone()?, found.prediction.to_guid?), at))
        });
        let makes = makes.collect();
        let anew = found
            .iter()
            .map(|found| &found.prediction)
            .filter(|prediction| prediction.outcome.as_ref().is_some_and(repair::begins_anew));
        let anew = anew.filter_map(|prediction| prediction.name.clone()).collect();
        Ok(Self { found, makes, attempts, anew })
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The line of one packet.
    pub(super) fn line(&self, at: usize) -> WaitingPacket {
        let found = &self.found[at];
        let Found { job, prediction, sender, .. } = found;
        let stream = prediction.stream.as_ref();
        let base = stream.map(|stream| stream.from_guid).filter(|guid| *guid != 0);
        let newest = stream.and_then(|stream| stream.newest.as_ref());
        let repair = self.repair(found);
        let failed = prediction.outcome.is_none()
            && matches!(self.attempts.get(&found.packet()), Some(Attempt::Failed(_)));
        WaitingPacket {
            packet: found.packet(),
            sender: sender.clone(),
            dataset: prediction.name.clone(),
            stuck: failed || prediction.outcome.as_ref().is_some_and(Outcome::is_stuck),
            state: self.state(found),
            size: job.size,
            since: job.modified.0,
            base: base.map(|guid| guid.to_string()),
            newest: newest.map(|newest| newest.guid.to_string()),
            first: repair.as_ref().and_then(|(stream, _)| stream.first.clone()),
            repair: repair.map(|(_, command)| command),
        }
    }

    /// The repair commands for streams that can never be applied, without duplicates.
    pub(super) fn repairs(&self) -> BTreeSet<String> {
        self.found.iter().filter_map(|found| self.advice(found)).collect()
    }

    fn state(&self, found: &Found) -> String {
        let Some(outcome) = &found.prediction.outcome else {
            return match self.attempts.get(&found.packet()) {
                None => READY.to_owned(),
                Some(Attempt::Deferred(why)) => format!("the last toss deferred it: {why}"),
                Some(Attempt::Failed(why)) => {
                    format!("the last toss could not apply it, the next one tries again: {why}")
                }
            };
        };
        let state = match outcome {
            Outcome::Done(_) => READY.to_owned(),
            Outcome::Duplicate(reason) => format!("duplicate: {reason}"),
            Outcome::Defer(wait) => wait.to_string(),
            Outcome::Reject(refusal) => format!("rejected: {refusal}"),
        };
        match self.base_here(found) {
            Some(base) if base.prediction.outcome.is_none() => {
                format!("{state}, which packet {} makes: it is applied after that", base.packet())
            }
            Some(base) => format!("{state}, which packet {} makes: see there", base.packet()),
            None => state,
        }
    }

    /// The waiting packet that will create this one's base. If there is one, nothing was lost.
    fn base_here(&self, found: &Found) -> Option<&Found> {
        let guid = missing(found.prediction.outcome.as_ref()?)?;
        let at = self.makes.get(&(found.prediction.name.clone()?, guid))?;
        self.found.get(*at)
    }

    fn repair<'a>(&self, found: &'a Found) -> Option<(&'a Preview, String)> {
        if self.base_here(found).is_some() {
            return None;
        }
        let stream = found.prediction.stream.as_ref()?;
        Some((stream, repair::command(stream, found.prediction.outcome.as_ref())?))
    }

    fn advice(&self, found: &Found) -> Option<String> {
        let (stream, command) = self.repair(found)?;
        let (target, sender) = (&stream.target, &found.sender);
        let here = match &stream.newest {
            Some(newest) => format!("the newest is {}, guid {}", newest.name, newest.guid),
            None => "nothing is there".to_owned(),
        };
        let (case, whose) = match self.anew.contains(target.as_str()) {
            true if stream.bases.len() > 1 => {
                (format!("if {sender} still has one of those here"), "there")
            }
            true => (format!("if {sender} still has that"), "there"),
            false => ("if a packet was lost".to_owned(), sender.as_str()),
        };
        let others = match found.unfinished {
            0 => String::new(),
            number => format!(", and is not among the {number} that are half received"),
        };
        let first = stream.first.as_ref().map(|first| format!(" first here: {first}; then"));
        let on = if whose == "there" { "there".to_owned() } else { format!("on {whose}") };
        let first = first.unwrap_or_default();
        let comma = if first.is_empty() { "," } else { ":" };
        Some(format!("{target}: {here}; {case}{others}{comma}{first} {on}: {command}"))
    }
}

impl Found {
    fn packet(&self) -> String {
        self.job.hash.to_string()
    }
}

/// The guid of the snapshot for which a stream waits.
fn missing(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::Defer(wait) | Outcome::Reject(Refusal::GivenUp(wait)) => match wait {
            Wait::Base(guid) | Wait::Full(guid) => Some(*guid),
            _ => None,
        },
        _ => None,
    }
}

/// The packets that wait in the queue of one neighbour.
fn of(local: &Local, neighbour: &Neighbour) -> anyhow::Result<Vec<Found>> {
    let options = Options::default();
    // `status` must not log events of its own.
    let silent = Local { log: Log::none(), ..local.clone() };
    let waiting = (Toss { local: &silent, options: &options }).zfs_waiting(neighbour)?;
    let unfinished =
        local.spool.parts(&neighbour.id)?.len() + local.spool.nocks(&neighbour.id)?.jobs.len();
    let sender = |job: &Job| {
        let known = local.node.by_id(&job.header.sender);
        known.map_or("?", |sender| &sender.name).to_owned()
    };
    let found = waiting.into_iter().map(|(job, prediction)| Found {
        sender: sender(&job),
        job,
        prediction,
        unfinished,
    });
    Ok(found.collect())
}
