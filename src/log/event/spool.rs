//! The events of the spool's own files.

use super::super::record::Record;
use super::Xx;
use crate::display::Size;
use packmule_protocol::id::NodeId;
use packmule_protocol::niceness::Niceness;
use std::path::Path;

/// A temporary file was made.
pub(crate) fn tmp(path: &Path) -> Record {
    let src = path.display();
    Record::new("tmp", format!("Temporary file created: {src}")).field("Src", src)
}

/// A temporary file was renamed.
pub(crate) fn tmp_rename(path: &Path, name: &str) -> Record {
    let src = path.display();
    Record::new("tmp-rename", format!("Temporary file: {src} -> {name}"))
        .field("Src", src)
        .field("Dst", name)
}

/// A packet was listed. `sender` is from its header, whichever directory it is in.
pub(crate) fn job(xx: Xx, name: &str, sender: NodeId, nice: Niceness, size: u64) -> Record {
    let text = format!("Job {sender}/{xx}/{name} nice: {nice} size: {}", Size(size));
    Record::new("job", text)
        .field("XX", xx)
        .field("Node", sender)
        .field("Name", name)
        .field("Nice", nice.get())
        .field("Size", size)
}

/// A file with a packet's name is not a packet.
pub(crate) fn job_bad(xx: Xx, name: &str, size: u64) -> Record {
    Record::new("job", format!("Job {xx}/{name} size: {}", Size(size)))
        .field("XX", xx)
        .field("Name", name)
        .field("Size", size)
}

/// A directory of packets cannot be read.
pub(crate) fn jobs_unread(path: &Path) -> Record {
    let dir = path.display();
    Record::new("job", format!("Jobs of {dir}")).field("Dir", dir)
}

/// A copy of a header under `hdr/` cannot be written.
pub(crate) fn hdr_write(step: HdrStep) -> Record {
    let (who, what) = match step {
        HdrStep::Tmp => ("hdr-write-tmp-new", "creating"),
        HdrStep::Write => ("hdr-write-write", "writing"),
        HdrStep::Mkdir => ("hdr-write-ensure-mkdir", "ensuring directory"),
        HdrStep::Rename => ("hdr-write-rename", "renaming"),
    };
    Record::new(who, format!("Header writing: {what}"))
}

/// The step at which writing a copy of a header failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HdrStep {
    /// Making its temporary file.
    Tmp,
    /// Writing its bytes.
    Write,
    /// Making its directory.
    Mkdir,
    /// Renaming it.
    Rename,
}

/// A lock file cannot be opened.
pub(crate) fn lock_open(path: &Path) -> Record {
    let path = path.display();
    Record::new("lockdir-open", format!("Locking directory: opening {path}")).field("Path", path)
}

/// A lock is held by another process.
pub(crate) fn lock_held(path: &Path) -> Record {
    let path = path.display();
    Record::new("lockdir-flock", format!("Locking directory: locking {path}")).field("Path", path)
}

/// A directory cannot be made.
pub(crate) fn dir_ensure(path: &Path) -> Record {
    let dir = path.display();
    Record::new("dir-ensure-mkdir", format!("Ensuring directory: {dir}")).field("Dir", dir)
}

/// A packet's hash is not its name.
pub(crate) fn checking(node: NodeId, xx: Xx, name: &str, size: u64) -> Record {
    Record::new("checking", format!("Checking: {node}/{xx}/{name}"))
        .field("XX", xx)
        .field("Node", node)
        .field("Pkt", name)
        .field("FullSize", size)
}

/// A file of the spool was removed.
pub(crate) fn removed(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm", format!("File {file}: removed")).field("File", file)
}

/// A file of the spool is too young to be removed.
pub(crate) fn too_fresh(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm-skip", format!("File {file}: too fresh, skipping")).field("File", file)
}

/// A lock file is kept, because a process holds the lock.
pub(crate) fn lock_in_use(path: &Path) -> Record {
    let file = path.display();
    Record::new("rm-locked", format!("File {file}: locked, skipping")).field("File", file)
}
