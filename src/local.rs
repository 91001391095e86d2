//! An opened node: all that work on it needs.

use crate::config::{self, ConfigError, Loaded, Node, Passphrase};
use crate::log::{Log, Notice};
use crate::progress::Progress;
use crate::spool::{Options, Spool};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// An opened node: its configuration, its spool and its log, and who watches the work.
///
/// Packets are queued by its methods `file`, `exec`, `freq` and `trns`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Local {
    /// The configuration: this node's keys, its neighbours and areas.
    pub(crate) node: Arc<Node>,
    /// The packets on disk.
    pub(crate) spool: Spool,
    /// Where events are written to.
    pub(crate) log: Log,
    /// Where work reports how far it is: nowhere, unless a watcher is set.
    pub(crate) progress: Progress,
}

impl Local {
    /// Opens the node that a configuration file or directory describes, as the commands do: `umask`
    /// holds for the process from now on, `nohdr` for the spool, and events go to the configured log.
    ///
    /// # Errors
    /// [`ConfigError`], also when the configuration is encrypted: see [`open_encrypted`](Self::open_encrypted).
    pub fn open(configuration: &Path) -> Result<Self, ConfigError> {
        let refuse = || Err(io::Error::other("the configuration is encrypted"));
        Self::open_encrypted(configuration, refuse)
    }

    /// Opens the node that a configuration describes; `passphrase` is asked for if it is encrypted.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration can not be read, or is wrong.
    pub fn open_encrypted(
        configuration: &Path,
        passphrase: impl FnMut() -> io::Result<Passphrase>,
    ) -> Result<Self, ConfigError> {
        let Loaded { node, .. } = config::load(configuration, passphrase)?;
        let log = Log::new(Some(node.log.clone()), None);
        Ok(Self::new(node, log, true))
    }

    /// The same node, whose events `observer` hears of, besides the log.
    #[must_use]
    pub fn observed(self, observer: impl Fn(Notice<'_>) + Send + Sync + 'static) -> Self {
        let log = Log::new(Some(self.node.log.clone()), Some(Box::new(observer)));
        let sync = self.spool.disk().sync;
        Self { progress: self.progress, ..Self::with(self.node, log, sync) }
    }

    /// The same node, whose work `progress` hears of.
    #[must_use]
    pub fn watched(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The configuration: this node, its neighbours and areas.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Opens a loaded node. `sync` is false where nothing has to survive a power cut.
    pub(crate) fn new(node: Node, log: Log, sync: bool) -> Self {
        if let Some(mask) = node.umask {
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        }
        Self::with(Arc::new(node), log, sync)
    }

    fn with(node: Arc<Node>, log: Log, sync: bool) -> Self {
        let options = Options { hdr: !node.nohdr, sync };
        let spool = Spool::new(&node.spool, options, log.clone());
        Self { node, spool, log, progress: Progress::default() }
    }
}
