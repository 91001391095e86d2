//! The daemon and the caller as processes, and peers that break the rules or the line: they live,
//! others are served, only the peer's own `rx` is touched, and the log says who and why.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

mod broken;
mod hostile;
mod peer;
