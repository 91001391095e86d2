//! packmule: NNCP store-and-forward, made for airgapped and asynchronous backups.
//!
//! The library behind the one binary, for programs that are a node themselves: a backup program that
//! queues what it read, a service that acts on packets, a monitor.
//!
//! [`Local`] is an opened node. Its methods [`file`](Local::file), [`exec`](Local::exec) and
//! [`freq`](Local::freq) queue packets; [`Toss`] acts on received ones, [`Xfer`] exchanges them with a
//! removable medium, [`Bundle`] with a stream; [`Local::standings`] tells the state of each neighbour.
//! Packets, keys and the states of a call are in the crate [`protocol`], which does no I/O.
//!
//! What is not exported here is private. ARCHITECTURE.md has the folders with their layers, and the life
//! of a packet through them.
//!
//! ```no_run
//! use packmule::{Destination, FileOptions, Local, Source};
//!
//! let local = Local::open("/etc/nncp.hjson".as_ref())?;
//! let vault = local.node().find("vault")?;
//! let data = Source::stream(std::io::stdin());
//! local.file(Destination::Node(vault), data, b"-", b"documents.tar", FileOptions::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod age;
mod blocks;
mod chain;
mod cli;
mod config;
mod disk;
mod display;
mod doctor;
mod handler;
mod inherited;
mod ledger;
mod local;
mod log;
mod media;
mod mtree;
mod nearest;
mod net;
mod outbound;
mod progress;
mod random;
mod reass;
mod settings;
mod spool;
mod toss;
mod unpack;
mod zfs;

pub use config::{Area, BadKey, ConfigError, FindError, Neighbour, Node, Passphrase};
pub use doctor::peers::{Failure, Standing, StandingError};
pub use handler::{Call, Reply, Search, Verdict};
pub use local::Local;
pub use log::{Entry, Level, Notice, Record, SinkError};
pub use media::bundle::{Bundle, ReceiveError, SendError};
pub use media::xfer::{Medium, Xfer};
pub use media::{Broken, Options as MediaOptions, Report as MediaReport};
pub use outbound::{
    Destination, ExecOptions, FileOptions, FreqOptions, QueueError, RouteError, Source,
    SourceError, Via,
};
pub use packmule_protocol as protocol;
pub use progress::{Batch, Meter, Progress, Transfer, Watcher, Work};
pub use spool::Totals;
pub use toss::{Options as TossOptions, Report as TossReport, Toss};

/// What the binary, the tests and the fuzz targets use. It is no part of the library's API, and changes
/// without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::cli::{main, manual};
    pub use crate::handler::Builtin;
    pub use crate::unpack::unpacked;

    pub mod chain {
        pub use crate::chain::{Confirmation, Next};
    }
    pub mod config {
        pub use crate::config::{
            ConfigError, Node, Passphrase, checked, cron, dump_directory, hjson, load,
            load_directory, load_tree,
        };
    }
    pub mod log {
        pub use crate::log::{Entry, Level, Record, recfile, sentence};
    }
    pub mod media {
        pub use crate::media::bundle::search::Search;
    }
    pub mod mtree {
        pub use crate::mtree::*;
    }
    pub mod zfs {
        pub use crate::zfs::{
            command, decide, dialect, lock, name, receipt, receive, send, stream,
        };
    }
}
