//! Synchronization: how two nodes exchange packets over a stream. NNCP manual, "Synchronization
//! protocol".

pub mod frame;
pub mod handshake;
pub mod message;
