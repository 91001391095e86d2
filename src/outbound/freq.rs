//! `nncp-freq`: requests a file from a neighbour.

use super::error::QueueError;
use super::path;
use super::queue::{Parcel, check_destination};
use super::route::{Destination, Via};
use crate::config::Neighbour;
use crate::ledger::{Follow, Kind};
use crate::local::Local;
use crate::log::event::Sent;
use crate::progress::Work;
use packmule_protocol::niceness::Niceness;
use packmule_protocol::packet::{self, PlainHeader};

/// Options for a request.
#[derive(Debug, Clone)]
pub struct FreqOptions {
    /// Niceness of the request.
    pub nice: Niceness,
    /// Niceness of the answer.
    pub reply_nice: Niceness,
    /// Minimum size in bytes.
    pub minimum: u64,
    /// Relays.
    pub via: Via,
}

impl Default for FreqOptions {
    fn default() -> Self {
        let via = Via::Configured;
        Self { nice: Niceness::NORMAL, reply_nice: Niceness::BULK, minimum: 0, via }
    }
}

impl Local {
    /// Requests the file `source` of `from`, to arrive here as `destination`. If `destination` is
    /// empty, it is the last component of the source.
    ///
    /// # Errors
    /// Nothing is queued then.
    pub fn freq<'a>(
        &'a self,
        from: &'a Neighbour,
        source: &[u8],
        destination: &[u8],
        options: &FreqOptions,
    ) -> Result<(), QueueError> {
        if source.is_empty() {
            return Err(QueueError::NoSource);
        }
        let source = path::clean(source);
        if source.first() == Some(&b'/') {
            return Err(QueueError::Absolute("source"));
        }
        let destination = match destination {
            [] => path::base_name(&source),
            given => path::clean(given),
        };
        check_destination(&destination)?;
        let parcel = Parcel {
            plain: PlainHeader::new(packet::Kind::Freq, Some(options.reply_nice), &source[..])?,
            nice: options.nice,
            minimum: options.minimum,
            maximum: None,
            size: Some(destination.len() as u64),
            shown: path::shown(&source),
            work: Work::Tx,
            batch: None,
            follow: Some(Follow::new(Kind::Freq, "", self.now())),
        };
        let queued = self.queue(Destination::Node(from), &options.via, &parcel, &destination[..]);
        let (source, destination) = (path::shown(&source), path::shown(&destination));
        let record = |sent: &Sent<'_>| sent.freq(options.reply_nice, &source, &destination);
        self.logged(from.peer(), options.nice, queued, record).map(drop)
    }
}
