//! Removes files from the spool by kind and age, for `nncp-rm`.

use super::lock::{is_at, try_flock};
use super::{Spool, Suffix, Xx};
use crate::age;
use crate::disk::{self, DiskError, Op, Result, is_file_name};
use crate::log::event;
use packmule_protocol::id::NodeId;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How to remove files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Manner {
    /// Remove only files that have not changed for this long.
    pub older: Option<Duration>,
    /// Report the files, but remove nothing.
    pub dry_run: bool,
}

/// The kinds of files of one neighbour to remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kinds {
    /// All files directly in `rx/`; only the narrower kinds, if one is set.
    pub rx: bool,
    /// Everything directly in `tx/`; likewise.
    pub tx: bool,
    /// Only header copies, of the chosen directions.
    pub hdr: bool,
    /// Partly received packets.
    pub part: bool,
    /// Unverified packets.
    pub nock: bool,
    /// Marks of seen packets.
    pub seen: bool,
    /// Marks of area messages.
    pub area: bool,
    /// Packets made as acknowledgements.
    pub ack: bool,
    /// Only files with these names, in any directory.
    pub names: Option<BTreeSet<String>>,
}

/// The files that were removed, or would have been.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    /// Files that were removed.
    pub gone: Vec<PathBuf>,
    /// Locks that a process holds. They were kept.
    pub held: Vec<PathBuf>,
    /// Files with a modification time in the future. Their age is unknown, so they were kept.
    pub ageless: Vec<PathBuf>,
}

impl Spool {
    /// Removes the files under `tmp/`.
    ///
    /// # Errors
    /// The first file that cannot be removed; `tmp/` does not exist.
    pub(crate) fn sweep_tmp(&self, manner: Manner) -> Result<Swept> {
        let mut broom = Broom::new(self, manner);
        broom.tree(&self.tmp_dir())?;
        Ok(broom.swept)
    }

    /// Removes all lock files that no process holds, regardless of `-older`.
    ///
    /// # Errors
    /// The first file that cannot be removed.
    pub(crate) fn sweep_locks(&self, manner: Manner) -> Result<Swept> {
        let mut broom = Broom::new(self, Manner { older: None, ..manner });
        for path in files_below(self.root())? {
            let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
            if is_file && path.extension() == Some(OsStr::new("lock")) {
                broom.lock_file(&path)?;
            }
        }
        Ok(broom.swept)
    }

    /// Removes files of one neighbour.
    ///
    /// # Errors
    /// The first file that cannot be removed.
    pub(crate) fn sweep(&self, node: &NodeId, kinds: &Kinds, manner: Manner) -> Result<Swept> {
        let mut broom = Broom::new(self, manner);
        match &kinds.names {
            Some(names) => {
                broom.manner.older = None;
                broom.names(node, names)?;
            }
            None => broom.kinds(node, kinds)?,
        }
        Ok(broom.swept)
    }
}

impl Spool {
    /// The paths of a neighbour's files with these names, among those that [`Kinds::names`] removes.
    pub(crate) fn named(&self, node: &NodeId, names: &BTreeSet<String>) -> Vec<PathBuf> {
        let dirs = [self.dir(node, Xx::Rx), self.dir(node, Xx::Tx), self.seen_dir(node)];
        let names = names.iter().filter(|name| is_file_name(name));
        let paths = names.flat_map(|name| dirs.each_ref().map(|dir| dir.join(name)));
        paths.filter(|path| path.symlink_metadata().is_ok_and(|meta| !meta.is_dir())).collect()
    }
}

/// One sweep.
struct Broom<'a> {
    spool: &'a Spool,
    manner: Manner,
    swept: Swept,
}

impl<'a> Broom<'a> {
    fn new(spool: &'a Spool, manner: Manner) -> Self {
        Self { spool, manner, swept: Swept::default() }
    }

    fn kinds(&mut self, node: &NodeId, kinds: &Kinds) -> Result<()> {
        let spool = self.spool;
        let narrower = kinds.part || kinds.nock || kinds.seen || kinds.hdr;
        for (xx, chosen) in [(Xx::Rx, kinds.rx), (Xx::Tx, kinds.tx)] {
            if chosen && kinds.hdr {
                self.directory(&spool.hdr_dir(node, xx), |_| true)?;
            }
            if chosen && !narrower {
                self.packets(node, xx, |_| true)?;
            }
        }
        // The reference also removes them in tx, although it creates none there.
        let directions = if kinds.tx { &[Xx::Rx, Xx::Tx][..] } else { &[Xx::Rx] };
        for (chosen, suffix) in [(kinds.part, Suffix::Part), (kinds.nock, Suffix::Nock)] {
            for xx in directions.iter().filter(|_| chosen) {
                self.directory(&spool.dir(node, *xx), |name| has_suffix(name, suffix))?;
            }
        }
        if kinds.seen {
            self.directory(&spool.seen_dir(node), |_| true)?;
        }
        if kinds.area && spool.areas_dir(node).is_dir() {
            self.tree(&spool.areas_dir(node))?;
        }
        if kinds.ack {
            self.acks(node)?;
        }
        Ok(())
    }

