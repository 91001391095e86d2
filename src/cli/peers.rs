//! `packmule peers`: how it stands with each neighbour.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, Names, flags};
use super::session::{self, Session};
use super::shared::{Common, Json};
use super::stdio;
use crate::log::{Target, sentence, size::Size};
use crate::peers::{Standing, Waiting, standings};
use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, ErrorKind};

flags! {
    /// The flags of `peers`.
    pub struct Args {
        use common: Common;
        use json: Json;
        /// Show only that node
        "node" node: Names;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "peers",
    face: Face::Own,
    about: "show how it stands with each neighbour",
    usage: &["[options]"],
    notes: "For each neighbour: the last contact, what waits each way, and what failed since. The\n\
        times of contacts and failures are those of the log.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let session = Session::open(&args.common)?;
    let chosen: Vec<_> = session.chosen(&args.node)?.iter().map(|one| one.id).collect();
    let log = match session::log_target(&args.common, &session.node)? {
        Target::Fd(_) => None,
        Target::File(path) => match File::open(&path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(path.display().to_string()),
        },
    };
    let own = session.node.self_neighbour().id;
    let mut text = String::new();
    for standing in standings(&session.node, &session.spool, log)? {
        if standing.id == own || !chosen.contains(&standing.id) {
            continue;
        }
        text.push_str(&if args.json.json { as_json(&standing) } else { for_people(&standing) });
    }
    stdio::output(text.as_bytes())?;
    Ok(Exit::Done)
}

fn as_json(standing: &Standing) -> String {
    let waiting = |waiting: Waiting| {
        json!({
            "packets": waiting.packets,
            "bytes": waiting.bytes,
            "oldest": waiting.oldest.and_then(time),
        })
    };
    let failure = standing.failure.as_ref().map(|failure| {
        json!({
            "when": failure.when,
            "event": failure.who,
            "message": failure.message,
            "error": failure.error,
        })
    });
    let object = json!({
        "node": standing.name,
        "id": standing.id.to_string(),
        "last_contact": standing.last_contact,
        "rx": waiting(standing.rx),
        "tx": waiting(standing.tx),
        "partial": waiting(standing.partial),
        "failure": failure,
    });
    format!("{object}\n")
}

fn for_people(standing: &Standing) -> String {
    let mut lines = vec![sentence::escape(&standing.name)];
    let contact = standing.last_contact.as_deref().unwrap_or("never");
    lines.push(format!("  last contact  {}", sentence::escape(contact)));
    for (name, waiting) in
        [("to send", standing.tx), ("to toss", standing.rx), ("half received", standing.partial)]
    {
        if waiting.packets == 0 && name == "half received" {
            continue;
        }
        let since = waiting.oldest.and_then(time).map(|time| format!(", oldest {time}"));
        lines.push(format!(
            "  {name:13} {} packets, {}{}",
            waiting.packets,
            Size(waiting.bytes),
            since.unwrap_or_default()
        ));
    }
    if let Some(failure) = &standing.failure {
        let text = format!("{} {}: {}", failure.when, failure.message, failure.error);
        lines.push(format!("  failed        {}", sentence::escape(&text)));
    }
    lines.join("\n") + "\n"
}

fn time(seconds: i64) -> Option<String> {
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}
