//! `nncp-reass`: reassembles chunked files.

use super::command::{Command, Exit, Face, Misuse};
use super::flag::{Flags, flags};
use super::names::Names;
use super::operands::Operands;
use super::shared::Common;
use super::{session, stdio};
use crate::config::Neighbour;
use crate::disk::DiskError;
use crate::display::Size;
use crate::reass::{self, Description, Options, Reass, ReassError};
use anyhow::bail;
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

flags! {
    /// The flags of `reass`.
    pub(crate) struct Args {
        use common: Common;
        /// Reassemble all chunked files of all nodes
        "all" all: bool;
        /// Reassemble all chunked files of this node
        "node" node: Names;
        /// Only verify chunks
        "dryrun" dryrun: bool;
        /// Keep the chunks and the .meta file
        "keep" keep: bool;
        /// Print the contents of FILE.nncp.meta
        "dump" dump: bool;
        /// Write the file to standard output
        "stdout" stdout: bool;
    }
}

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "reass",
    face: Face::Reference,
    about: "reassemble chunked files",
    usage: &[
        "[options] [-dryrun] [-keep] [-dump] [-stdout] FILE.nncp.meta",
        "[options] [-dryrun] [-keep] {-all | -node NODE}",
    ],
    operands: Operands::these("[FILE.nncp.meta]"),
    notes: "Give exactly one of FILE, -node and -all.\n\
            Without -keep, reass appends the other chunks to the first one. This needs no space for a\n\
            second copy, and an interrupted run can be resumed.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let given = [!operands.is_empty(), args.all, args.node.as_deref().is_some()];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return Err(Misuse("give exactly one of FILE, -node and -all".into()).into());
    }
    let local = session::open(&args.common)?;
    let chosen = session::chosen(&local, &args.node)?;
    let reass = Reass {
        disk: local.spool.disk(),
        log: &local.log,
        progress: &local.progress,
        options: Options { dry_run: args.dryrun, keep: args.keep },
    };
    if let Some(file) = operands.first() {
        return one(args, &reass, Path::new(file));
    }
    if !args.all && chosen.iter().all(|neighbour| neighbour.incoming.is_none()) {
        bail!("Specified -node does not allow incoming");
    }
    let mut failed = false;
    let found = found(&chosen, |error| {
        failed = true;
        stdio::complain(&format!("{}\n", crate::display::escape(&error.to_string())));
    });
    for path in found {
        failed |= reass.file(&path).is_err();
    }
    Ok(Exit::failed_if(failed))
}

/// Reassembles, verifies or dumps one `FILE`, as the flags say.
fn one(args: &Args, reass: &Reass<'_>, file: &Path) -> anyhow::Result<Exit> {
    let done = if args.dump {
        reass.describe(file).and_then(|description| {
            stdio::output(dump(&description).as_bytes()).map_err(ReassError::Stream)
        })
    } else if args.stdout {
        reass.stream(file, &stdio::stdout()?)
    } else {
        reass.file(file)
    };
    match done {
        Ok(()) => Ok(Exit::Done),
        Err(error @ ReassError::Open(_)) => Err(error.into()),
        Err(ReassError::Stream(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => {
            stdio::reader_gone()
        }
        Err(_) => Ok(Exit::Failed),
    }
}

/// The `.meta` files below the incoming directories of these neighbours, without duplicates. Calls
/// `unread` for each directory that it cannot read.
fn found(neighbours: &[&Neighbour], mut unread: impl FnMut(DiskError)) -> BTreeSet<PathBuf> {
    let dirs: BTreeSet<_> = neighbours.iter().filter_map(|node| node.incoming.as_ref()).collect();
    dirs.into_iter().flat_map(|dir| reass::descriptions(dir, &mut unread)).collect()
}

fn dump(description: &Description) -> String {
    let meta = &description.meta;
    let mut out = format!(
        "Original filename: {}\nFile size: {} ({} bytes)\nChunk size: {} ({} bytes)\n\
         Number of chunks: {}\nChecksums:\n",
        crate::display::escape(&description.name().to_string_lossy()),
        Size(meta.file_size),
        meta.file_size,
        Size(meta.chunk_size),
        meta.chunk_size,
        meta.checksums.len(),
    );
    for (index, checksum) in meta.checksums.iter().enumerate() {
        let _ = writeln!(out, "\t{index}: {}", HEXLOWER.encode(checksum));
    }
    out
}
