//! `packmule zfs status`: shows the age of backups, and packets that wait.

mod attempts;
mod line;
mod repair;
mod waiting;

use self::line::{Line, WaitingPacket};
use crate::cli::command::{Command, Exit, Face};
use crate::cli::flag::{Flags, flags};
use crate::cli::names::Names;
use crate::cli::operands::Operands;
use crate::cli::shared::{Common, Json};
use crate::cli::{session, stdio};
use crate::config::{Handle, Node};
use crate::handler::Builtin;
use crate::local::Local;
use crate::zfs::command::Zfs;
use crate::zfs::name::Dataset;
use crate::zfs::receive::{Policy, seconds};
use crate::zfs::status::{Newest, Status, StatusError, status};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::SystemTime;

pub(super) const COMMAND: Command = Command {
    name: "zfs status",
    face: Face::Own,
    about: "show the age of backups and the packets that wait for a base",
    usage: &["[options] [DATASET...]"],
    operands: Operands::these("[DATASET...]"),
    notes: "Without DATASETs: all datasets below the --into of each builtin:zfs-receive in the\n\
        configuration, packets that wait for them in the spool, and warnings about settings that\n\
        let a hostile sender or another tool damage the backups. With DATASETs: these and the\n\
        datasets below them; then status reads no configuration. For streams that can never be\n\
        applied, status prints the commands that repair them: those to run here first, and those to\n\
        run on the sender, where NODE is the name of this machine.\n\
        With -json, each line is an object whose kind is newest, empty, waiting or warning. Guids\n\
        are strings, times are seconds since 1970.\n\
        Exit status: 0 no problem. 2 a packet waits that is rejected, cannot be read or needs a\n\
        person; with -max-age also: a backup is older or has no record, or nothing was ever applied\n\
        from one of the senders, into one of the DATASETs, or where a packet waits.\n\
        1 the state could not be determined, or the time of a backup is in the future by the clock\n\
        of this machine.",
    flags: Args::declared,
    start: |call| call.run(run).of_comparison(),
};

