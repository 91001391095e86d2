//! `packmule zfs receive-dir`: streams that arrived as files in incoming directories.

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
        "DIR holds one incoming directory for each host; in it lie files called\n\
         bakfsfmt2-STAMP_HOST@DATA@SET, of which HOST must be the directory's name. SETTINGS are\n\
         those of builtin:zfs-receive, with {host} for the host:\n\
         \n\
         \x20 packmule zfs receive-dir /srv/incoming -- --into tank/backups/{host}\n\
         \n\
         What is applied or a duplicate is removed; what waits for its base stays and is no\n\
         failure; what is refused or fails stays, is told, and the exit status is 1. With -watch\n\
         each of these is told once, until it changes.\n\
         \n\
         SETTINGS, of which --host is always {host}, and --receipt is not for files:\n\
         \n",
        "{settings:zfs-receive}\n",
    ),
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs receive-dir`.
    struct Args {
        /// Look again every so many seconds, and do not end
        "watch" watch: u64;
        /// Print nothing about what waits
        "quiet" quiet: bool;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [directory, settings @ ..] = operands else { return Err(WrongUsage.into()) };
    let settings = settings.strip_prefix(&[OsString::from("--")]).unwrap_or(settings);
    let settings: Vec<String> =
        settings.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // What is wrong with them for any host ends the command.
    if policy(&settings, "host")?.receipt.is_some() {
        bail!("--receipt: files have no sender who could be told");
    }
    let mut teller = Teller { quiet: args.quiet, ..Teller::default() };
    loop {
        match once(Path::new(directory), &settings, &mut teller) {
            // It may come back.
            Err(error) if args.watch > 0 => teller.fault(&format!("{error:#}")),
            other => other?,
        }
        let whole = teller.end_round();
        if args.watch == 0 {
            return Ok(Exit::failed_if(!whole));
        }
        thread::sleep(Duration::from_secs(args.watch));
    }
}

/// The settings, for this host.
fn policy(settings: &[String], host: &str) -> Result<Policy, PolicyError> {
    let mut words: Vec<_> = settings.iter().map(|word| word.replace("{host}", host)).collect();
    words.extend(["--host".to_owned(), host.to_owned()]);
    Policy::parse(&words, host)
}

fn once(directory: &Path, settings: &[String], teller: &mut Teller) -> anyhow::Result<()> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| directory.display().to_string())?;
        // A link is not a host's directory.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let (name, path) = (entry.file_name(), entry.path());
        match policy(settings, &name.to_string_lossy()) {
            Ok(policy) => host(&path, policy, teller),
            Err(error) if holds_streams(&path) => {
                teller.fault(&format!("{}: {error}", path.display()));
            }
            // What is no host's, such as lost+found.
            Err(_) => {}
        }
    }
    Ok(())
}

/// Applies what lies in the directory of one host.
fn host(directory: &Path, policy: Policy, teller: &mut Teller) {
    let mut tell = |path: &Path, outcome: Result<&Outcome, &ReceiveError>| match outcome {
        Ok(outcome) => teller.outcome(path, outcome),
        Err(error) => teller.fault(&format!("{}: {error}", path.display())),
    };
    match receive_directory(directory, policy, Locks::of_user(), &mut tell) {
        Ok(warnings) => warnings.iter().for_each(|text| teller.say(&format!("warning: {text}"))),
        Err(error) => teller.fault(&format!("{}: {error}", directory.display())),
    }
}

/// Says what became of files, and says nothing twice in a row.
#[derive(Default)]
struct Teller {
    /// What only waits is not told.
    quiet: bool,
    /// Something was refused or failed in this round.
    failed: bool,
    /// What was said in this round, and in the one before.
    said: BTreeSet<String>,
    said_before: BTreeSet<String>,
}

impl Teller {
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

    /// Tells whether nothing was refused or failed in the round that ends.
    fn end_round(&mut self) -> bool {
        self.said_before = std::mem::take(&mut self.said);
        !std::mem::take(&mut self.failed)
    }
}
