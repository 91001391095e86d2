//! One line of a statement, decoded and encoded.

use super::error::StatementError;
use super::value::{
    Checked, Fact, Have, Head, LINE_MAX, MediumRead, Need, Outcome, REASON_MAX, Receipt, Slice,
    Statement, Sum, UnderWay, VERSION, Verdict, Waiting,
};
use crate::id::PacketHash;
use serde_json::{Map, Value, json};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Limit for the number of ranges of pieces.
const RANGES_MAX: usize = 4096;

/// Any line except the head.
pub(super) enum Line {
    Receipt(Receipt),
    Waiting(Waiting),
    Fact(Fact),
    Medium(MediumRead),
    Sum(Sum),
    UnderWay(UnderWay),
}

/// Why a line is invalid.
type Reason = String;

/// Decodes the head into a statement that contains nothing else.
pub(super) fn head(text: &[u8]) -> Result<Statement, StatementError> {
    let wrong = |reason| StatementError::Line { number: 1, reason };
    let object = object(text).map_err(wrong)?;
    match object.number("statement").map_err(wrong)? {
        version if version == u64::from(VERSION) => {}
        version => return Err(StatementError::Newer(version)),
    }
    read_head(&object).map_err(wrong)
}

fn read_head(object: &Object) -> Result<Statement, Reason> {
    let have = object.0.get("have").map(|have| Object::of(have).and_then(|have| read_have(&have)));
    let slice = Object::of(object.get("receipts")?)?;
    let can = match object.0.get("can") {
        Some(Value::Array(words)) => {
            words.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let head = Head {
        ledger: object.parsed("ledger")?,
        number: object.number("number")?,
        made: object.time("made")?,
        can,
        have: have.transpose()?,
        slice: Slice {
            first: slice.number("first")?,
            after: slice.number("after")?,
            upto: slice.number("upto")?,
        },
    };
    if head.slice.after > head.slice.upto {
        return Err("receipts end before they begin".to_owned());
    }
    let mut statement = Statement { head, ..Statement::default() };
    statement.lists.whole = object.flag("whole");
    Ok(statement)
}

fn read_have(have: &Object) -> Result<Have, Reason> {
    Ok(Have {
        ledger: have.parsed("ledger")?,
        upto: have.number("upto")?,
        number: have.number("number")?,
    })
}

/// Decodes a line; `None` if its kind is unknown.
pub(super) fn parse(text: &[u8], number: usize) -> Result<Option<Line>, StatementError> {
    object(text)
        .and_then(|object| read(&object))
        .map_err(|reason| StatementError::Line { number, reason })
}

fn read(object: &Object) -> Result<Option<Line>, Reason> {
    let is = |key| object.0.contains_key(key);
    Ok(Some(match () {
        () if is("r") => match receipt(object)? {
            Some(receipt) => Line::Receipt(receipt),
            None => return Ok(None),
        },
        () if is("w") => Line::Waiting(waiting(object)?),
        () if is("f") => match fact(object)? {
            Some(fact) => Line::Fact(fact),
            None => return Ok(None),
        },
        () if is("m") => Line::Medium(medium(object)?),
        () if is("o") => under_way(object)?,
        () => return Ok(None),
    }))
}

fn receipt(object: &Object) -> Result<Option<Receipt>, Reason> {
    let outcome = match object.text("r")? {
        "done" => Outcome::Done { again: object.flag("again") },
        "got" => Outcome::Got,
        "failed" => Outcome::Failed {
            reason: object.reason()?,
            tries: object.0.get("tries").and_then(Value::as_u64).map_or(0, saturated),
            dropped: object.flag("dropped"),
        },
        _ => return Ok(None),
    };
    Ok(Some(Receipt { packet: object.packet("p")?, at: object.time("at")?, outcome }))
}

fn waiting(object: &Object) -> Result<Waiting, Reason> {
    let needs = match object.0.get("needs") {
        Some(needs) => need(&Object::of(needs)?)?,
        None => None,
    };
    Ok(Waiting {
        packet: object.packet("w")?,
        since: object.time("since")?,
        reason: object.reason()?,
        needs,
    })
}

fn need(object: &Object) -> Result<Option<Need>, Reason> {
    let is = |key| object.0.contains_key(key);
    Ok(Some(match () {
        () if is("zfs") => Need::Zfs(object.parsed("zfs")?),
        () if is("packet") => Need::Packet(object.packet("packet")?),
        () if is("pieces") => Need::Pieces(ranges(object.text("pieces")?)?),
        () if is("bytes") => Need::Bytes,
        () => return Ok(None),
    }))
}

/// Parses `3,7-9`.
fn ranges(text: &str) -> Result<Vec<RangeInclusive<u64>>, Reason> {
    let wrong = || "pieces: not a list of numbers and ranges".to_owned();
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let read = |part: &str| match part.split_once('-') {
        Some((first, last)) => Ok(number(first)?..=number(last)?),
        None => number(part).map(|only| only..=only),
    };
    let ranges = text.split(',').take(RANGES_MAX).map(read).collect::<Result<Vec<_>, Reason>>()?;
    if ranges.iter().any(RangeInclusive::is_empty) { Err(wrong()) } else { Ok(ranges) }
}

fn fact(object: &Object) -> Result<Option<Fact>, Reason> {
    Ok(Some(match object.text("f")? {
        "zfs" => Fact::Zfs {
            dataset: object.name("dataset")?,
            snapshot: object.name("snapshot")?,
            guid: object.parsed("guid")?,
            creation: object.time("creation")?,
            applied: object.time("applied")?,
        },
        "tree" => Fact::Tree { tree: object.name("tree")?, checked: checked(object)? },
        _ => return Ok(None),
    }))
}

fn checked(object: &Object) -> Result<Checked, Reason> {
    Ok(Checked {
        manifest: object.name("manifest")?,
        verdict: match object.text("verdict")? {
            "equal" => Verdict::Equal,
            "different" => Verdict::Different,
            // A verdict of a later version is unknown, so it proves nothing.
            _ => Verdict::Unchecked,
        },
        objects: object.number("objects")?,
        differences: object.number("differences")?,
        at: object.time("at")?,
    })
}

fn medium(object: &Object) -> Result<MediumRead, Reason> {
    Ok(MediumRead {
        medium: object.parsed("m")?,
        name: object.name("name")?,
        session: object.number("session")?,
        at: object.time("at")?,
    })
}

fn under_way(object: &Object) -> Result<Line, Reason> {
    if let Some(sum @ Value::Object(_)) = object.0.get("o") {
        let sum = Object::of(sum)?;
        return Ok(Line::Sum(Sum {
            packets: sum.number("packets")?,
            bytes: sum.number("bytes")?,
            oldest: sum.time("oldest")?,
        }));
    }
    Ok(Line::UnderWay(UnderWay {
        packet: object.packet("o")?,
        size: object.number("size")?,
        since: object.time("since")?,
    }))
}

/// Encodes the head.
pub(super) fn write_head(head: &Head, whole: bool) -> Vec<u8> {
    let Slice { first, after, upto } = head.slice;
    let mut object = json!({
        "statement": VERSION,
        "ledger": head.ledger.to_string(),
        "number": head.number,
        "made": head.made,
        "can": head.can,
    });
    if let Some(Have { ledger, upto, number }) = head.have {
        object["have"] = json!({"ledger": ledger.to_string(), "upto": upto, "number": number});
    }
    object["receipts"] = json!({"first": first, "after": after, "upto": upto});
    object[if whole { "whole" } else { "more" }] = json!(true);
    let mut out = Vec::new();
    put(&object, &mut out);
    out
}

/// Appends an encoded line.
pub(super) fn write(line: &Line, out: &mut Vec<u8>) {
    let object = match line {
        Line::Receipt(receipt) => receipt_object(receipt),
        Line::Waiting(waiting) => waiting_object(waiting),
        Line::Fact(fact) => fact_object(fact),
        Line::Medium(MediumRead { medium, name, session, at }) => {
            json!({"m": medium.to_string(), "name": name, "session": session, "at": at})
        }
        Line::Sum(Sum { packets, bytes, oldest }) => {
            json!({"o": {"packets": packets, "bytes": bytes, "oldest": oldest}})
        }
        Line::UnderWay(UnderWay { packet, size, since }) => {
            json!({"o": packet.to_string(), "size": size, "since": since})
        }
    };
    put(&object, out);
}

fn receipt_object(receipt: &Receipt) -> Value {
    let (packet, at) = (receipt.packet.to_string(), receipt.at);
    match &receipt.outcome {
        Outcome::Done { again: false } => json!({"r": "done", "p": packet, "at": at}),
        Outcome::Done { again: true } => json!({"r": "done", "p": packet, "at": at, "again": true}),
        Outcome::Got => json!({"r": "got", "p": packet, "at": at}),
        Outcome::Failed { reason, tries, dropped } => {
            let mut object = json!({"r": "failed", "p": packet, "at": at, "reason": one_line(reason), "tries": tries});
            if *dropped {
                object["dropped"] = json!(true);
            }
            object
        }
    }
}

fn waiting_object(waiting: &Waiting) -> Value {
    let Waiting { packet, since, reason, needs } = waiting;
    let mut object = json!({"w": packet.to_string(), "since": since, "reason": one_line(reason)});
    if let Some(needs) = needs {
        object["needs"] = match needs {
            Need::Zfs(guid) => json!({"zfs": guid.to_string()}),
            Need::Packet(packet) => json!({"packet": packet.to_string()}),
            Need::Pieces(ranges) => json!({"pieces": pieces(ranges)}),
            Need::Bytes => json!({"bytes": true}),
        };
    }
    object
}

fn pieces(ranges: &[RangeInclusive<u64>]) -> String {
    let word = |range: &RangeInclusive<u64>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(",")
}

fn fact_object(fact: &Fact) -> Value {
    match fact {
        Fact::Zfs { dataset, snapshot, guid, creation, applied } => json!({
            "f": "zfs", "dataset": dataset, "snapshot": snapshot, "guid": guid.to_string(),
            "creation": creation, "applied": applied,
        }),
        Fact::Tree { tree, checked } => json!({
            "f": "tree", "tree": tree, "manifest": checked.manifest,
            "verdict": match checked.verdict {
                Verdict::Equal => "equal",
                Verdict::Different => "different",
                Verdict::Unchecked => "unchecked",
            },
            "objects": checked.objects, "differences": checked.differences, "at": checked.at,
        }),
    }
}

fn put(object: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(object.to_string().as_bytes());
    out.push(b'\n');
}

/// The part of a reason that a statement may contain: its first line, at most [`REASON_MAX`] bytes.
fn one_line(reason: &str) -> &str {
    let line = reason.lines().next().unwrap_or_default();
    &line[..line.floor_char_boundary(REASON_MAX)]
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The object of one line.
fn object(text: &[u8]) -> Result<Object, Reason> {
    if text.len() > LINE_MAX {
        return Err(format!("has over {LINE_MAX} bytes"));
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Ok(Object(object)),
        Ok(_) => Err("is not an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A JSON object with typed access to its members.
struct Object(Map<String, Value>);

impl Object {
    fn of(value: &Value) -> Result<Self, Reason> {
        value.as_object().cloned().map(Self).ok_or_else(|| "is not an object".to_owned())
    }

    fn get(&self, key: &str) -> Result<&Value, Reason> {
        self.0.get(key).ok_or_else(|| format!("{key} is missing"))
    }

    fn text(&self, key: &str) -> Result<&str, Reason> {
        self.get(key)?.as_str().ok_or_else(|| format!("{key} is not text"))
    }

    fn name(&self, key: &str) -> Result<String, Reason> {
        self.text(key).map(str::to_owned)
    }

    fn number(&self, key: &str) -> Result<u64, Reason> {
        self.get(key)?.as_u64().ok_or_else(|| format!("{key} is not a number"))
    }

    fn time(&self, key: &str) -> Result<i64, Reason> {
        self.get(key)?.as_i64().ok_or_else(|| format!("{key} is not a time"))
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&self, key: &str) -> Result<T, Reason> {
        self.text(key)?.parse().map_err(|error| format!("{key} {error}"))
    }

    fn packet(&self, key: &str) -> Result<PacketHash, Reason> {
        let wrong = || format!("{key} is not the name of a packet");
        PacketHash::from_file_name(self.text(key)?).ok_or_else(wrong)
    }

    fn reason(&self) -> Result<String, Reason> {
        self.text("reason").map(|reason| one_line(reason).to_owned())
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }
}
