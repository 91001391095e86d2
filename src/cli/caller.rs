//! `nncp-caller`: call neighbours by schedule.

use super::command::{Command, Exit, Face};
use super::flag::{Flags, flags};
use super::online::{self, AutotossFlags};
use super::operands::Operands;
use super::shared::Common;
use super::{environment, session};
use crate::net::{Caller, caller};
use anyhow::{Context, bail};
use std::ffi::OsString;

flags! {
    /// The flags of `caller`.
    pub(crate) struct Args {
        use common: Common;
        use autotoss: AutotossFlags;
    }
}

pub(super) const COMMAND: Command = Command {
    name: "caller",
    face: Face::Reference,
    about: "call neighbours by schedule",
    usage: &["[options] [NODE ...]"],
    operands: Operands::these("[NODE...]"),
    notes: "Calls each NODE (default: every neighbour) on the schedule of its calls section.\n\
        SIGHUP reads the configuration again.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let local = session::open_with_keys(&args.common)?;
    let names: Vec<_> = operands.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    for name in &names {
        let neighbour = local.node.find(name).context("Invalid NODE specified")?;
        if neighbour.noisepub.is_none() {
            bail!("Node {name} does not have online communication capability");
        }
    }
    let reload = online::reload(&args.common.paths.config, args.common.talk.quiet);
    let station = online::station(local)?;
    caller(
        &station,
        Caller {
            names,
            autotoss: args.autotoss.asked(),
            supervisor: environment::supervisor(),
            reload: Some(reload),
        },
    )?;
    Ok(Exit::Done)
}