flags! {
    /// The flags of `packmule zfs status`.
    struct Args {
        use common: Common;
        use json: Json;
        /// Exit with 2 if a backup is older than this, such as 36h or 14d
        "max-age" max_age: Option<String>;
        /// Skip these datasets, separated by commas, and those below them
        "exclude" exclude: Names;
        /// The zfs program to run on DATASETs
        "zfs" zfs: Option<String>;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let max_age = match &args.max_age {
        None => None,
        Some(text) => Some(seconds(text).with_context(|| format!("-max-age {text:?}"))?),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let mut printer = Printer { max_age, json: args.json.json, ..Printer::default() };
    let excluded = args.exclude.as_deref().into_iter().flat_map(|names| names.split(','));
    let excluded = excluded.map(|name| Dataset::parse(name).with_context(|| "-exclude"));
    let excluded = excluded.collect::<anyhow::Result<Vec<_>>>()?;
    if operands.is_empty() {
        let local = session::open_with_keys(&args.common)?;
        configured(&local, &args.common, &excluded, now, &mut printer)?;
    } else {
        let zfs = Zfs::new(&[], args.zfs.as_deref())?;
        for dataset in operands {
            let root = Dataset::parse(&dataset.to_string_lossy())?;
            printer.root(&root, &[], status(&zfs, &root, &excluded, now));
        }
    }
    Ok(printer.exit())
}

/// Prints what the handlers of the configuration applied, and the packets that wait for them.
fn configured(
    local: &Local,
    common: &Common,
    excluded: &[Dataset],
    now: u64,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let roots = roots(&local.node)?;
    if roots.is_empty() {
        bail!(
            "the configuration has no {}: give DATASETs, or run this where backups are received",
            Builtin::ZFS_RECEIVE
        );
    }
    for Root { policy, senders } in &roots {
        let into = &policy.into;
        // A root inside this one prints the datasets below it.
        let deeper = roots.iter().map(|other| &other.policy.into);
        let deeper = deeper.filter(|other| other.below(into).is_some());
        let others: Vec<_> = deeper.chain(excluded).cloned().collect();
        printer.root(into, senders, status(&policy.zfs, into, &others, now));
    }
    // A packet is in the queue of the neighbour that delivered it, which may be a relay.
    let all = waiting::All::look(local, common)?;
    (0..all.len()).for_each(|at| printer.waiting(all.line(at)));
    if !printer.json {
        all.repairs()
            .iter()
            .for_each(|text| stdio::print(&format!("{}\n", crate::display::escape(text))));
    }
    Ok(())
}

/// A dataset into which a handler receives streams.
struct Root {
    policy: Policy,
    senders: Vec<String>,
}

fn roots(node: &Node) -> anyhow::Result<Vec<Root>> {
    let mut roots: Vec<Root> = Vec::new();
    for Handle { author, words, .. } in node.handles() {
        if !Builtin::ZFS_RECEIVE.is_in(words) {
            continue;
        }
        let policy = Policy::parse(&words[1..], &author)
            .with_context(|| format!("the exec section of {author}"))?;
        match roots.iter_mut().find(|root| root.policy.into == policy.into) {
            Some(root) if root.senders.contains(&author) => {}
            Some(root) => root.senders.push(author),
            None => roots.push(Root { policy, senders: vec![author] }),
        }
    }
    Ok(roots)
}

/// Prints each finding at once, and records what decides the exit status.
#[derive(Default)]
struct Printer {
    max_age: Option<u64>,
    json: bool,
    /// Datasets to which a stream was applied.
    filled: BTreeSet<String>,
    /// A backup is older than `-max-age`, or does not exist.
    old: bool,
    /// A packet waits that cannot be applied until a person acts.
    stuck: bool,
    /// A part of the state could not be determined.
    failed: bool,
}

impl Printer {
    fn print(&self, line: &Line) {
        stdio::print(&line.printed(self.json));
    }

    /// Prints the backups at and below a root that receives from these senders.
    fn root(&mut self, root: &Dataset, senders: &[String], found: Result<Status, StatusError>) {
        let status = match found {
            Ok(status) => status,
            Err(error) => {
                let text = crate::display::escape(&error.to_string());
                stdio::complain(&format!("{text}\n"));
                self.failed = true;
                return;
            }
        };
        self.old |= !status.unrecorded.is_empty();
        let nothing = |sender| Line::Empty { dataset: root.to_string(), sender };
        let silent = silent(&status.newest, senders);
        let mut absent: Vec<_> = silent.cloned().map(Some).map(nothing).collect();
        if senders.is_empty() && status.newest.is_empty() {
            absent.push(nothing(None));
        }
        self.old |= !absent.is_empty();
        for newest in status.newest {
            self.failed |= newest.age.is_none();
            self.old |= newest.age.is_some_and(|age| self.max_age.is_some_and(|most| age > most));
            self.filled.insert(newest.dataset.clone());
            self.print(&Line::Newest(newest));
        }
        absent.iter().for_each(|line| self.print(line));
        status.warnings.into_iter().for_each(|text| self.print(&Line::Warning { text }));
    }

    /// Prints a packet that waits.
    fn waiting(&mut self, waiting: WaitingPacket) {
        self.stuck |= waiting.stuck;
        self.old |= waiting.dataset.as_ref().is_none_or(|dataset| !self.filled.contains(dataset));
        self.print(&Line::Waiting(waiting));
    }

    fn exit(&self) -> Exit {
        match (self.failed, self.stuck || self.max_age.is_some() && self.old) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Different,
            (false, false) => Exit::Done,
        }
    }
}

/// The senders of a root from which no backup exists.
fn silent<'a>(newest: &[Newest], senders: &'a [String]) -> impl Iterator<Item = &'a String> {
    let is_silent = move |name: &&String| match senders {
        // The records may hold an older name of the only sender, so any record counts.
        [_] => newest.is_empty(),
        _ => newest.iter().all(|newest| newest.sender != **name),
    };
    senders.iter().filter(is_silent)
}
