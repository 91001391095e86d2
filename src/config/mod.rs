//! Configuration: from `nncp.hjson`, a directory or an encrypted file to a checked [`Node`].

pub mod address;
pub mod cron;
mod exposed;
pub mod fresh;
pub mod hjson;

mod check;
mod directory;
mod error;
mod load;
mod node;
mod schema;
mod strip;
#[cfg(test)]
pub(crate) mod testing;
mod twins;
mod warning;

pub use directory::{dump as dump_directory, load as load_directory};
pub use error::{ConfigError, Fault};
pub use exposed::{Exposed, exposed};
pub use load::{Loaded, Passphrase, checked, load, load_tree, on_all_cores};
pub use node::{
    Acks, Area, Autotoss, BadKey, Call, Direction, FindError, Freq, Handle, Mail, Neighbour, Node,
    Notify,
};
pub use strip::strip;
pub use warning::Warning;
