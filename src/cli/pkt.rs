//! `nncp-pkt`: shows the header of a packet, or writes its payload.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::session;
use super::shared::{Config, Json};
use super::stdio::{self, Stdout};
use crate::blocks;
use crate::config::Node;
use crate::unpack::{Window, frames};
use anyhow::{Context, bail};
use packmule_protocol::id::{AreaId, NodeId, PacketHash};
use packmule_protocol::magic::{self, MagicError};
use packmule_protocol::packet::{
    HEADER_LEN, Header, Kind, Opener, PLAIN_LEN, PathField, PlainError, PlainHeader,
};
use serde_json::json;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "pkt",
    face: Face::Reference,
    about: "show what a packet file contains",
    usage: &[
        "[options] < packet",
        "[options] [-decompress] -dump < packet > payload",
        "[options] -overheads",
    ],
    operands: Operands::NONE.instead("pkt reads the packet from standard input"),
    notes: "Reads the packet from standard input. The payload of an encrypted packet is a plain packet,\n\
            which pkt can read too.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `nncp-pkt`.
    pub(crate) struct Args {
        use config: Config;
        use json: Json;
        /// Write the decrypted or plain payload to standard output
        "dump" dump: bool;
        /// Decompress the payload of a plain packet
        "decompress" decompress: bool;
        /// Print packet overheads
        "overheads" overheads: bool;
    }
}

fn run(args: &Args, _: &[OsString]) -> anyhow::Result<Exit> {
    let node = session::load(&args.config, false).context("Error during initialization")?;
    if args.overheads {
        stdio::print(&overheads(args.json.json));
        return Ok(Exit::Done);
    }
    let mut input = stdio::stdin().context("standard input")?;
    let head = blocks::head(&mut input)?;
    if head.len() < HEADER_LEN {
        bail!("Not enough data to read");
    }
    let is = |wanted| magic::check(head.first_chunk().expect("longer than a magic"), wanted);
    match (is(&magic::ENCRYPTED), is(&magic::PLAIN)) {
        (Ok(()), _) => encrypted(args, &node, &Header::parse(&head)?, input)?,
        (_, Ok(())) => plain(args, &node, head, input)?,
        (Err(obsolete @ MagicError::Obsolete(..)), _) | (_, Err(obsolete)) => match obsolete {
            MagicError::Unknown => bail!("Unable to determine packet type"),
            obsolete => return Err(obsolete.into()),
        },
    }
    Ok(Exit::Done)
}

fn overheads(json: bool) -> String {
    // Every packet has a SIZE block, which holds two 8-byte numbers, however small the packet is.
    let (plain, encrypted, size) = (PLAIN_LEN, HEADER_LEN, 16);
    match json {
        true => format!("{}\n", json!({"plain": plain, "encrypted": encrypted, "size": size})),
        false => format!("Plain: {plain}\nEncrypted: {encrypted}\nSize: {size}\n"),
    }
}

fn encrypted(args: &Args, node: &Node, header: &Header, input: File) -> anyhow::Result<()> {
    if args.dump {
        return dump(node, header.clone(), input);
    }
    let (sender, recipient) = (name(node, &header.sender), recipient(node, header));
    let nice = header.nice;
    stdio::print(&match args.json.json {
        true => format!(
            "{}\n",
            json!({
                "type": "encrypted",
                "nice": nice.get(),
                "sender": header.sender.to_string(),
                "sender_name": sender,
                "recipient": header.recipient.to_string(),
                "recipient_name": recipient,
            })
        ),
        false => format!(
            "Packet type: encrypted\nNiceness: {nice} ({})\nSender: {} ({})\nRecipient: {} ({})\n",
            nice.get(),
            header.sender,
            sender.unwrap_or("unknown".into()),
            header.recipient,
            recipient.unwrap_or("unknown".into()),
        ),
    });
    Ok(())
}

