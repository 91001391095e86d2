//! Reports locks whose holder is suspended. The kernel releases the locks of a process that has
//! ended, so only a suspended process can block others forever.

use super::finding::Finding;
use super::patient::Patient;
use crate::log::{Target, lock_path};
use crate::spool::LockKind;
use rustix::fs::{major, minor};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const KINDS: [LockKind; 3] = [LockKind::Toss, LockKind::Rx, LockKind::Tx];

pub(super) fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let node = &patient.loaded.node;
    let of_spool = node.neighbours.values().flat_map(|neighbour| {
        KINDS.map(|kind| (patient.spool.lock_path(&neighbour.id, kind), "its queue waits"))
    });
    let of_log = match &node.log {
        Target::File(path) => Some((lock_path(path), "every command that logs waits")),
        Target::Fd(_) => None,
    };
    let table = fs::read_to_string("/proc/locks").unwrap_or_default();
    let stopped = of_spool.chain(of_log).filter_map(|(path, meanwhile)| {
        let holder = holder(&table, &path).filter(|process| is_stopped(*process))?;
        let name = fs::read_to_string(format!("/proc/{holder}/comm")).unwrap_or_default();
        let what = format!(
            "{} is held by process {holder} ({}), which is suspended: {meanwhile}",
            path.display(),
            name.trim_end()
        );
        Some(Finding::fault("lock-held", what, format!("kill -CONT {holder}, or kill it")))
    });
    stopped.collect()
}

/// The process that holds the lock of a file: `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`, the
/// device in hexadecimal, then the inode. proc_locks(5).
fn holder(table: &str, path: &Path) -> Option<u32> {
    let file = fs::symlink_metadata(path).ok()?;
    let wanted = format!("{:02x}:{:02x}:{}", major(file.dev()), minor(file.dev()), file.ino());
    table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1) == Some(&"FLOCK") && fields.get(5) == Some(&wanted.as_str());
        is_it.then(|| fields[4].parse().ok()).flatten()
    })
}

/// True if the process is suspended: its state is T or t. proc_pid_stat(5).
fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may itself contain parentheses, so search from the end.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};
    use std::fs::File;
    use std::process::{Command, Stdio};

    #[test]
    fn the_holder_of_a_lock_is_found_and_whether_it_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("toss.lock");
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        let holder = || holder(&fs::read_to_string("/proc/locks").unwrap(), &path);
        assert_eq!(holder(), Some(std::process::id()));
        file.unlock().unwrap();
        assert_eq!(holder(), None);

        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(!is_stopped(child.id()));
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        while !is_stopped(child.id()) {
            std::thread::yield_now();
        }
        kill_process(pid, Signal::KILL).unwrap();
        child.wait().unwrap();
    }
}
