//! What the online commands have in common: flags, and the station they work with.

use super::{environment, flag::flags, session, shared::Config, stdio};
use crate::config::Autotoss;
use crate::handler::Search;
use crate::local::Local;
use crate::net::{Parts, Reload, Station, TossDuringCall, Tossed};
use crate::toss::{self, Toss};
use std::sync::Arc;

flags! {
    /// Tossing during a call.
    pub struct AutotossFlags {
        /// Toss the node's packets during the call
        "autotoss" on: bool;
        /// Tossing leaves seen marks
        "autotoss-seen" seen: bool;
        /// Tossing leaves files
        "autotoss-nofile" nofile: bool;
        /// Tossing leaves file requests
        "autotoss-nofreq" nofreq: bool;
        /// Tossing leaves commands
        "autotoss-noexec" noexec: bool;
        /// Tossing leaves transitional packets
        "autotoss-notrns" notrns: bool;
        /// Tossing leaves area packets
        "autotoss-noarea" noarea: bool;
        /// Tossing leaves acknowledgements
        "autotoss-noack" noack: bool;
        /// Tossing acknowledges every packet
        "autotoss-gen-ack" gen_ack: bool;
    }
}

impl AutotossFlags {
    /// What is asked for; without `-autotoss` the other flags mean nothing.
    pub fn asked(&self) -> Option<Autotoss> {
        self.on.then_some(Autotoss {
            doseen: self.seen,
            nofile: self.nofile,
            nofreq: self.nofreq,
            noexec: self.noexec,
            notrns: self.notrns,
            noarea: self.noarea,
            noack: self.noack,
            gen_ack: self.gen_ack,
        })
    }
}

/// The station of an opened node.
///
/// # Errors
/// When `NNCPDEADLINE` is no number.
pub fn station(local: Local) -> anyhow::Result<Arc<Station>> {
    // The log may be in it. What can not be made is told when something is to be stored there.
    let _ = local.spool.make();
    let toss = Some(toss_during_call());
    Ok(Station::new(Parts { local, deadline: environment::deadline()?, toss }))
}

fn toss_during_call() -> TossDuringCall {
    let search = Search::new(&environment::path());
    Arc::new(move |local, neighbour, autotoss, nice| {
        let options =
            toss::Options { nice, search: search.clone(), ..toss::Options::from(autotoss) };
        let report = Toss { local, options: &options }.run(neighbour);
        Tossed { well: report.failed == 0, busy: report.busy }
    })
}

/// Reads the configuration again when the daemon is told to. The spool and the log stay those of
/// the start.
pub fn reload(config: &Config, quiet: bool) -> Reload {
    let config = config.clone();
    Box::new(move || match session::load(&config, quiet) {
        Ok(node) => Some(node),
        Err(error) => {
            stdio::complain(&crate::display::escape(&format!(
                "configuration not reloaded: {error:#}"
            )));
            None
        }
    })
}
