//! Groups of flags that several commands share.

use super::flag::flags;
use std::path::PathBuf;

/// Where the configuration is looked for without `-cfg` and `NNCPCFG`.
pub(crate) const DEFAULT_CONFIG: &str = "/etc/nncp.hjson";

flags! {
    /// Where the configuration is.
    pub(crate) struct Config {
        /// Path to configuration file
        "cfg" cfg: Option<PathBuf> = Some(DEFAULT_CONFIG.into());
    }
}

flags! {
    /// Where configuration and spool are.
    pub(crate) struct Paths {
        use config: Config;
        /// Override path to spool
        "spool" spool: Option<PathBuf>;
    }
}

flags! {
    /// What appears on standard error.
    pub(crate) struct Talk {
        /// Print neither messages nor progress
        "quiet" quiet: bool;
        /// Print all events as records, debug ones too
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
    /// Results for programs.
    pub(crate) struct Json {
        /// Print results as JSON, one object or one a line: packmule-json(7)
        "json" json: bool;
    }
}
