//! `packmule zfs status`: how old backups are, and what waits.

use crate::cli::{
    command::{Command, Exit, Face},
    flag::{Flags, flags},
    session::Session,
    shared::{Common, Json},
    stdio,
};
use crate::handler::zfs_receive;
use crate::log::{Log, sentence};
use crate::toss::{Options, Toss};
use crate::zfs::command::Zfs;
use crate::zfs::name::Dataset;
use crate::zfs::receive::{Policy, seconds};
use crate::zfs::status::{Newest, status};
use anyhow::Context;
use std::{collections::BTreeSet, ffi::OsString, time::SystemTime};

pub(super) const COMMAND: Command = Command {
    name: "zfs status",
    face: Face::Own,
    about: "tell how old backups are and what waits for which base",
    usage: &["[options] [DATASET...]"],
    notes: "Without DATASETs: everything below the --into of each builtin:zfs-receive in the\n\
            configuration, what waits for it in the spool, and warnings of settings by which a\n\
            hostile sender or a helpful tool could do damage to the backups. With DATASETs, those and what is\n\
            below them; then no configuration is read.\n\
            Exit status: 0 all is well, 2 something is older than -max-age (or nothing is there),\n\
            1 it could not be found out.",
    flags: Args::declared,
    start: |call| match call.run(run) {
        // 2 is for what is too old.
        Exit::Usage => Exit::Failed,
        exit => exit,
    },
};

flags! {
    /// The flags of `packmule zfs status`.
    struct Args {
        use common: Common;
        use json: Json;
        /// Fail when a backup is older, such as 36h or 14d
        "max-age" max_age: Option<String>;
        /// The zfs to run on given DATASETs
        "zfs" zfs: Option<String>;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let max_age = match &args.max_age {
        None => None,
        Some(text) => Some(seconds(text).with_context(|| format!("-max-age {text:?}"))?),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let mut newest = Vec::new();
    if operands.is_empty() {
        newest.extend(configured(args, now)?);
    } else {
        let zfs = Zfs::new(&[], args.zfs.as_deref())?;
        for dataset in operands {
            let root = Dataset::parse(&dataset.to_string_lossy())?;
            newest.extend(status(&zfs, &root, now)?.newest);
        }
    }
    newest.iter().for_each(|newest| tell(newest, args.json.json));
    let old = |most| newest.is_empty() || newest.iter().any(|newest| newest.age > most);
    Ok(if max_age.is_some_and(old) { Exit::Different } else { Exit::Done })
}

/// What the handlers of the configuration applied; what waits for them is told at once.
fn configured(args: &Args, now: u64) -> anyhow::Result<Vec<Newest>> {
    let session = Session::open_with_keys(&args.common)?;
    let mut seen = BTreeSet::new();
    let mut newest = Vec::new();
    for neighbour in session.node.neighbours.values() {
        let ours = |words: &&Vec<String>| words.first().is_some_and(|w| w == zfs_receive::NAME);
        for words in neighbour.exec.values().filter(ours) {
            let policy = Policy::parse(&words[1..], &neighbour.name)
                .with_context(|| format!("the exec section of {}", neighbour.name))?;
            if seen.insert(policy.into.clone()) {
                let found = status(&policy.zfs, &policy.into, now)?;
                newest.extend(found.newest);
                found.warnings.iter().for_each(|text| warn(text, args.json.json));
            }
        }
        // A packet lies with the neighbour that handed it over, who may be a relay.
        waiting(args, &session, neighbour)?;
    }
    Ok(newest)
}

fn waiting(
    args: &Args,
    session: &Session,
    neighbour: &crate::config::Neighbour,
) -> anyhow::Result<()> {
    let options = Options::default();
    // A look is no event.
    let log = Log::none();
    let mut outbox = session.outbox();
    outbox.log = &log;
    for (job, held) in (Toss { outbox, options: &options }).zfs_waiting(neighbour)? {
        let target = held.target.map(|target| target.to_string());
        let sender = session.node.by_id(&job.header.sender).map_or("?", |sender| &sender.name);
        let state = held.outcome.as_ref().map_or_else(|| "ready".to_owned(), describe);
        if args.json.json {
            let line = serde_json::json!({
                "waiting": job.hash.to_string(), "sender": sender,
                "dataset": target, "state": state, "size": job.size,
            });
            stdio::print(&format!("{line}\n"));
        } else {
            let target = target.unwrap_or_else(|| "?".to_owned());
            let text = format!("{target}: packet {} from {sender}: {state}", job.hash);
            stdio::print(&format!("{}\n", sentence::escape(&text)));
        }
    }
    Ok(())
}

fn warn(text: &str, json: bool) {
    let line = if json {
        serde_json::json!({ "warning": text }).to_string()
    } else {
        sentence::escape(&format!("warning: {text}"))
    };
    stdio::print(&format!("{line}\n"));
}

fn describe(outcome: &crate::zfs::receive::Outcome) -> String {
    use crate::zfs::receive::Outcome;
    match outcome {
        Outcome::Done(_) => "ready".to_owned(),
        Outcome::Duplicate(reason) => format!("duplicate: {reason}"),
        Outcome::Defer(wait) => wait.to_string(),
        Outcome::Reject(refusal) => format!("refused: {refusal}"),
    }
}

fn tell(newest: &Newest, json: bool) {
    let line = match serde_json::to_string(newest) {
        Ok(line) if json => line,
        _ => {
            let Newest { dataset, snapshot, sender, age, .. } = newest;
            let (hours, minutes) = (age / 3600, age % 3600 / 60);
            let text = format!("{dataset}@{snapshot} from {sender}, {hours}h{minutes:02}m old");
            sentence::escape(&text)
        }
    };
    stdio::print(&format!("{line}\n"));
}
