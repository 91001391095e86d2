//! `packmule doctor`: finds faults of this node and prints how to repair them.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::shared::{Json, Paths};
use super::{environment, session, stdio, zfs};
use crate::config::{self, ConfigError, Loaded};
use crate::doctor::{Finding, Level, Patient, examine};
use crate::handler::{Unusable, unanswered, unusable};
use crate::log::Log;
use crate::spool::{self, Spool};
use jiff::Timestamp;
use serde_json::json;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

flags! {
    /// The flags of `doctor`.
    pub(crate) struct Args {
        use paths: Paths;
        use json: Json;
    }
}

/// The row of the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "doctor",
    face: Face::Own,
    about: "find faults of this node and print how to repair them",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "Checks the configuration, keys and ids, permissions of files that hold private keys, routes,\n\
        calls, directories, programs, handlers, sets of ZFS datasets, the spool, its owner and stale\n\
        files, free space and the clock. Changes nothing.\n\
        \n\
        Exit status: 1 if there is a fault, 0 if there are only warnings or nothing.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let path = session::config_path(&args.paths.config);
    let findings = match config::load(&path, session::passphrase) {
        Ok(loaded) => findings(args, &path, &loaded),
        Err(error) => vec![without(&path, &error)],
    };
    let text: String = match args.json.json {
        true => findings.iter().map(line).collect(),
        false if findings.is_empty() => "nothing is wrong\n".into(),
        false => findings.iter().map(paragraph).collect(),
    };
    stdio::output(text.as_bytes())?;
    Ok(Exit::failed_if(findings.iter().any(|finding| finding.level == Level::Fault)))
}

/// The only finding if the configuration cannot be read.
fn without(path: &Path, error: &ConfigError) -> Finding {
    let (name, advice) = match error {
        ConfigError::Io { path: at, error, .. }
            if at == path && error.kind() == io::ErrorKind::NotFound =>
        {
            (
                "config-missing",
                format!(
                    "make one: (umask 077; packmule cfgnew > {}); or give its path with -cfg or NNCPCFG",
                    path.display()
                ),
            )
        }
        ConfigError::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
            ("config-unreadable", "run packmule as the user who owns it".into())
        }
        _ => ("config-unusable", "correct it; nncp.hjson(5) lists what is allowed".into()),
    };
    Finding { level: Level::Fault, name, what: error.to_string(), advice }
}

fn findings(args: &Args, path: &Path, loaded: &Loaded) -> Vec<Finding> {
    let given = args.paths.spool.clone().or(environment::spool().map(PathBuf::from));
    let root = given.unwrap_or_else(|| loaded.node.spool.clone());
    let options = spool::Options { hdr: false, ..Default::default() };
    let spool = Spool::new(root, options, Log::none());
    let patient = Patient {
        config: path,
        loaded,
        spool: &spool,
        programs: &environment::path(),
        now: Timestamp::now(),
    };
    let mut findings = examine(&patient);
    findings.extend(unusable(&loaded.node).map(of_handle));
    findings.extend(unanswered(&loaded.node).map(of_silent));
    findings.extend(zfs::findings(&loaded.node, &spool));
    findings
}

fn of_handle(Unusable { at, reason }: Unusable) -> Finding {
    Finding {
        level: Level::Fault,
        name: "handler-unusable",
        what: format!("{at}: {reason}"),
        advice: "correct it; packmule-handle(1) lists the settings of each builtin".into(),
    }
}

fn of_silent(Unusable { at, reason }: Unusable) -> Finding {
    let advice = "remove that setting: nobody who posts to an area gets answers";
    let (level, name) = (Level::Warning, "answer-lost");
    Finding { level, name, what: format!("{at}: {reason}"), advice: advice.into() }
}

fn level(finding: &Finding) -> &'static str {
    match finding.level {
        Level::Fault => "fault",
        Level::Warning => "warning",
    }
}

fn line(finding: &Finding) -> String {
    let object = json!({
        "level": level(finding),
        "name": finding.name,
        "what": finding.what,
        "advice": finding.advice,
    });
    format!("{object}\n")
}

fn paragraph(finding: &Finding) -> String {
    let (what, advice) =
        (crate::display::escape(&finding.what), crate::display::escape(&finding.advice));
    format!("{}: {what}\n    {advice}\n", level(finding))
}
