//! Where streams go: into the queue of a destination.

use super::super::name::Dataset;
use std::io::Read;

/// Queues a stream for a destination. Reading to the end without an error is the permission to
/// publish it; on an error nothing may be published.
pub type Queue<'a> =
    dyn Fn(&str, &Dataset, &mut (dyn Read + Send)) -> Result<(), QueueError> + Sync + 'a;

/// Why a queue did not take a stream.
pub type QueueError = Box<dyn std::error::Error + Send + Sync>;
