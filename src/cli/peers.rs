//! `packmule peers`: shows the state of each neighbour.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::{Common, Json};
use super::{session, stdio};
use crate::age;
use crate::display::Size;
use crate::doctor::peers::{Standing, log_of, standings};
use crate::spool::Totals;
use jiff::Timestamp;
use serde_json::json;
use std::ffi::OsString;

flags! {
    /// The flags of `peers`.
    pub(crate) struct Args {
        use common: Common;
        use json: Json;
        /// Show only this node
        "node" node: Names;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "peers",
    face: Face::Own,
    about: "show the state of each neighbour",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "For each neighbour: last contact, queues in both directions, and the last failure since\n\
        that contact. Times of contacts and failures come from the log.\n\
        Exit status: 1 also if one of the times is in the future: then the clock of this machine is\n\
        wrong, and peers cannot calculate ages.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open(&args.common)?;
    let chosen: Vec<_> = session::chosen(&local, &args.node)?.iter().map(|one| one.id).collect();
    let log = log_of(&session::log_target(&args.common, &local.node)?)?;
    let own = local.node.self_neighbour().id;
    let now = Timestamp::now().as_second();
    let (mut text, mut is_wrong) = (String::new(), false);
    for standing in standings(&local.node, &local.spool, log)? {
        if standing.id == own || !chosen.contains(&standing.id) {
            continue;
        }
        is_wrong |= is_of_the_future(&standing, now);
        let standing = if args.json.json { as_json } else { for_people }(&standing, now);
        text.push_str(&standing);
    }
    stdio::output(text.as_bytes())?;
    if is_wrong {
        stdio::complain(
            "the log or the spool has times in the future: set the clock of this machine\n",
        );
    }
    Ok(Exit::failed_if(is_wrong))
}

/// True if one of the times is after `now`: the clock is wrong.
fn is_of_the_future(standing: &Standing, now: i64) -> bool {
    let failed = standing.failure.as_ref().map(|failure| &failure.when);
    let of_log = standing.last_contact.iter().chain(failed).filter_map(|when| second(when));
    let newest = [standing.rx, standing.tx].into_iter().filter_map(|waiting| waiting.newest);
    of_log.chain(newest).any(|then| age::seconds(now, then).is_none())
}

/// Converts a time of the log to seconds since 1970.
fn second(when: &str) -> Option<i64> {
    Some(when.parse::<Timestamp>().ok()?.as_second())
}

fn as_json(standing: &Standing, now: i64) -> String {
    let waiting = |waiting: Totals| {
        json!({
            "packets": waiting.packets,
            "bytes": waiting.bytes,
            "oldest": waiting.oldest.and_then(time),
            "oldest_age": waiting.oldest.and_then(|then| age::seconds(now, then)),
        })
    };
    let contact = standing.last_contact.as_deref().and_then(second);
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
        "last_contact_age": contact.and_then(|then| age::seconds(now, then)),
        "clock_wrong": is_of_the_future(standing, now),
        "rx": waiting(standing.rx),
        "tx": waiting(standing.tx),
        "partial": waiting(standing.partial),
        "failure": failure,
    });
    format!("{object}\n")
}

fn for_people(standing: &Standing, now: i64) -> String {
    let aged = |then: i64| match age::seconds(now, then) {
        Some(age) => format!(", {} ago", age::shown(age)),
        None => ", in the future: age unknown".to_owned(),
    };
    let mut lines = vec![crate::display::escape(&standing.name)];
    let contact = standing.last_contact.as_deref();
    let ago = contact.and_then(second).map(aged).unwrap_or_default();
    let contact = crate::display::escape(contact.unwrap_or("never"));
    lines.push(format!("  last contact  {contact}{ago}"));
    for (name, waiting) in
        [("to send", standing.tx), ("to toss", standing.rx), ("half received", standing.partial)]
    {
        if waiting.packets == 0 && name == "half received" {
            continue;
        }
        let since = waiting.oldest.and_then(|then| {
            let (time, ago) = (time(then)?, aged(then));
            Some(format!(", oldest {time}{ago}"))
        });
        lines.push(format!(
            "  {name:13} {} packets, {}{}",
            waiting.packets,
            Size(waiting.bytes),
            since.unwrap_or_default()
        ));
    }
    if let Some(failure) = &standing.failure {
        let text = format!("{} {}: {}", failure.when, failure.message, failure.error);
        lines.push(format!("  failed        {}", crate::display::escape(&text)));
    }
    lines.join("\n") + "\n"
}

fn time(seconds: i64) -> Option<String> {
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}