    /// Removes only files with the listed names, in any directory. An empty list removes nothing.
    fn names(&mut self, node: &NodeId, names: &BTreeSet<String>) -> Result<()> {
        let listed = |name: &str| names.contains(name);
        self.packets(node, Xx::Rx, listed)?;
        self.packets(node, Xx::Tx, listed)?;
        self.directory(&self.spool.seen_dir(node), listed)?;
        Ok(())
    }

    /// Removes queued acknowledgements, then their marks, regardless of age.
    fn acks(&mut self, node: &NodeId) -> Result<()> {
        let older = self.manner.older.take();
        for hash in self.spool.acks(node)? {
            let packet = self.spool.packet(node, Xx::Tx, &hash);
            if packet.symlink_metadata().is_ok() && self.file(&packet)? {
                self.hdr(node, Xx::Tx, &hash.to_string());
            }
            self.file(&self.spool.ack_dir(node).join(hash.to_string()))?;
        }
        self.manner.older = older;
        Ok(())
    }

    /// Removes files of a direction, each with the copy of its header.
    fn packets(&mut self, node: &NodeId, xx: Xx, chosen: impl Fn(&str) -> bool) -> Result<()> {
        for name in self.directory(&self.spool.dir(node, xx), chosen)? {
            self.hdr(node, xx, &name);
        }
        Ok(())
    }

    /// Removes the files of a directory. Returns the names of those that were removed.
    fn directory(&mut self, dir: &Path, chosen: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let mut gone = Vec::new();
        let mut files = disk::entries(dir, |kind| !kind.is_dir())?;
        files.sort();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if chosen(&name) && self.file(&path)? {
                gone.push(name);
            }
        }
        Ok(gone)
    }

    fn tree(&mut self, dir: &Path) -> Result<()> {
        for path in files_below(dir)? {
            self.file(&path)?;
        }
        Ok(())
    }

    /// Removes the header copy of a packet, without reporting it.
    fn hdr(&self, node: &NodeId, xx: Xx, name: &str) {
        if !self.manner.dry_run {
            self.spool.remove_hdr(node, xx, name);
        }
    }

    /// Removes a lock file. Holds the lock until then, so that no other process takes it in between.
    fn lock_file(&mut self, path: &Path) -> Result<()> {
        let file = match disk::open_regular_path(path) {
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?.0,
        };
        if try_flock(&file).unwrap_or(false) && is_at(&file, path) {
            return self.file(path).map(|_| ());
        }
        self.spool.log().info(event::lock_in_use(path));
        self.swept.held.push(path.to_owned());
        Ok(())
    }

    /// Removes one file, unless it is too new. True if it was removed.
    fn file(&mut self, path: &Path) -> Result<bool> {
        if let Some(older) = self.manner.older {
            let Some(age) = age_of(path) else {
                self.swept.ageless.push(path.to_owned());
                return Ok(false);
            };
            if age < older {
                self.spool.log().debug(|| event::too_fresh(path));
                return Ok(false);
            }
        }
        // Another process has removed it, so do not report it.
        if !self.manner.dry_run && !self.spool.disk().remove_if_there(path)? {
            return Ok(false);
        }
        self.spool.log().info(event::removed(path));
        self.swept.gone.push(path.to_owned());
        Ok(true)
    }
}

