//! `packmule handle`: runs a builtin handler as a command, for nodes that run the reference.

use super::command::{Command, Exit, Face, Misuse};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::session::{self, config_path};
use super::shared::Common;
use super::{environment, stdio};
use crate::handler::{self, Builtin, Search, Verdict};
use crate::{config, toss};
use anyhow::{Context, anyhow};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// The row of the table.
pub(crate) const COMMAND: Command = Command {
    name: "handle",
    face: Face::Own,
    about: "run a builtin handler",
    usage: &["[options] BUILTIN [SETTINGS...] -- [ARGUMENTS...]"],
    operands: Operands::these("BUILTIN [WORD...]"),
    notes: "For the exec section of a node that the reference runs:\n\
            \n\
            \x20 verify: [\"packmule\", \"handle\", \"mtree-verify\", \"--tree\", \"laptop=/backups/laptop\", \"--\"]\n\
            \n\
            The -- is required: the sender's arguments come after it, and are never read as\n\
            settings. The builtin reads standard input and the variables NNCP_SELF, NNCP_SENDER and\n\
            NNCP_NICE, which the node sets. If handle can read the configuration, it shows the\n\
            sender's name instead of its id.\n\
            Exit status: 0 done, 75 try again later, 1 rejected or failed.\n\
            packmule's own toss runs builtin:BUILTIN without this command.\n\
            \n\
            SETTINGS are --NAME VALUE or --NAME=VALUE. Of mtree-verify:\n\
            {settings:mtree-verify}\n\
            Of zfs-receive:\n\
            {settings:zfs-receive}\n\
            Of zfs-receipt:\n\
            {settings:zfs-receipt}",
    flags: Args::declared,
    start: |call| call.run(run),
};

flags! {
    /// The flags of `packmule handle`.
    pub(crate) struct Args {
        use common: Common;
    }
}

/// The sender's name in the configuration; its id if the configuration cannot be read.
fn sender_name(args: &Args) -> String {
    // Standard input is the builtin's input, so it cannot answer a prompt for a passphrase.
    let no_passphrase = || Err(io::Error::other("the configuration is encrypted"));
    let loaded = config::load(&config_path(&args.common.paths.config), no_passphrase);
    let sender = environment::sender();
    let name = loaded.ok().and_then(|loaded| Some(loaded.node.find(&sender).ok()?.name.clone()));
    name.unwrap_or(sender)
}

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let end = operands.iter().position(|word| word == "--");
    let end = end.ok_or_else(|| {
        Misuse("-- is missing: put settings before it; the sender's arguments follow it".into())
    })?;
    let (settings, arguments) = (&operands[..end], &operands[end + 1..]);
    let [name, settings @ ..] = settings else {
        return Err(Misuse("BUILTIN is missing before --".into()).into());
    };
    let bytes = |word: &OsString| word.as_bytes().to_vec();
    let mut words = vec![[Builtin::PREFIX.as_bytes(), name.as_bytes()].concat()];
    words.extend(settings.iter().chain(arguments).map(bytes));
    let call = handler::Call {
        words,
        configured: settings.len() + 1,
        own: environment::own_id(),
        sender: environment::sender(),
        name: sender_name(args),
        nice: environment::nice(),
        input: Box::new(stdio::stdin().context("standard input")?),
    };
    match handler::run(call, &Search::default()) {
        Verdict::Done { output, reply } => {
            if let Some(reply) = reply {
                let local = session::open_with_keys(&args.common)?;
                let sender = local.node.find(&environment::sender()).context("NNCP_SENDER")?;
                toss::answer(&local, sender, reply).context("answering the sender")?;
            }
            let mut stdout = stdio::Stdout::new();
            stdout.write_all(&output).and_then(|()| stdout.flush()).context("standard output")?;
            Ok(Exit::Done)
        }
        Verdict::Duplicate { reason } => {
            stdio::complain(&format!("{}\n", crate::display::escape(&reason)));
            Ok(Exit::Done)
        }
        Verdict::Defer { reason } => {
            stdio::complain(&format!("{}\n", crate::display::escape(&reason)));
            Ok(Exit::Later)
        }
        Verdict::Blocked { reason } | Verdict::Failed { reason, .. } => Err(anyhow!(reason)),
    }
}
