//! Classifies the error messages of `zfs receive` by what follows from them. Only used if the guids
//! do not decide.

use super::command::one_line;
use super::outcome::Outcome;
use super::reason::{Refusal, Wait};

/// What an error message means for the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Try again later.
    Busy,
    /// Partial state of `receive -s` is in the way.
    Partial,
    /// Try again, after a person has acted.
    Person,
    /// The stream passed packmule's check, but `zfs` found it damaged.
    Machine,
    /// The backup was changed since its newest snapshot.
    Modified,
    /// The stream can never be received.
    Never,
}

const MODIFIED: &str = "has been modified";

/// Messages of zfs-fuse and OpenZFS 2.1 to 2.3. The first match counts, so the longer ones come
/// first.
const TABLE: [(&str, Meaning); 30] = [
    ("dataset is busy", Meaning::Busy),
    ("partially-complete state", Meaning::Partial),
    ("out of space", Meaning::Person),
    ("quota exceeded", Meaning::Person),
    ("limit exceeded", Meaning::Person),
    ("pool is read-only", Meaning::Person),
    ("pool I/O is currently suspended", Meaning::Person),
    ("inherited key must be loaded", Meaning::Person),
    ("key must be loaded", Meaning::Person),
    ("unable to restore to destination", Meaning::Person),
    (MODIFIED, Meaning::Modified),
    ("permission denied", Meaning::Never),
    ("must be run as root", Meaning::Never),
    ("unsupported feature", Meaning::Never),
    ("deprecated feature", Meaning::Never),
    ("pool must be upgraded", Meaning::Never),
    ("destination already exists", Meaning::Never),
    ("is not a filesystem", Meaning::Never),
    ("requires -L", Meaning::Never),
    ("cannot perform raw receive", Meaning::Never),
    ("IV set guid mismatch", Meaning::Never),
    ("incompatible embedded data", Meaning::Never),
    ("cannot be used to destroy an encrypted", Meaning::Never),
    ("bad snapshot name", Meaning::Never),
    ("invalid name", Meaning::Never),
    ("checksum mismatch", Meaning::Machine),
    // The stream passed packmule's check. `zfs` also prints this if a snapshot was made meanwhile.
    ("invalid backup stream", Meaning::Busy),
    ("incomplete stream", Meaning::Machine),
    ("failed to read from stream", Meaning::Machine),
    ("bad magic number", Meaning::Machine),
];

/// True if `zfs` reports that the backup was changed since its newest snapshot.
pub(crate) fn is_modified(said: &str) -> bool {
    said.contains(MODIFIED)
}

/// The outcome of a stream that passed packmule's check and failed in `zfs receive`.
pub(crate) fn after_failure(stderr: &str) -> Outcome {
    let said = one_line(stderr);
    let meaning = TABLE.iter().find(|(text, _)| said.contains(text)).map(|(_, meaning)| *meaning);
    match meaning {
        Some(Meaning::Busy) => Outcome::Defer(Wait::Busy),
        Some(Meaning::Partial) => Outcome::Defer(Wait::PartialState),
        Some(Meaning::Machine) => Outcome::Defer(Wait::Machine(said)),
        Some(Meaning::Modified | Meaning::Never) => Outcome::Reject(Refusal::Zfs(said)),
        // Defers on an unknown message and prints it: trying again loses nothing.
        Some(Meaning::Person) | None => Outcome::Defer(Wait::Zfs(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_break_in_the_middle_of_a_sentence() {
        let stderr = "cannot receive incremental stream: destination D has been\nmodified\nsince most recent snapshot\n";
        assert!(matches!(after_failure(stderr), Outcome::Reject(Refusal::Zfs(_))));
    }

    #[test]
    fn words_never_heard_are_said_and_the_stream_is_kept() {
        assert_eq!(after_failure("oops"), Outcome::Defer(Wait::Zfs("oops".into())));
    }
}
