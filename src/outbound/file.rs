//! `nncp-file`: a file, directory or stream for a neighbour or an area.

use super::delivery::{Delivery, FileOptions};
use super::error::QueueError;
use super::path;
use super::queue::check_destination;
use super::route::Destination;
use super::source::Source;
use crate::local::Local;

impl Local {
    /// Queues `source` for `to`, to arrive at `destination`. `name` is shown to people. If
    /// `destination` is empty, it is the last component of `name`, plus `.tar` for a directory.
    ///
    /// # Errors
    /// Nothing is queued then.
    pub fn file<'a>(
        &'a self,
        to: Destination<'a>,
        source: Source,
        name: &[u8],
        destination: &[u8],
        options: FileOptions,
    ) -> Result<(), QueueError> {
        let peer = to.neighbour(&self.node);
        let destination = match destination {
            [] if source.is_tar => [&path::base_name(name)[..], b".tar"].concat(),
            [] => path::base_name(name),
            given => path::clean(given),
        };
        check_destination(&destination)?;
        let data = self.now();
        let minimum = options.minimum.unwrap_or(peer.freq.minsize);
        let source_name = path::shown(name);
        let mut delivery = Delivery {
            to,
            peer,
            source: source_name,
            destination,
            options,
            minimum,
            data,
            batch: None,
        };
        self.deliver(&mut delivery, source).inspect_err(|error| {
            if error.is_event() {
                self.log.error(delivery.record(&delivery.destination, 0, None), error);
            }
        })
    }

    fn deliver<'a>(
        &'a self,
        delivery: &mut Delivery<'a>,
        source: Source,
    ) -> Result<(), QueueError> {
        let configured = delivery.peer.freq.chunked.unwrap_or(0);
        let chunk_size = delivery.options.chunked.unwrap_or(configured);
        // Like the reference: an empty file is chunked; a file of exactly the size of a chunk is
        // not.
        let fits = source.size.is_some_and(|size| size > 0 && size <= chunk_size);
        if chunk_size > 0 && !fits {
            return self.chunks(delivery, chunk_size, source.content);
        }
        let name = delivery.destination.clone();
        let written = self.write_delivery(delivery, &name, source.size, source.content)?;
        let queued = self.publish(written)?;
        self.log.info(delivery.sent(&name, queued));
        Ok(())
    }
}
