//! What the online commands have in common: flags, and the station they work with.

use super::flag::flags;
use super::kinds::{KindFlags, OfCalls};
use super::shared::Config;
use super::{environment, session, stdio};
use crate::config::Autotoss;
use crate::handler::Search;
use crate::local::Local;
use crate::net::{Parts, Reload, Station, TossDuringCall, Tossed};
use crate::toss::{self, Toss};
use std::sync::Arc;

flags! {
    /// Tossing during a call.
    pub(crate) struct AutotossFlags {
        use leave: KindFlags<OfCalls>;
        /// Toss the node's packets during the call
        "autotoss" on: bool;
        /// Tossing leaves seen marks
        "autotoss-seen" seen: bool;
        /// Tossing acknowledges every packet
        "autotoss-gen-ack" gen_ack: bool;
    }
}

impl AutotossFlags {
    /// What is asked for; without `-autotoss` the other flags mean nothing.
    pub(crate) fn asked(&self) -> Option<Autotoss> {
        self.on.then_some(Autotoss {
            doseen: self.seen,
            leave: self.leave.kinds(),
            gen_ack: self.gen_ack,
        })
    }
}

/// The station of an opened node.
///
/// # Errors
/// When `NNCPDEADLINE` is no number.
pub(crate) fn station(local: Local) -> anyhow::Result<Arc<Station>> {
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
pub(crate) fn reload(config: &Config, quiet: bool) -> Reload {
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
