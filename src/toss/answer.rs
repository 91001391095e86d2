//! Queues a handler's reply to the sender.

use crate::config::Neighbour;
use crate::handler::Reply;
use crate::local::Local;
use crate::outbound::{Destination, ExecOptions, FileOptions, QueueError, Source};

/// Queues `reply` for `neighbour`.
///
/// # Errors
/// Nothing is queued then.
pub(crate) fn answer(local: &Local, neighbour: &Neighbour, reply: Reply) -> Result<(), QueueError> {
    let to = Destination::Node(neighbour);
    match reply {
        Reply::File { destination, content } => {
            let source = Source::bytes(content);
            local.file(to, source, &destination, &destination, FileOptions::default())
        }
        Reply::Exec { command, input } => {
            local.exec(to, &command, &input[..], &ExecOptions::default())
        }
    }
}
