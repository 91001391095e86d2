//! `packmule mtree from-tar`: makes a manifest of an archive while it passes through.

use super::input::explained;
use super::shared::{How, Which, progress, report_unread, warn_unavailable};
use crate::cli::command::{Command, Exit, Face, Misuse};
use crate::cli::flag::{Flags, flags};
use crate::cli::operands::Operands;
use crate::cli::stdio;
use crate::mtree::{self, Keywords, Manifest, WriteOptions};
use crate::progress::Work;
use anyhow::Context;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};

pub(super) const COMMAND: Command = Command {
    name: "mtree from-tar",
    face: Face::Own,
    about: "make a manifest of a tar archive",
    usage: &["[options] < ARCHIVE", "-tee -output MANIFEST [options] < ARCHIVE > ARCHIVE"],
    operands: Operands::NONE.instead("from-tar reads the archive from standard input"),
    notes: "ARCHIVE is a tar archive in any format, plain or compressed with zstd. The manifest\n\
        describes the tree to which it unpacks. If the archive is cut off, the exit status is 1, and\n\
        the manifest lacks the line that says it is whole, or -output is not written. With -tee,\n\
        from-tar copies the archive unchanged to standard output, so that one run makes both:\n\
            \n\
            \x20 packmule file -command NODE:backup.tar -- bash -o pipefail -c \\\n\
            \x20   'tar -c . | packmule mtree from-tar -tee -output m.mtree'",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree from-tar`.
    struct Args {
        use which: Which;
        use how: How;
        /// Copy the archive to standard output; write the manifest to -output
        "tee" tee: bool;
        /// Show no progress
        "quiet" quiet: bool;
    }
}

fn run(args: &Args, _: &[OsString]) -> anyhow::Result<Exit> {
    if args.tee && args.how.output.is_none() {
        return Err(Misuse("-tee needs -output: standard output is the archive".into()).into());
    }
    let keywords = args.which.keywords(Keywords::DEFAULT)?;
    args.how.options(keywords)?;
    warn_unavailable(
        mtree::unavailable_in_archives(args.which.named()?),
        "archives do not hold it",
    );
    let meter = progress(args.quiet).start(Work::Hash, "archive", None);
    let input = stdio::stdin().context("opening standard input")?;
    let created = if args.tee {
        let mut tee = Tee { input, output: stdio::stdout().context("opening standard output")? };
        let created = mtree::of_archive(&mut tee, keywords, &meter);
        // The rest of the archive has to reach the reader even if it is not tar.
        let rest = io::copy(&mut tee, &mut io::sink());
        let flushed = tee.output.flush();
        rest.and(flushed.map(|()| 0)).context("copying the archive to standard output")?;
        created
    } else {
        mtree::of_archive(input, keywords, &meter)
    };
    drop(meter);
    let created = created.map_err(|error| explained(error, OsStr::new("-"), COMMAND.name))?;
    let failed = report_unread(&created.troubles);
    if let Some(cut) = &created.cut {
        return cut_off(&args.how, &created.manifest, cut);
    }
    args.how.write(&created.manifest, WriteOptions::default().keywords)?;
    Ok(Exit::failed_if(failed))
}

/// Ends a run whose archive was cut off. Prints the manifest without the trailer that says it is
/// whole, and does not write `-output`, since another program may wait for that file.
fn cut_off(how: &How, manifest: &Manifest, cut: &io::Error) -> anyhow::Result<Exit> {
    let left = match &how.output {
        Some(path) => format!("{} is not written", path.display()),
        None => "the manifest has no #:end line".to_owned(),
    };
    if how.output.is_none() {
        let options = how.options(WriteOptions::default().keywords)?;
        how.write_as(manifest, WriteOptions { whole: false, ..options })?;
    }
    anyhow::bail!("the archive was cut off, or its producer failed: {cut}; {left}")
}

/// A reader that copies all bytes to `output`.
struct Tee<R, W> {
    input: R,
    output: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.output.write_all(&buffer[..length])?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_is_passed_on_stays_the_end() {
        let tee = Tee { input: &b"abc"[..], output: io::sink() };
        assert_eq!(crate::blocks::ends_for_good(tee), b"abc");
    }
}
