//! `packmule links`: makes symbolic links with the reference's command names.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::operands::Operands;
use anyhow::{Context, anyhow};
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "links",
    face: Face::Own,
    about: "make symbolic links named nncp-*",
    usage: &["[options] DIR"],
    operands: Operands::these("DIR"),
    notes: "Makes a symbolic link to this program in DIR for each command from nncp-ack to nncp-xfer.\n\
            Keeps links that already point to this program.\n\
            To switch from the reference, put DIR before it in PATH. To go back, remove DIR from PATH.",
    flags: Args::declared,
    start: |call| call.run(|args, operands| run(call.commands, args, operands)),
};

flags! {
    /// The flags of `packmule links`.
    pub(crate) struct Args {
        /// Replace links that point elsewhere; files are never replaced
        "force" force: bool;
    }
}

fn run(commands: &[Command], args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [directory] = operands else { return Err(WrongUsage.into()) };
    let program = std::env::current_exe().context("finding this program")?;
    let directory = Path::new(directory);
    let mut in_the_way = Vec::new();
    for command in commands.iter().filter(|command| command.face == Face::Reference) {
        let link = directory.join(format!("nncp-{}", command.name));
        match make(&program, &link, args.force) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => in_the_way.push(link),
            other => other.with_context(|| format!("linking {}", link.display()))?,
        }
    }
    match in_the_way.as_slice() {
        [] => Ok(Exit::Done),
        links => Err(names_in_use(links)),
    }
}

/// The error that lists the names that are in use, and how to free them.
fn names_in_use(in_the_way: &[PathBuf]) -> anyhow::Error {
    let (links, files): (Vec<&PathBuf>, Vec<_>) =
        in_the_way.iter().partition(|path| path.is_symlink());
    let list = |paths: &[&PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    if !links.is_empty() {
        parts.push(format!("{} point elsewhere: -force replaces them", list(&links)));
    }
    if !files.is_empty() {
        parts.push(format!(
            "{} are not links: move them away, or use another directory",
            list(&files)
        ));
    }
    anyhow!("{}; the other links are made", parts.join("; "))
}

/// Makes a link, unless one that points to the program exists.
fn make(program: &Path, link: &Path, replace: bool) -> io::Result<()> {
    if link.is_symlink() {
        if link.canonicalize().is_ok_and(|end| program.canonicalize().is_ok_and(|own| own == end)) {
            return Ok(());
        }
        if replace {
            std::fs::remove_file(link)?;
        }
    }
    symlink(program, link)
}

#[cfg(test)]
mod tests {
    use super::super::table::COMMANDS;
    use super::*;

    fn links(directory: &Path, force: bool) -> anyhow::Result<Exit> {
        run(COMMANDS, &Args { force }, &[directory.into()])
    }

    fn ours(directory: &Path) -> usize {
        let own = std::env::current_exe().unwrap();
        let entries = std::fs::read_dir(directory).unwrap();
        entries
            .filter(|entry| {
                std::fs::read_link(entry.as_ref().unwrap().path()).ok() == Some(own.clone())
            })
            .count()
    }

    #[test]
    fn a_second_run_finds_its_own_links() {
        let dir = tempfile::tempdir().unwrap();
        links(dir.path(), false).unwrap();
        links(dir.path(), false).unwrap();
        assert_eq!(ours(dir.path()), 23);
    }

    #[test]
    fn what_is_in_the_way_is_named_and_the_others_are_made() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/usr/bin/nncp", dir.path().join("nncp-call")).unwrap();
        std::fs::write(dir.path().join("nncp-toss"), "a script").unwrap();
        let error = links(dir.path(), false).unwrap_err().to_string();
        for part in ["nncp-call point elsewhere: -force", "nncp-toss are not links"] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(ours(dir.path()), 21);
        let error = links(dir.path(), true).unwrap_err().to_string();
        assert!(!error.contains("nncp-call"), "{error}");
        assert_eq!(ours(dir.path()), 22);
    }
}
