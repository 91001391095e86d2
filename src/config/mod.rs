//! Configuration: from `nncp.hjson`, a directory or an encrypted file to a checked [`Node`].

pub mod cron;
pub mod hjson;

mod check;
mod directory;
mod error;
mod load;
mod node;
mod schema;
mod warning;

pub use error::{ConfigError, Fault};
pub use load::{Loaded, Passphrase, load};
pub use node::{
    Acks, Area, Autotoss, Call, Direction, Freq, LogTarget, Mail, Neighbour, Node, Notify,
};
pub use warning::Warning;