/// All files below `dir`, in order of path. Follows no link.
fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.pop() {
        let fail = |source| DiskError { op: Op::Open, path: dir.clone(), cause: source };
        for entry in std::fs::read_dir(&dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            match entry.file_type().map_err(fail)? {
                kind if kind.is_dir() => left.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

fn has_suffix(name: &str, suffix: Suffix) -> bool {
    name.ends_with(suffix.text())
}

/// Time since the file changed; 0 if it is gone, `None` if it changed in the future.
fn age_of(path: &Path) -> Option<Duration> {
    let changed = path.symlink_metadata().and_then(|metadata| metadata.modified());
    let Ok(changed) = changed else { return Some(Duration::ZERO) };
    match SystemTime::now().duration_since(changed) {
        Ok(age) => Some(age),
        Err(ahead) => (ahead.duration().as_secs() <= age::SKEW).then_some(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::LockKind;
    use crate::spool::testing::{NODE, TestSpool};
    use packmule_protocol::id::{AreaId, AreaMessageId, PacketHash};
    use std::fs::File;

    /// Removes `kinds` from a spool with one file of each kind. `gone`: the files that are missing then.
    fn check(kinds: &Kinds, manner: Manner, gone: &[&str]) {
        let test = TestSpool::new();
        let (rx, tx) = (test.add(Xx::Rx, 1, b"rx"), test.add(Xx::Tx, 2, b"tx"));
        let (seen, spool) = (PacketHash([3; 32]), &test.spool);
        spool.mark_seen(&NODE, &seen).unwrap();
        spool.mark_seen(&NODE, &rx).unwrap();
        spool.mark_ack(&NODE, &tx).unwrap();
        spool.mark_area(&NODE, &AreaId([4; 32]), &AreaMessageId([5; 32])).unwrap();
        std::fs::write(spool.unfinished(&NODE, &seen, Suffix::Part), b"p").unwrap();
        std::fs::write(spool.unfinished(&NODE, &seen, Suffix::Nock), b"n").unwrap();
        std::fs::write(spool.dir(&NODE, Xx::Rx).join("README"), b"r").unwrap();
        let before = test.files();
        spool.sweep(&NODE, kinds, manner).unwrap();
        let after = test.files();
        let label = |path: &str| {
            path.replace(&format!("{NODE}/"), "")
                .replace(&rx.to_string(), "RX")
                .replace(&tx.to_string(), "TX")
                .replace(&seen.to_string(), "SEEN")
                .replace(&AreaId([4; 32]).to_string(), "AREA")
                .replace(&AreaMessageId([5; 32]).to_string(), "MSG")
        };
        let went = before.iter().filter(|file| !after.contains(file)).map(|file| label(file));
        let mut went: Vec<_> = went.collect();
        went.sort();
        assert_eq!(went, gone, "{kinds:?}");
    }

    const NOW: Manner = Manner { older: None, dry_run: false };

    fn names(names: &[&str]) -> Kinds {
        let names = Some(names.iter().map(|name| (*name).to_owned()).collect());
        Kinds { names, rx: true, tx: true, ..Kinds::default() }
    }

    #[test]
    fn each_kind_takes_its_own() {
        let none = Kinds::default;
        check(&none(), NOW, &[]);
        let all_rx = ["rx/README", "rx/RX", "rx/SEEN.nock", "rx/SEEN.part", "rx/hdr/RX"];
        check(&Kinds { rx: true, ..none() }, NOW, &all_rx);
        check(&Kinds { tx: true, ..none() }, NOW, &["tx/TX", "tx/hdr/TX"]);
        check(&Kinds { hdr: true, ..none() }, NOW, &[]);
        check(&Kinds { rx: true, hdr: true, ..none() }, NOW, &["rx/hdr/RX"]);
        check(&Kinds { tx: true, hdr: true, ..none() }, NOW, &["tx/hdr/TX"]);
        check(&Kinds { rx: true, part: true, ..none() }, NOW, &["rx/SEEN.part"]);
        let unfinished = ["rx/SEEN.nock", "rx/SEEN.part"];
        check(&Kinds { part: true, nock: true, ..none() }, NOW, &unfinished);
        check(&Kinds { seen: true, ..none() }, NOW, &["rx/seen/RX", "rx/seen/SEEN"]);
        check(&Kinds { area: true, ..none() }, NOW, &["area/AREA/MSG"]);
        check(&Kinds { ack: true, ..none() }, NOW, &["tx/TX", "tx/ack/TX", "tx/hdr/TX"]);
    }

    #[test]
    fn w22_an_empty_list_removes_nothing() {
        check(&names(&[]), NOW, &[]);
    }

    #[test]
    fn listed_names_go_wherever_they_are() {
        let seen = PacketHash([3; 32]);
        let part = format!("{seen}.part");
        check(
            &names(&[&seen.to_string(), &part, "nothing"]),
            NOW,
            &["rx/SEEN.part", "rx/seen/SEEN"],
        );
    }

    #[test]
    fn a_dry_run_and_young_files_remove_nothing() {
        let kinds = Kinds { rx: true, tx: true, ack: true, ..Kinds::default() };
        check(&kinds, Manner { dry_run: true, ..NOW }, &[]);
        let hour = Some(Duration::from_secs(3600));
        check(&Kinds { ack: false, ..kinds }, Manner { older: hour, ..NOW }, &[]);
    }

    #[test]
    fn w18_a_held_lock_stays() {
        let test = TestSpool::new();
        let _held = test.spool.lock(&NODE, LockKind::Toss).unwrap().unwrap();
        drop(test.spool.lock(&NODE, LockKind::Tx).unwrap());
        let swept = test.spool.sweep_locks(NOW).unwrap();
        let path = test.spool.lock_path(&NODE, LockKind::Toss);
        assert_eq!(swept.held, [path.as_path()]);
        assert_eq!(swept.gone.len(), 1);
        assert!(path.exists());
    }

    #[test]
    fn tmp_is_emptied_and_must_exist() {
        let test = TestSpool::new();
        assert!(test.spool.sweep_tmp(NOW).is_err());
        std::fs::create_dir_all(test.spool.tmp_dir().join("sub")).unwrap();
        File::create(test.spool.tmp_dir().join("sub/x")).unwrap();
        File::create(test.spool.tmp_dir().join("y")).unwrap();
        assert_eq!(test.spool.sweep_tmp(NOW).unwrap().gone.len(), 2);
        assert_eq!(test.files(), [""; 0]);
    }
}
