//! Queueing a handler's answer to the sender.

use crate::config::Neighbour;
use crate::handler::Reply;
use crate::outbound::{Destination, ExecOptions, FileOptions, Outbox, QueueError, Source};

/// Queues `reply` for `neighbour`.
///
/// # Errors
/// Nothing is left behind.
pub fn answer(outbox: &Outbox<'_>, neighbour: &Neighbour, reply: Reply) -> Result<(), QueueError> {
    let to = Destination::Node(neighbour);
    match reply {
        Reply::File { destination, content } => {
            let source = Source::bytes(content);
            outbox.file(to, source, &destination, &destination, FileOptions::default())
        }
        Reply::Exec { command, input } => {
            outbox.exec(to, &command, &input[..], &ExecOptions::default())
        }
    }
}