/// Writes the plain packet inside. Authenticates each block before it writes it. Only an `Ok` at the
/// end means that no block is missing.
fn dump(node: &Node, header: Header, input: File) -> anyhow::Result<()> {
    let Some(keys) = &node.keys else { bail!("Config lacks private keys") };
    let own = node.self_neighbour();
    let area = node.area_by_id(&header.recipient_area());
    let (recipient, key) = match area.and_then(|area| area.private.as_ref()) {
        Some(key) => (header.recipient, key),
        None => (own.id, &keys.exchange),
    };
    let verified = match node.by_id(&header.sender) {
        Some(sender) => header.verify(&sender.signpub)?,
        None => header.without_check(),
    };
    let opener = Opener::new(&verified, &recipient, key)?;
    let mut out = Stdout::new();
    blocks::copy_plain(input, &opener, &mut out)?;
    Ok(out.flush()?)
}

fn plain(args: &Args, node: &Node, mut head: Vec<u8>, mut input: File) -> anyhow::Result<()> {
    (&mut input).take((PLAIN_LEN - HEADER_LEN) as u64).read_to_end(&mut head)?;
    if head.len() < PLAIN_LEN {
        bail!("Not enough data to read");
    }
    if args.dump {
        let mut out = Stdout::new();
        match args.decompress {
            false => io::copy(&mut input, &mut out)?,
            true => io::copy(&mut frames(BufReader::new(input), Window::Long)?, &mut out)?,
        };
        return Ok(out.flush()?);
    }
    let (kind, header) = parse(&mut head)?;
    let path = path(node, kind, &header);
    let level = header.nice.map_or(0, packmule_protocol::niceness::Niceness::get);
    let nice = header.nice.map_or("0".into(), |nice| nice.to_string());
    let kind = kind.map_or("unknown", |kind| kind.row().title);
    stdio::print(&match args.json.json {
        true => {
            format!("{}\n", json!({"type": "plain", "payload": kind, "nice": level, "path": path}))
        }
        false => format!(
            "Packet type: plain\nPayload type: {kind}\nNiceness: {nice} ({level})\nPath: {}\n",
            crate::display::escape(&path)
        ),
    });
    Ok(())
}

/// Parses the header, also of an unknown kind.
fn parse(head: &mut [u8]) -> Result<(Option<Kind>, PlainHeader), PlainError> {
    match PlainHeader::from_bytes(head) {
        Ok(header) => Ok((Some(header.kind), header)),
        Err(PlainError::UnknownKind(_)) => {
            // The kind is the word after the magic. Parse the other fields like those of a file.
            head[8..12].copy_from_slice(&u32::from(Kind::File as u8).to_be_bytes());
            Ok((None, PlainHeader::from_bytes(head)?))
        }
        Err(error) => Err(error),
    }
}

fn path(node: &Node, kind: Option<Kind>, header: &PlainHeader) -> String {
    let text = String::from_utf8_lossy(header.path());
    let holds = kind.map_or(PathField::Path, |kind| kind.row().path);
    match (holds, header.id()) {
        (PathField::Command, _) => text.replace('\0', " "),
        (PathField::Node, Ok(id)) => {
            let id = NodeId(id);
            name(node, &id).map_or(id.to_string(), |name| format!("{id} ({name})"))
        }
        (PathField::Area, Ok(id)) => {
            let id = AreaId(id);
            let area = node.area_by_id(&id);
            format!("{id} ({})", area.map_or(id.to_string(), |area| area.name.clone()))
        }
        (PathField::Packet, Ok(id)) => PacketHash(id).to_string(),
        _ => text.into(),
    }
}

/// The node's name in our configuration.
fn name(node: &Node, id: &NodeId) -> Option<String> {
    node.by_id(id).map(|neighbour| neighbour.name.clone())
}

/// The recipient's name in our configuration. It may be an area.
fn recipient(node: &Node, header: &Header) -> Option<String> {
    let area = || node.area_by_id(&header.recipient_area());
    name(node, &header.recipient).or_else(|| Some(format!("area {}", area()?.name)))
}
