//! The events of reassembling chunked files.

use super::super::record::Record;
use std::path::Path;

/// The result of reassembling a chunked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reass {
    /// It is complete.
    Done,
    /// It would be complete (dry run).
    DryRun,
    /// Its meta file is invalid.
    BadMeta,
    /// Its meta file cannot be read or is of another kind, or a disk operation failed.
    Failed,
    /// Its meta file cannot be removed.
    Removing,
}

/// A chunked file was reassembled, or not.
pub(crate) fn reass(what: Reass, path: &Path) -> Record {
    let (who, end) = match what {
        Reass::Done => ("reass", ": done"),
        Reass::DryRun | Reass::Failed => ("reass", ""),
        Reass::BadMeta => ("reass-bad-meta", ": bad meta"),
        Reass::Removing => ("reass-removing", ": removing"),
    };
    // The reference writes this field in lower case, only in this record.
    let field = if what == Reass::DryRun { "path" } else { "Path" };
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\"{end}")).field(field, path)
}

/// A chunk does not match the meta file.
pub(crate) fn reass_chunk(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk", path, chunk, "")
}

/// A chunk is missing.
pub(crate) fn reass_chunk_missing(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk-miss", path, chunk, " missing")
}

fn reass_chunk_record(who: &'static str, path: &Path, chunk: u64, end: &str) -> Record {
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\": chunk {chunk}{end}"))
        .field("Path", path)
        .field("Chunk", chunk)
}
