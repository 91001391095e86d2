//! `packmule zfs inspect`: checks a stream and lists its contents.

use crate::cli::command::{Command, Exit, Face};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::shared::Json;
use crate::cli::stdio;
use crate::unpack::readable;
use crate::zfs::stream::{Inspection, Substream, inspect};
use anyhow::Context;
use std::ffi::OsString;
use std::fmt::Write;

pub(super) const COMMAND: Command = Command {
    name: "zfs inspect",
    face: Face::Own,
    about: "check a ZFS send stream and list its contents",
    usage: &["[options] < STREAM"],
    operands: Operands::NONE.instead("inspect reads the stream from standard input"),
    notes: "The stream may be compressed with zstd. Checks every record, every checksum and the end of\n\
        the stream. Reports the first fault with its offset and exits with 1.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule zfs inspect`.
    struct Args {
        use json: Json;
    }
}

fn run(args: &Args, _: &[OsString]) -> anyhow::Result<Exit> {
    let input = stdio::stdin().context("standard input")?;
    let found = inspect(readable(input).context("standard input")?)?;
    if args.json.json {
        stdio::print(&format!("{}\n", serde_json::to_string(&found)?));
    } else {
        stdio::print(&text(&found));
    }
    Ok(Exit::Done)
}

fn text(found: &Inspection) -> String {
    let mut text = String::new();
    let package = if found.package { "package of " } else { "" };

    let _ = writeln!(
        text,
        "{package}{} stream(s), {} bytes, whole",
        found.substreams.len(),
        found.bytes
    );
    found.substreams.iter().for_each(|stream| line(&mut text, stream));
    text
}

fn line(text: &mut String, stream: &Substream) {
    let name = crate::display::escape(&stream.toname);
    let what = if stream.fromguid == 0 { "full" } else { "incremental" };
    let Substream { objset_type, toguid, fromguid, .. } = stream;
    let _ = write!(text, "{name}: {what} {objset_type}, guid {toguid}");
    if *fromguid != 0 {
        let _ = write!(text, " from {fromguid}");
    }
    let features = [&stream.features[..], &stream.flags[..]].concat().join(" ");
    let _ = writeln!(text, " ({features})");
}
