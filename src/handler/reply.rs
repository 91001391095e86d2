//! What a builtin has queued for the sender.

/// An answer to the sender, queued when the handler is done and before its packet goes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A file.
    File {
        /// Its path on the sender's side.
        destination: Vec<u8>,
        /// What is in it.
        content: Vec<u8>,
    },
    /// A command.
    Exec {
        /// A handle and its arguments.
        command: Vec<Vec<u8>>,
        /// Its standard input.
        input: Vec<u8>,
    },
}
