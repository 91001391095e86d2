//! `nncp-hash`: calculates the Merkle tree hash of a file.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::hash_trace::Trace;
use super::operands::Operands;
use super::progress::{Screen, Show};
use super::stdio;
use crate::blocks::{self, Hasher};
use crate::progress::{Meter, Progress, Work};
use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use packmule_protocol::mth::{BLOCK, Digest};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

flags! {
    /// The flags of `hash`.
    pub(crate) struct Args {
        /// Read the file instead of standard input
        "file" file: Option<PathBuf>;
        /// Hash the part from this offset first, then the part before it
        "seek" seek: u64;
        /// Hash without threads, level by level
        "force-fat" fat: bool;
        /// Print the steps of the calculation
        "debug" debug: bool;
        /// Show progress
        "progress" progress: bool;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "hash",
    face: Face::Reference,
    about: "calculate the Merkle tree hash of a file",
    usage: &["[-file FILE] [-seek N] [-debug] [-progress] [-force-fat]"],
    operands: Operands::NONE.instead("give the file with -file"),
    notes: "This hash is the name of a packet in the spool.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, _operands: &[OsString]) -> anyhow::Result<Exit> {
    let show = if args.progress { Show::Everything } else { Show::Nothing };
    let progress = Screen::new(show).watcher().map(Progress::to).unwrap_or_default();
    let digest = match &args.file {
        None if args.seek != 0 => bail!("-file is required with -seek"),
        None => from_start(stdio::stdin()?, args)?,
        Some(path) => {
            let fail = |what: &str| format!("{what} {}", path.display());
            let file = File::open(path).with_context(|| fail("open"))?;
            let size = file.metadata().with_context(|| fail("stat"))?.len();
            let input = Input { file, path, size, progress };
            match args.seek.min(size) {
                seek if args.fat || seek == 0 => {
                    let meter = input.meter(Work::Hash, size);
                    from_start(meter.read(&input.file), args).with_context(|| fail("read"))?
                }
                seek => from_back(&input, seek, args.debug).with_context(|| fail("read"))?,
            }
        }
    };
    stdio::output(format!("{}\n", HEXLOWER.encode(&digest)).as_bytes())?;
    Ok(Exit::Done)
}

fn from_start(mut source: impl Read + Send, args: &Args) -> anyhow::Result<Digest> {
    if !args.debug {
        return Ok(blocks::hash(source)?);
    }
    let mut trace = Trace::new(stdio::Stdout::new(), args.fat)?;
    each_block(&mut source, |index, block| trace.leaf(index, block), 0)?;
    trace.finish()
}

/// Hashes from `seek` to the end, then from the start to `seek`, like a call that was resumed.
fn from_back(input: &Input<'_>, seek: u64, debug: bool) -> anyhow::Result<Digest> {
    let block = BLOCK as u64;
    let first = seek.div_ceil(block);
    let front = input.size.min(first * block);
    let mut file = &input.file;
    file.seek(SeekFrom::Start(front))?;
    let back = input.meter(Work::Hash, input.size - front);
    if debug {
        let mut trace = Trace::new(stdio::Stdout::new(), false)?;
        each_block(&mut back.read(file), |index, block| trace.leaf(index, block), first)?;
        file.seek(SeekFrom::Start(0))?;
        let meter = input.meter(Work::Prehash, front);
        each_block(&mut meter.read(file).take(front), |index, block| trace.leaf(index, block), 0)?;
        return trace.finish();
    }
    let mut hasher = Hasher::starting_at(first);
    hasher.read(back.read(file))?;
    drop(back);
    file.seek(SeekFrom::Start(0))?;
    let mut whole = Hasher::new();
    whole.read(input.meter(Work::Prehash, front).read(file).take(front))?;
    let mut tree = whole.into_tree();
    tree.append(hasher.into_tree());
    Ok(tree.root())
}

fn each_block(
    source: &mut impl Read,
    mut each: impl FnMut(u64, &[u8]) -> io::Result<()>,
    first: u64,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BLOCK);
    for index in first.. {
        buffer.clear();
        source.by_ref().take(BLOCK as u64).read_to_end(&mut buffer)?;
        if buffer.is_empty() {
            break;
        }
        each(index, &buffer)?;
    }
    Ok(())
}

/// A file to hash.
struct Input<'a> {
    file: File,
    path: &'a Path,
    size: u64,
    progress: Progress,
}

impl Input<'_> {
    /// Shows how far work on the file is.
    fn meter(&self, work: Work, total: u64) -> Meter {
        self.progress.start(work, &self.path.to_string_lossy(), Some(total))
    }
}
