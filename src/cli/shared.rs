//! Groups of flags that several commands share.

use super::flag::flags;
use std::path::PathBuf;

/// The path of the configuration if neither `-cfg` nor `NNCPCFG` gives one.
pub(crate) const DEFAULT_CONFIG: &str = "/etc/nncp.hjson";

flags! {
    /// The path of the configuration.
    pub(crate) struct Config {
        /// Path to configuration file
        "cfg" cfg: Option<PathBuf> = Some(DEFAULT_CONFIG.into());
    }
}

flags! {
    /// The paths of the configuration and the spool.
    pub(crate) struct Paths {
        use config: Config;
        /// Override path to spool
        "spool" spool: Option<PathBuf>;
    }
}

flags! {
    /// Controls what appears on standard error.
    pub(crate) struct Talk {
        /// Print neither messages nor progress
        "quiet" quiet: bool;
        /// Print all events as records, including debug events
        "debug" debug: bool;
    }
}

flags! {
    /// The flags of most commands.
    pub(crate) struct Common {
        use paths: Paths;
        use talk: Talk;
        /// Override path to logfile; FD:N is descriptor N
        "log" log: Option<String>;
        /// Force progress showing
        "progress" progress: bool;
        /// Omit progress showing
        "noprogress" noprogress: bool;
    }
}

flags! {
    /// What a packet is to whoever follows it.
    pub(crate) struct Followed {
        /// The backup that the packet belongs to, for a NODE that is asked for proof: packmule-status(1)
        own "backup" backup: Option<String>;
        /// Keep the packet until NODE says that it is done, if it is asked for proof
        own "follow" follow: bool = true;
    }
}

flags! {
    /// Machine-readable results.
    pub(crate) struct Json {
        /// Print results as JSON: see packmule-json(7)
        "json" json: bool;
    }
}
