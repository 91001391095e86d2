//! The flags and the station that all online commands share.

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
        /// While tossing, leave an empty file in seen/ for every packet
        "autotoss-seen" seen: bool;
        /// While tossing, acknowledge each packet once it has been processed
        "autotoss-gen-ack" gen_ack: bool;
    }
}

impl AutotossFlags {
    /// The settings for tossing. `None` without `-autotoss`: then the other flags have no effect.
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
/// `NNCPDEADLINE` is not a number.
pub(crate) fn station(local: Local) -> anyhow::Result<Arc<Station>> {
    // The log may be in the spool. A later write reports the error if the spool cannot be made.
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

/// Reads the configuration again, for SIGHUP. Does not change the spool and the log, because other
/// threads use them.
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
