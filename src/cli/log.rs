//! `nncp-log`: prints the log as sentences.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::shared::{Config, Json};
use super::stdio::Stdout;
use super::{environment, session};
use crate::log::Target;
use crate::log::recfile::{Fields, Reader};
use crate::log::sentence::{self, Humanized};
use anyhow::{Context, anyhow};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, IsTerminal, Write};
use std::path::PathBuf;

flags! {
    /// The flags of `log`.
    pub(crate) struct Args {
        use config: Config;
        use json: Json;
        /// Override path to logfile
        "log" log: Option<PathBuf>;
        /// Also print the fields of each record
        "debug" debug: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "log",
    face: Face::Reference,
    about: "show the log",
    usage: &["[options]"],
    operands: Operands::NONE,
    notes: "Prints one message for each record. On a terminal, it escapes control characters.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let node = session::load(&args.config, false).context("Error during initialization")?;
    let path = match (args.log.clone().or_else(|| environment::log().map(PathBuf::from)), node.log)
    {
        (Some(path), _) | (None, Target::File(path)) => path,
        (None, Target::Fd(number)) => PathBuf::from(format!("FD:{number}")),
    };
    let file = File::open(&path)
        .with_context(|| format!("open {}", path.display()))
        .context("Can not open log")?;
    let mut reader = Reader::new(BufReader::new(file));
    let mut out = Stdout::new();
    let terminal = std::io::stdout().is_terminal();
    loop {
        let record = match reader.record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => {
                out.flush()?;
                return Err(anyhow!(error).context("Can not read log"));
            }
        };
        let text = if args.json.json { object(&record) } else { lines(&record, args.debug) };
        if terminal {
            // Peers choose some of the names, so they may hold terminal escape sequences.
            text.lines().try_for_each(|line| writeln!(out, "{}", crate::display::escape(line)))?;
        } else {
            writeln!(out, "{text}")?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn lines(record: &Fields, debug: bool) -> String {
    let fields = go_map(record);
    let message = match sentence::humanize(record) {
        Humanized::Sentence(sentence) => sentence,
        Humanized::BadTime(reason) => format!("Can not humanize: {reason}\n{fields}"),
    };
    if debug { format!("{fields}\n{message}") } else { message }
}

/// The fields as Go prints a map. Of fields that repeat, the last one.
fn go_map(record: &Fields) -> String {
    let fields: BTreeMap<&str, &str> =
        record.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    format!("map[{}]", fields.join(" "))
}

/// Fields that always hold a number, in our records and in the reference's.
const NUMBERS: [&str; 13] = [
    "CallIndex",
    "Duration",
    "FullSize",
    "Nice",
    "Offset",
    "PktNice",
    "Pkts",
    "ReplyNice",
    "RxBytes",
    "RxSpeed",
    "Size",
    "TxBytes",
    "TxSpeed",
];

/// The record as JSON. Only `NUMBERS` become numbers; a field that repeats becomes a list.
fn object(record: &Fields) -> String {
    let mut fields = Map::new();
    for (name, text) in &record.0 {
        let value = match text.parse::<i64>() {
            Ok(number) if NUMBERS.contains(&name.as_str()) => Value::from(number),
            _ => Value::from(text.as_str()),
        };
        match fields.get_mut(name) {
            None => _ = fields.insert(name.clone(), value),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::from(vec![first.take(), value]),
        }
    }
    Value::from(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fields {
        Reader::new(text.as_bytes()).record().unwrap().unwrap()
    }

    #[test]
    fn a_record_without_a_time_is_shown_raw() {
        let want = "Can not humanize: parsing time \"junk\" as \
                    \"2006-01-02T15:04:05.999999999Z07:00\": cannot parse \"junk\" as \"2006\"\n\
                    map[Msg:m When:junk Who:x]";
        assert_eq!(lines(&read("When: junk\nWho: x\nMsg: m\n"), false), want);
    }

    #[test]
    fn with_debug_the_fields_come_first() {
        let record = read("When: 2020-01-02T03:04:05Z\nMsg: a\nMsg: b\n");
        assert_eq!(
            lines(&record, true),
            "map[Msg:b When:2020-01-02T03:04:05Z]\n2020-01-02T03:04:05Z b"
        );
    }

    #[test]
    fn a_field_that_repeats_is_a_list_and_sizes_are_numbers() {
        let record = read("When: 1\nPkt: A\nPkt: B\nSize: 5\nSize: 6\nNice: 96\nMsg: 7\n");
        assert_eq!(
            object(&record),
            r#"{"When":"1","Pkt":["A","B"],"Size":[5,6],"Nice":96,"Msg":"7"}"#
        );
    }
}
