//! Reads the manifest of a subcommand.

use crate::cli::stdio;
use crate::mtree::{self, ReadOptions, Reading};
use crate::unpack::{Foreign, readable};
use anyhow::{Context, anyhow};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A manifest and where it was read from.
pub(super) struct Input {
    pub(super) reading: Reading,
    /// Device and inode of its file; `None` if that is not a regular file.
    pub(super) own: Option<(u64, u64)>,
}

/// Reads a manifest, plain or compressed with zstd; `-` is standard input. Prints its warnings on
/// standard error. `command` is the subcommand's name, for advice.
pub(super) fn read(path: &OsStr, merge: bool, quiet: bool, command: &str) -> anyhow::Result<Input> {
    let shown = path.display();
    let file = if path == "-" { stdio::stdin() } else { File::open(path) };
    let file = file.with_context(|| format!("opening {shown}"))?;
    let own = inode(&file);
    let input = readable(file).map_err(|error| explained(error, path, command))?;
    let options = ReadOptions { merge, ..ReadOptions::default() };
    let reading = mtree::read(input, &options).with_context(|| format!("reading {shown}"))?;
    for (line, warning) in reading.warnings.iter().filter(|_| !quiet) {
        stdio::complain(&format!("{shown}: line {line}: {warning}\n"));
    }
    Ok(Input { reading, own })
}

/// Describes an error of reading a file. If the file's format is known, gives the command that reads it.
pub(super) fn explained(error: io::Error, path: &OsStr, command: &str) -> anyhow::Error {
    let shown = path.display();
    match Foreign::of_error(&error) {
        None if path == "-" => anyhow::Error::new(error).context("reading standard input"),
        None => anyhow::Error::new(error).context(format!("reading {shown}")),
        Some(Foreign { form, reader }) if path == "-" => {
            anyhow!("standard input is {form}: ... | {reader} | packmule {command} ...")
        }
        Some(Foreign { form, reader }) => {
            let file = quoted(path);
            anyhow!("{shown} is {form}: {reader} {file} | packmule {command} - ...")
        }
    }
}

/// The path, quoted for a shell if necessary.
fn quoted(path: &OsStr) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:,@%=".contains(byte);
    match path.as_bytes().iter().all(is_plain) {
        true => path.display().to_string(),
        false => format!("'{}'", path.display().to_string().replace('\'', "'\\''")),
    }
}

/// Device and inode of an open file; `None` if it is not a regular file.
pub(super) fn inode(file: impl AsFd) -> Option<(u64, u64)> {
    let stat = rustix::fs::fstat(file).ok()?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    (kind == rustix::fs::FileType::RegularFile).then_some((stat.st_dev, stat.st_ino))
}

/// Devices and inodes of the manifest's destination: standard output, or the file to be replaced.
pub(super) fn destinations(output: Option<&Path>) -> Vec<(u64, u64)> {
    match output {
        None => inode(io::stdout()).into_iter().collect(),
        Some(path) => File::open(path).ok().and_then(inode).into_iter().collect(),
    }
}
