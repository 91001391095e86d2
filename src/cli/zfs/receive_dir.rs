//! `packmule zfs receive-dir`: applies streams that arrived as files in incoming directories.

use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::stdio;
use crate::zfs::lock::Locks;
use crate::zfs::receive::{
    Outcome, Policy, PolicyError, ReceiveError, holds_streams, receive_directory,
};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

pub(super) const COMMAND: Command = Command {
    name: "zfs receive-dir",
    face: Face::Own,
    about: "apply streams that arrived as files",
    usage: &["[options] DIR -- SETTINGS..."],
    operands: Operands::these("DIR [WORD...]"),
    notes: concat!(
        "DIR holds one incoming directory for each host. Its files are named\n\
         bakfsfmt2-STAMP_HOST@DATA@SET; HOST must be the directory's name. SETTINGS are those of\n\
         builtin:zfs-receive, in which {host} stands for the host:\n\
         \n\
         \x20 packmule zfs receive-dir /srv/incoming -- --into tank/backups/{host}\n\
         \n\
         Removes each file that was applied or is a duplicate. Keeps files that wait for their\n\
         base; this is no failure. Keeps and reports files that are rejected or fail, and exits\n\
         with 1. With -watch, reports each of these again only if it changes.\n\
         \n\
         SETTINGS (--host is always {host}; --receipt is not allowed):\n\
         \n",
        "{settings:zfs-receive}\n",
    ),
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs receive-dir`.
    struct Args {
        /// Run forever: look again every N seconds
        "watch" watch: u64;
        /// Do not report files that wait
        "quiet" quiet: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [directory, settings @ ..] = operands else { return Err(WrongUsage.into()) };
    let settings = settings.strip_prefix(&[OsString::from("--")]).unwrap_or(settings);
    let settings: Vec<String> =
        settings.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // Check the settings once, so that an error in them ends the command before any host.
    if policy(&settings, "host")?.receipt.is_some() {
        bail!("--receipt is not allowed: a file has no sender to confirm to");
    }
    let mut reporter = Reporter { quiet: args.quiet, ..Reporter::default() };
    loop {
        match once(Path::new(directory), &settings, &mut reporter) {
            // With `-watch`, the directory may be mounted again later.
            Err(error) if args.watch > 0 => reporter.fault(&format!("{error:#}")),
            other => other?,
        }
        let whole = reporter.end_round();
        if args.watch == 0 {
            return Ok(Exit::failed_if(!whole));
        }
        thread::sleep(Duration::from_secs(args.watch));
    }
}

/// The policy of a host: the settings with its name filled in.
fn policy(settings: &[String], host: &str) -> Result<Policy, PolicyError> {
    let mut words: Vec<_> = settings.iter().map(|word| word.replace("{host}", host)).collect();
    words.extend(["--host".to_owned(), host.to_owned()]);
    Policy::parse(&words, host)
}

fn once(directory: &Path, settings: &[String], reporter: &mut Reporter) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| directory.display().to_string())?;
        // A link is not a host's directory.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let (name, path) = (entry.file_name(), entry.path());
        match policy(settings, &name.to_string_lossy()) {
            Ok(policy) => host(&path, policy, reporter),
            Err(error) if holds_streams(&path) => {
                reporter.fault(&format!("{}: {error}", path.display()));
            }
            // Not the name of a host, such as lost+found.
            Err(_) => {}
        }
    }
    Ok(())
}

/// Applies the files in the directory of one host.
fn host(directory: &Path, policy: Policy, reporter: &mut Reporter) {
    let mut report = |path: &Path, outcome: Result<&Outcome, &ReceiveError>| match outcome {
        Ok(outcome) => reporter.outcome(path, outcome),
        Err(error) => reporter.fault(&format!("{}: {error}", path.display())),
    };
    match receive_directory(directory, policy, Locks::of_user(), &mut report) {
        Ok(warnings) => warnings.iter().for_each(|text| reporter.say(&format!("warning: {text}"))),
        Err(error) => reporter.fault(&format!("{}: {error}", directory.display())),
    }
}

/// Reports the outcome of files. Skips a report that the previous round already printed.
#[derive(Default)]
struct Reporter {
    /// Do not report files that wait.
    quiet: bool,
    /// A file was rejected or failed in this round.
    failed: bool,
    /// Reports of this round, and of the one before.
    said: BTreeSet<String>,
    said_before: BTreeSet<String>,
}

impl Reporter {
    fn outcome(&mut self, path: &Path, outcome: &Outcome) {
        let path = path.display();
        match outcome {
            Outcome::Done(applied) => {
                for one in applied {
                    let text = format!("{}@{}: {} bytes\n", one.target, one.snapshot, one.bytes);
                    stdio::print(&text);
                }
            }
            Outcome::Duplicate(reason) => self.say(&format!("{path}: {reason}")),
            Outcome::Defer(wait) if wait.needs_person() => self.fault(&format!("{path}: {wait}")),
            Outcome::Defer(wait) if !self.quiet => self.say(&format!("{path}: deferred: {wait}")),
            Outcome::Defer(_) => {}
            Outcome::Reject(refusal) => self.fault(&format!("{path}: {refusal}")),
        }
    }

    fn fault(&mut self, text: &str) {
        self.failed = true;
        self.say(text);
    }

    fn say(&mut self, text: &str) {
        if !self.said_before.contains(text) && !self.said.contains(text) {
            stdio::complain(&format!("{}\n", crate::display::escape(text)));
        }
        self.said.insert(text.to_owned());
    }

    /// Ends a round. True if no file was rejected or failed in it.
    fn end_round(&mut self) -> bool {
        self.said_before = std::mem::take(&mut self.said);
        !std::mem::take(&mut self.failed)
    }
}
