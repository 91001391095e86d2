//! Opens what a command works on: the node, its spool, its log and the progress display.

use super::names::Names;
use super::progress::{Screen, Show};
use super::shared::{Common, Config};
use super::{environment, passphrase, stdio};
use crate::config::{self, Loaded, Neighbour, Node, Passphrase};
use crate::local::Local;
use crate::log::{Level, Log, Notice, Target, recfile, sentence};
use crate::progress::Progress;
use anyhow::{Context, anyhow, bail};
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the node whose configuration the flags or the environment name.
///
/// # Errors
/// `Error during initialization: …`.
pub(crate) fn open(common: &Common) -> anyhow::Result<Local> {
    initialize(common).context("Error during initialization")
}

/// Opens a node that has the private keys to read and sign packets.
///
/// # Errors
/// Those of [`open`], and `Config lacks private keys`.
pub(crate) fn open_with_keys(common: &Common) -> anyhow::Result<Local> {
    let local = open(common)?;
    if local.node.keys.is_none() {
        bail!("Config lacks private keys");
    }
    Ok(local)
}

fn initialize(common: &Common) -> anyhow::Result<Local> {
    if common.progress && common.noprogress {
        bail!("simultaneous -progress and -noprogress");
    }
    let mut node = load(&common.paths.config, common.talk.quiet)?;
    if let Some(spool) = common.paths.spool.clone().or(environment::spool().map(PathBuf::from)) {
        node.spool = spool;
    }
    let target = log_target(common, &node)?;
    let screen = Screen::new(shown_progress(common, &node));
    let progress = screen.watcher().map(Progress::to).unwrap_or_default();
    let observer = observer(common, screen);
    let log = match common.talk.debug {
        true => Log::with_debug(Some(target), observer),
        false => Log::new(Some(target), Some(observer)),
    };
    Ok(Local { progress, ..Local::new(node, log, !environment::nosync()) })
}

/// The neighbours that a command processes: the one that `-node` names, else all in order of name.
///
/// # Errors
/// `Invalid -node specified: …`.
pub(crate) fn chosen<'a>(local: &'a Local, name: &Names) -> anyhow::Result<Vec<&'a Neighbour>> {
    match name.as_deref() {
        None => Ok(local.node.neighbours.values().collect()),
        Some(name) => Ok(vec![local.node.find(name).context("Invalid -node specified")?]),
    }
}

/// Loads the configuration that `-cfg` or the environment names. Prints its warnings on standard
/// error, unless `quiet`.
///
/// # Errors
/// The configuration cannot be read or is invalid.
pub(crate) fn load(config: &Config, quiet: bool) -> anyhow::Result<Node> {
    let path = config_path(config);
    let Loaded { node, warnings } = config::load(&path, passphrase)?;
    if !quiet {
        for warning in warnings.iter().filter(|warning| !warning.is_for_doctor_only()) {
            stdio::complain(&format!("warning: {}: {warning}\n", path.display()));
        }
        if let [exposed, more @ ..] = &*config::exposed(&path, &node) {
            let more = if more.is_empty() { "" } else { "; packmule doctor lists more of them" };
            stdio::complain(&format!("warning: {exposed}: {}{more}\n", exposed.remedy()));
        }
    }
    Ok(node)
}

/// The path of the configuration: `NNCPCFG`, else `-cfg`.
pub(crate) fn config_path(config: &Config) -> PathBuf {
    let path = environment::config().map(PathBuf::from).or_else(|| config.cfg.clone());
    path.unwrap_or_default()
}

/// Asks for the passphrase of an encrypted configuration.
///
/// # Errors
/// Those of [`passphrase::ask`].
pub(crate) fn passphrase() -> io::Result<Passphrase> {
    let answer = passphrase::ask("Passphrase:");
    stdio::complain("\n");
    answer
}

/// The log's target: `-log`, else `NNCPLOG`, else the configuration's.
///
/// # Errors
/// The value is not a path or `FD:N`.
pub(crate) fn log_target(common: &Common, node: &Node) -> anyhow::Result<Target> {
    let given = common.log.clone().map(OsString::from).or_else(environment::log);
    let Some(text) = given else { return Ok(node.log.clone()) };
    Target::from_override(&text).map_err(|_| {
        let number = text.to_string_lossy();
        anyhow!("parsing {:?}: invalid syntax", number.trim_start_matches("FD:"))
    })
}

fn shown_progress(common: &Common, node: &Node) -> Show {
    if common.talk.quiet || common.noprogress {
        Show::Nothing
    } else if common.progress {
        Show::Everything
    } else if !node.noprogress && io::stderr().is_terminal() {
        Show::Slow
    } else {
        Show::Nothing
    }
}

/// Prints events as sentences, unless `-quiet`. With `-debug`, also prints all of them as records.
fn observer(common: &Common, screen: Arc<Screen>) -> Box<crate::log::Observer> {
    let (quiet, debug) = (common.talk.quiet, common.talk.debug);
    Box::new(move |notice| match notice {
        Notice::Event(entry) => {
            if debug {
                screen.print(&recfile::write(entry));
            }
            if !quiet && entry.level != Level::Debug {
                screen.print(&sentence::write(entry));
            }
        }
        Notice::LogFailed(error) => screen.print(&error.to_string()),
    })
}
