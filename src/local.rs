//! An opened node: configuration, spool, log and progress.

#[cfg(test)]
pub(crate) mod testing;

use crate::config::{self, ConfigError, Loaded, Node, Passphrase};
use crate::ledger::Ledger;
use crate::log::{Log, Notice};
use crate::progress::Progress;
use crate::spool::{Options, Spool};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// An opened node: its configuration, spool, log and progress display.
///
/// The methods `file`, `exec`, `freq` and `trns` queue packets. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Local {
    /// The configuration: this node's keys, its neighbours and areas.
    pub(crate) node: Arc<Node>,
    /// The packets on disk.
    pub(crate) spool: Spool,
    /// Which packets are on their way, and what became of them.
    pub(crate) ledger: Ledger,
    /// The log of events.
    pub(crate) log: Log,
    /// Receives progress of the work; ignores it unless a watcher is set.
    pub(crate) progress: Progress,
}

impl Local {
    /// Opens the node of a configuration file or directory, like the commands: sets the `umask` of
    /// the process, applies `nohdr` to the spool, and writes events to the configured log.
    ///
    /// # Errors
    /// [`ConfigError`], also if the configuration is encrypted: see [`open_encrypted`](Self::open_encrypted).
    pub fn open(configuration: &Path) -> Result<Self, ConfigError> {
        let refuse = || Err(io::Error::other("the configuration is encrypted"));
        Self::open_encrypted(configuration, refuse)
    }

    /// Opens the node of a configuration. Calls `passphrase` if it is encrypted.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration cannot be read or is invalid.
    pub fn open_encrypted(
        configuration: &Path,
        passphrase: impl FnMut() -> io::Result<Passphrase>,
    ) -> Result<Self, ConfigError> {
        let Loaded { node, .. } = config::load(configuration, passphrase)?;
        let log = Log::new(Some(node.log.clone()), None);
        Ok(Self::new(node, log, true))
    }

    /// The same node; it also passes its events to `observer`.
    #[must_use]
    pub fn observed(self, observer: impl Fn(Notice<'_>) + Send + Sync + 'static) -> Self {
        let log = Log::new(Some(self.node.log.clone()), Some(Box::new(observer)));
        let sync = self.spool.disk().sync;
        Self { progress: self.progress, ..Self::with(self.node, log, sync) }
    }

    /// The same node; it reports its work to `progress`.
    #[must_use]
    pub fn watched(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The time, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    /// The configuration: this node, its neighbours and areas.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Opens a loaded node. If `sync` is false, packets may be lost in a power cut.
    pub(crate) fn new(node: Node, log: Log, sync: bool) -> Self {
        if let Some(mask) = node.umask {
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        }
        Self::with(Arc::new(node), log, sync)
    }

    fn with(node: Arc<Node>, log: Log, sync: bool) -> Self {
        let options = Options { hdr: !node.nohdr, sync };
        let spool = Spool::new(&node.spool, options, log.clone());
        let ledger = Ledger::new(&spool);
        Self { node, spool, ledger, log, progress: Progress::default() }
    }
}
