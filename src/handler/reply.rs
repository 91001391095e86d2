//! The reply of a builtin to the sender.

/// A reply. It is queued after the handler has succeeded and before its packet is removed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A file packet.
    File {
        /// The file's path at the recipient.
        destination: Vec<u8>,
        /// The file's content.
        content: Vec<u8>,
    },
    /// An exec packet.
    Exec {
        /// The handle and its arguments.
        command: Vec<Vec<u8>>,
        /// The command's standard input.
        input: Vec<u8>,
    },
}
