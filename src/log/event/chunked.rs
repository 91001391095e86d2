//! Chunked files put together.

use super::super::record::Record;
use std::path::Path;

/// What became of a chunked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reass {
    /// It is put together.
    Done,
    /// It could be.
    DryRun,
    /// Its description can not be read.
    BadMeta,
    /// Its description can not be read, is of another kind, or the disk refused.
    Failed,
    /// What is left of its description can not be removed.
    Removing,
}

/// A chunked file was put together, or not.
pub(crate) fn reass(what: Reass, path: &Path) -> Record {
    let (who, end) = match what {
        Reass::Done => ("reass", ": done"),
        Reass::DryRun | Reass::Failed => ("reass", ""),
        Reass::BadMeta => ("reass-bad-meta", ": bad meta"),
        Reass::Removing => ("reass-removing", ": removing"),
    };
    // The reference writes this field of this record in small letters.
    let field = if what == Reass::DryRun { "path" } else { "Path" };
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\"{end}")).field(field, path)
}

/// A chunk is not what the description says.
pub(crate) fn reass_chunk(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk", path, chunk, "")
}

/// A chunk is not there.
pub(crate) fn reass_chunk_missing(path: &Path, chunk: u64) -> Record {
    reass_chunk_record("reass-chunk-miss", path, chunk, " missing")
}

fn reass_chunk_record(who: &'static str, path: &Path, chunk: u64, end: &str) -> Record {
    let path = path.display();
    Record::new(who, format!("Reassembling chunked file \"{path}\": chunk {chunk}{end}"))
        .field("Path", path)
        .field("Chunk", chunk)
}
