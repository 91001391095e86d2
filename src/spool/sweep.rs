//! Removing files from the spool by kind and age: what `nncp-rm` does.

use super::{
    Spool, Suffix, Xx,
    disk::{self, DiskError, Op, Result},
    lock::{is_at, try_flock},
};
use crate::log::event;
use packmule_protocol::id::NodeId;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How files are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Only files that have not changed for so long.
    pub older: Option<Duration>,
    /// Say so, but remove nothing.
    pub dry_run: bool,
}

/// What is removed of one neighbour. Several kinds add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Everything directly in `rx/`; with one of the narrower kinds only what they say.
    pub rx: bool,
    /// Everything directly in `tx/`; likewise.
    pub tx: bool,
    /// Header copies alone, of the directions chosen.
    pub hdr: bool,
    /// Beginnings of packets.
    pub part: bool,
    /// Packets that nobody hashed.
    pub nock: bool,
    /// Notes of packets seen.
    pub seen: bool,
    /// Marks of area messages.
    pub area: bool,
    /// Packets made as acknowledgements.
    pub ack: bool,
    /// Only files of these names, wherever they are.
    pub names: Option<BTreeSet<String>>,
}

impl Spool {
    /// Removes what is under `tmp/`.
    ///
    /// # Errors
    /// At the first file that can not be removed, and when there is no `tmp/`.
    pub fn sweep_tmp(&self, manner: Manner) -> Result<()> {
        self.walk(&self.tmp_dir(), &mut |path| self.sweep_file(path, manner).map(|_| ()))
    }

    /// Removes all lock files that nobody holds. Returns how many are held, and stay.
    ///
    /// # Errors
    /// At the first file that can not be removed.
    pub fn sweep_locks(&self, manner: Manner) -> Result<usize> {
        let mut held = 0;
        self.walk(self.root(), &mut |path| {
            if path.extension() != Some(OsStr::new("lock")) {
                return Ok(());
            }
            // The lock is kept until the file is gone, so nobody takes it in between.
            let file = match disk::open_regular_path(path) {
                Ok((file, _)) => Some(file),
                Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(_) => None,
            };
            let free = file
                .as_ref()
                .is_some_and(|file| try_flock(file).unwrap_or(false) && is_at(file, path));
            if free {
                return self.sweep_file(path, Manner { older: None, ..manner }).map(|_| ());
            }
            held += 1;
            self.log().info(event::lock_in_use(path));
            Ok(())
        })?;
        Ok(held)
    }

    /// Removes files of one neighbour.
    ///
    /// # Errors
    /// At the first file that can not be removed.
    pub fn sweep(&self, node: &NodeId, kinds: &Kinds, manner: Manner) -> Result<()> {
        if let Some(names) = &kinds.names {
            return self.sweep_names(node, names, Manner { older: None, ..manner });
        }
        let rx = self.dir(node, Xx::Rx);
        let narrower = kinds.part || kinds.nock || kinds.seen || kinds.hdr;
        for (xx, chosen) in [(Xx::Rx, kinds.rx), (Xx::Tx, kinds.tx)] {
            if chosen && kinds.hdr {
                self.sweep_dir(&self.hdr_dir(node, xx), manner, |_| true)?;
            }
            if chosen && !narrower {
                for name in self.sweep_dir(&self.dir(node, xx), manner, |_| true)? {
                    self.sweep_hdr(node, xx, &name, manner);
                }
            }
        }
        if kinds.part {
            self.sweep_dir(&rx, manner, |name| has_suffix(name, Suffix::Part))?;
        }
        if kinds.nock {
            self.sweep_dir(&rx, manner, |name| has_suffix(name, Suffix::Nock))?;
        }
        if kinds.seen {
            self.sweep_dir(&self.seen_dir(node), manner, |_| true)?;
        }
        if kinds.area {
            self.sweep_areas(node, manner)?;
        }
        if kinds.ack {
            self.sweep_acks(node, Manner { older: None, ..manner })?;
        }
        Ok(())
    }

    /// The listed names only, wherever they are; nothing else, also when the list is empty.
    fn sweep_names(&self, node: &NodeId, names: &BTreeSet<String>, manner: Manner) -> Result<()> {
        let listed = |name: &str| names.contains(name);
        for xx in [Xx::Rx, Xx::Tx] {
            for name in self.sweep_dir(&self.dir(node, xx), manner, listed)? {
                self.sweep_hdr(node, xx, &name, manner);
            }
        }
        self.sweep_dir(&self.seen_dir(node), manner, listed).map(|_| ())
    }

    fn sweep_areas(&self, node: &NodeId, manner: Manner) -> Result<()> {
        let dir = self.areas_dir(node);
        if !dir.is_dir() {
            return Ok(());
        }
        self.walk(&dir, &mut |path| self.sweep_file(path, manner).map(|_| ()))
    }

    /// Acknowledgements still waiting, then their marks.
    fn sweep_acks(&self, node: &NodeId, manner: Manner) -> Result<()> {
        for hash in self.acks(node)? {
            let packet = self.packet(node, Xx::Tx, &hash);
            if packet.symlink_metadata().is_ok() {
                self.sweep_file(&packet, manner)?;
                self.sweep_hdr(node, Xx::Tx, &hash.to_string(), manner);
            }
            self.sweep_file(&self.ack_dir(node).join(hash.to_string()), manner)?;
        }
        Ok(())
    }

    /// Removes the regular files of a directory; returns the names of those that went.
    fn sweep_dir(
        &self,
        dir: &Path,
        manner: Manner,
        chosen: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>> {
        let mut gone = Vec::new();
        for path in disk::files(dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if chosen(&name) && self.sweep_file(&path, manner)? {
                gone.push(name);
            }
        }
        Ok(gone)
    }

    /// Header copies go silently with their packets.
    fn sweep_hdr(&self, node: &NodeId, xx: Xx, name: &str, manner: Manner) {
        if !manner.dry_run {
            self.remove_hdr(node, xx, name);
        }
    }

    /// Removes one file, unless it is too young; whether it went.
    fn sweep_file(&self, path: &Path, manner: Manner) -> Result<bool> {
        if manner.older.is_some_and(|older| age(path) < older) {
            self.log().debug(|| event::too_fresh(path));
            return Ok(false);
        }
        // Whoever was faster has removed it for us.
        if !manner.dry_run && !self.disk().remove_if_there(path)? {
            return Ok(false);
        }
        self.log().info(event::removed(path));
        Ok(true)
    }

    /// Calls `each` for every regular file below `dir`, without following links.
    fn walk(&self, dir: &Path, each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
        let fail = |source| DiskError { op: Op::Open, path: dir.to_owned(), source };
        let mut entries: Vec<(PathBuf, std::fs::FileType)> = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            entries.push((entry.path(), entry.file_type().map_err(fail)?));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, kind) in entries {
            if kind.is_dir() {
                self.walk(&path, each)?;
            } else if kind.is_file() {
                each(&path)?;
            }
        }
        Ok(())
    }
}

fn has_suffix(name: &str, suffix: Suffix) -> bool {
    name.ends_with(suffix.text())
}

/// How long ago the file changed; nothing if it is gone or of the future.
fn age(path: &Path) -> Duration {
    let changed = path.symlink_metadata().and_then(|metadata| metadata.modified());
    changed.ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default()
}
