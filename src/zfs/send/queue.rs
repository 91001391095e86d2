//! The queue of a destination, as the sender sees it.

use super::super::name::Dataset;
use std::io::Read;

/// Reads a stream and queues it for a destination. It may publish the stream only after it has read
/// to the end without an error.
pub type Queue<'a> =
    dyn Fn(&str, &Dataset, &mut (dyn Read + Send)) -> Result<(), QueueError> + Sync + 'a;

/// Why a stream could not be queued.
pub type QueueError = Box<dyn std::error::Error + Send + Sync>;
