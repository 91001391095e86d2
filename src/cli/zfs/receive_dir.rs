//! `packmule zfs receive-dir`: streams that arrived as files in incoming directories.

use crate::cli::{
    command::{Command, Exit, Face, WrongUsage},
    flag::{Flags, flags},
    stdio,
};
use crate::log::sentence;
use crate::zfs::lock::Locks;
use crate::zfs::receive::{Outcome, Policy, receive_directory};
use anyhow::{Context, bail};
use std::{ffi::OsString, fs, path::Path, thread, time::Duration};

pub(super) const COMMAND: Command = Command {
    name: "zfs receive-dir",
    face: Face::Own,
    about: "apply streams that arrived as files",
    usage: &["[options] DIR -- SETTINGS..."],
    notes: "DIR holds one incoming directory for each host; in it lie files called\n\
            bakfsfmt2-STAMP_HOST@DATA@SET, of which HOST must be the directory's name. SETTINGS are\n\
            those of builtin:zfs-receive, with {host} for the host:\n\
            \n\
            \x20 packmule zfs receive-dir /srv/incoming -- --into tank/backups/{host}\n\
            \n\
            What is applied or a duplicate is removed; what waits for its base stays and is no\n\
            failure; what is refused stays, is told, and the exit status is 1.",
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
    loop {
        let whole = once(Path::new(directory), &settings, args.quiet)?;
        if args.watch == 0 {
            return Ok(Exit::failed_if(!whole));
        }
        thread::sleep(Duration::from_secs(args.watch));
    }
}

/// Tells whether nothing was refused.
fn once(directory: &Path, settings: &[String], quiet: bool) -> anyhow::Result<bool> {
    let mut whole = true;
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| directory.display().to_string())?;
        let Some(host) = entry.file_name().to_str().map(str::to_owned) else { continue };
        // A link is not a host's directory.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let mut words: Vec<_> = settings.iter().map(|word| word.replace("{host}", &host)).collect();
        words.extend(["--host".to_owned(), host.clone()]);
        let policy = Policy::parse(&words, &host).with_context(|| host.clone())?;
        if policy.receipt.is_some() {
            bail!("--receipt: files have no sender who could be told");
        }
        let mut tell = |path: &Path, outcome: &Outcome| whole &= tell(path, outcome, quiet);
        match receive_directory(&entry.path(), policy, Locks::of_user(), &mut tell) {
            Ok(warnings) => warnings.iter().for_each(|text| complain(&format!("warning: {text}"))),
            Err(error) => {
                complain(&format!("{host}: {error}"));
                whole = false;
            }
        }
    }
    Ok(whole)
}

fn tell(path: &Path, outcome: &Outcome, quiet: bool) -> bool {
    let path = path.display();
    match outcome {
        Outcome::Done(applied) => {
            for one in applied {
                stdio::print(&format!("{}@{}: {} bytes\n", one.target, one.snapshot, one.bytes));
            }
        }
        Outcome::Duplicate(reason) => complain(&format!("{path}: {reason}")),
        Outcome::Defer(wait) if wait.needs_person() => {
            complain(&format!("{path}: {wait}"));
            return false;
        }
        Outcome::Defer(wait) if !quiet => complain(&format!("{path}: deferred: {wait}")),
        Outcome::Defer(_) => {}
        Outcome::Reject(refusal) => {
            complain(&format!("{path}: {refusal}"));
            return false;
        }
    }
    true
}

fn complain(text: &str) {
    stdio::complain(&format!("{}\n", sentence::escape(text)));
}
