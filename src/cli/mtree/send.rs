//! `packmule mtree send`: makes a manifest and queues it for a neighbour's handler.

use super::shared::{Scope, Which, report_unread, report_unused, warn_unavailable};
use crate::cli::command::{Command, Exit, Face, WrongUsage};
use crate::cli::flag::{Flags, flags};
use crate::cli::lookup::{self, Name};
use crate::cli::names::Names;
use crate::cli::nice::Nice;
use crate::cli::operands::Operands;
use crate::cli::session;
use crate::cli::shared::{Common, Followed};
use crate::mtree::{self, CreateOptions, Keywords, WriteOptions};
use crate::outbound::ExecOptions;
use crate::progress::Work;
use anyhow::Context;
use packmule_protocol::niceness::Niceness;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{io, thread};

pub(super) const COMMAND: Command = Command {
    name: "mtree send",
    face: Face::Own,
    about: "make a manifest and queue it for a neighbour's handler",
    usage: &["[options] NODE HANDLE TREE [DIR]"],
    operands: Operands::these("NODE HANDLE TREE [DIR]"),
    notes: "DIR is the current directory by default. NODE runs its HANDLE, such as\n\
            [\"builtin:mtree-verify\", \"--tree\", \"TREE=/backups/laptop\"], with TREE as argument and\n\
            the manifest as standard input. Reports objects that cannot be read on standard error,\n\
            sends the rest, and exits with 1.",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule mtree send`.
    struct Args {
        use common: Common;
        use which: Which;
        use scope: Scope;
        use followed: Followed;
        /// The snapshot of TREE to verify, for a handler with --zfs-snapshot
        "snapshot" snapshot: Option<String>;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::PRIORITY);
        /// Niceness of a reply packet
        "replynice" replynice: Nice = Nice::of(Niceness::BULK);
        /// Override Via path to destination node
        "via" via: Names;
    }
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let (to, handle, tree, dir) = match operands {
        [to, handle, tree] => (to, handle, tree, Path::new(".")),
        [to, handle, tree, dir] => (to, handle, tree, Path::new(dir)),
        _ => return Err(WrongUsage.into()),
    };
    let keywords = args.which.keywords(Keywords::DEFAULT)?;
    let create = CreateOptions {
        keywords,
        one_file_system: args.scope.one_file_system,
        excludes: args.scope.excludes()?,
        own: Vec::new(),
    };
    let (nice, reply_nice) = (args.nice.level()?, args.replynice.level()?);
    let local = session::open_with_keys(&args.common)?;
    crate::cli::interrupt::clean_up_on_signals()?;
    let to = lookup::destination(&local.node, Name::Node(&to.to_string_lossy()))?;
    let via = lookup::via(&local.node, args.via.as_deref())?;
    let Followed { backup, follow } = &args.followed;
    let backup = backup.clone().or_else(|| Some(tree.to_string_lossy().into_owned()));
    let options =
        ExecOptions { nice, reply_nice, via, backup, follow: *follow, ..ExecOptions::default() };
    let mut command = vec![handle.as_bytes().to_vec(), tree.as_bytes().to_vec()];
    command.extend(args.snapshot.iter().map(|name| name.clone().into_bytes()));

    warn_unavailable(args.which.named()?.unknowable(), "objects of this system do not have it");
    let meter = local.progress.start(Work::Hash, &dir.to_string_lossy(), None);
    let created = mtree::create(dir, &create, &meter)
        .with_context(|| format!("opening {}", dir.display()))?;
    drop(meter);
    let (reader, writer) = io::pipe().context("making a pipe")?;
    thread::scope(|scope| {
        let manifest = &created.manifest;
        // If the pipe breaks, the reading end has failed and reports why.
        scope.spawn(move || mtree::write(manifest, &WriteOptions::default(), writer));
        local.exec(to, &command, reader, &options)
    })?;
    report_unused(&create.excludes);
    Ok(Exit::failed_if(report_unread(&created.troubles)))
}
