//! Configuration: from `nncp.hjson`, a directory or an encrypted file to a checked [`Node`].

pub(crate) mod address;
pub mod cron;
mod exposed;
pub(crate) mod fresh;
pub mod hjson;

mod check;
mod directory;
mod error;
mod load;
mod node;
mod proof;
mod schema;
mod strip;
#[cfg(test)]
pub(crate) mod testing;
mod twins;
mod warning;

pub use directory::{dump as dump_directory, load as load_directory};
pub use error::ConfigError;
pub(crate) use exposed::{Exposed, exposed};
pub(crate) use load::{Loaded, on_all_cores};
pub use load::{Passphrase, checked, load, load_tree};
pub use node::{Area, BadKey, FindError, Neighbour, Node};
pub(crate) use node::{Autotoss, Call, Direction, Handle, Mail, Notify};
pub(crate) use proof::Proof;
pub(crate) use strip::strip;
pub(crate) use warning::Warning;
