//! Configuration: from `nncp.hjson`, a directory or an encrypted file to a checked [`Node`].

mod node;

pub use node::{
    Acks, Area, Autotoss, Call, Direction, Freq, LogTarget, Mail, Neighbour, Node, Notify,
};
