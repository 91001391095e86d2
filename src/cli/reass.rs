//! `nncp-reass`: chunked files put together.

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
        /// Put together all chunked files of all nodes
        "all" all: bool;
        /// Put together all chunked files of that node
        "node" node: Names;
        /// Only verify chunks
        "dryrun" dryrun: bool;
        /// Keep chunks and description
        "keep" keep: bool;
        /// Print what FILE.nncp.meta says
        "dump" dump: bool;
        /// Write the file to standard output
        "stdout" stdout: bool;
    }
}

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "reass",
    face: Face::Reference,
    about: "put chunked files together",
    usage: &[
        "[options] [-dryrun] [-keep] [-dump] [-stdout] FILE.nncp.meta",
        "[options] [-dryrun] [-keep] {-all | -node NODE}",
    ],
    operands: Operands::these("[FILE.nncp.meta]"),
    notes: "Exactly one of FILE, -node and -all is to be given.\n\
            Without -keep the file grows out of its first chunk: no room for a second copy is needed,\n\
            and a run that was stopped is gone on from.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let given = [!operands.is_empty(), args.all, args.node.as_deref().is_some()];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return Err(Misuse("exactly one of FILE, -node and -all is needed".into()).into());
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

/// What `FILE` and the flags that belong to it ask for.
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

/// The descriptions below the directories of these neighbours, none of them twice. `unread` is told
/// of what can not be read.
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
