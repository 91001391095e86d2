//! `nncp-cfgenc`: encrypts a configuration with a passphrase, and decrypts it.

use super::command::{Command, Exit, Face, WrongUsage};
use super::flag::{Flags, flags};
use super::operands::Operands;
use super::{passphrase, stdio};
use crate::config::{Passphrase, on_all_cores};
use crate::random;
use anyhow::{Context, ensure};
use packmule_protocol::eblob::{Cost, Eblob};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

flags! {
    /// The flags of `cfgenc`.
    pub(crate) struct Args {
        /// Decrypt the file
        "d" decrypt: bool;
        /// Show the cost parameters of an encrypted file
        "dump" dump: bool;
        /// Balloon space cost: number of 32-byte blocks
        "s" space: i64 = Cost::default().space.into();
        /// Balloon time cost: number of rounds
        "t" time: i64 = Cost::default().time.into();
        /// Balloon number of parallel jobs
        "p" parallel: i64 = Cost::default().parallel.into();
    }
}

pub(super) const COMMAND: Command = Command {
    name: "cfgenc",
    face: Face::Reference,
    about: "encrypt and decrypt a configuration",
    usage: &[
        "[options] cfg.hjson > cfg.hjson.eblob",
        "[options] -d cfg.hjson.eblob > cfg.hjson",
        "[options] -dump cfg.hjson.eblob",
    ],
    operands: Operands::these("FILE"),
    notes: "Every command asks for the passphrase if -cfg is encrypted. Standard input must then be a\n\
        terminal.",
    flags: Args::declared,
    start: |call| call.run(run),
};

fn run(args: &Args, operands: &[OsString]) -> anyhow::Result<Exit> {
    let [file] = operands else {
        return Err(WrongUsage.into());
    };
    let content = fs::read(file)
        .map(Zeroizing::new)
        .with_context(|| format!("Can not read data: open {}", Path::new(file).display()))?;
    if args.dump {
        stdio::output(parameters(&Eblob::parse(&content)?).as_bytes())?;
    } else if args.decrypt {
        let blob = Eblob::parse(&content)?;
        let plain = blob.open(&passphrase::ask("Passphrase:")?, on_all_cores)?;
        stdio::output_durably(&plain)?;
    } else {
        let cost = cost(args)?;
        let blob = Eblob::seal(&repeated()?, cost, random::seed()?, &content, on_all_cores)?;
        stdio::output_durably(&blob.to_bytes())?;
    }
    Ok(Exit::Done)
}

fn cost(args: &Args) -> anyhow::Result<Cost> {
    let part = |name, value| u32::try_from(value).with_context(|| format!("-{name} {value}"));
    let cost = Cost {
        space: part("s", args.space)?,
        time: part("t", args.time)?,
        parallel: part("p", args.parallel)?,
    };
    Ok(cost.checked()?)
}

fn repeated() -> anyhow::Result<Passphrase> {
    let first = passphrase::ask("Passphrase:")?;
    let second = passphrase::ask("\nRepeat passphrase:")?;
    stdio::complain("\n");
    ensure!(first == second, "Passphrases do not match");
    Ok(first)
}

fn parameters(blob: &Eblob) -> String {
    let cost = blob.cost();
    format!(
        "Strengthening function: Balloon with BLAKE2b-256\n\
         Memory space cost: {} bytes\n\
         Number of rounds: {}\n\
         Number of parallel jobs: {}\n\
         Blob size: {}\n",
        u64::from(cost.space) * 32,
        cost.time,
        cost.parallel,
        blob.blob_len(),
    )
}
