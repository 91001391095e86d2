//! A plain stream that is being received.

use super::super::decide::Route;
use super::super::name::Dataset;
use super::super::offer::Offer;
use super::super::outcome::Applied;
use super::super::stream::Begin;
use super::feed::Feed;
use std::io;
use std::time::Instant;

/// A plain stream that is being received.
pub(super) struct Part {
    pub(super) begin: Box<Begin>,
    pub(super) offer: Offer,
    pub(super) target: Dataset,
    pub(super) route: Route,
    /// The dataset that `zfs receive` writes to: the target or its sibling (see `sibling.rs`).
    pub(super) into: Dataset,
    /// `None` if an earlier attempt already received it into the sibling.
    pub(super) feed: Option<Feed>,
    pub(super) bytes: u64,
    pub(super) started: Instant,
}

impl Part {
    pub(super) fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.bytes += data.len() as u64;
        match &mut self.feed {
            Some(feed) => feed.write(data),
            None => Ok(()),
        }
    }

    pub(super) fn applied(&self, unrecorded: bool) -> Applied {
        Applied {
            target: self.target.to_string(),
            snapshot: self.begin.to_name.snapshot().to_owned(),
            to_name: self.begin.to_name.to_string(),
            to_guid: self.offer.step.to_guid,
            from_guid: self.offer.step.from_guid,
            bytes: self.bytes,
            seconds: self.started.elapsed().as_secs(),
            unrecorded,
        }
    }
}
