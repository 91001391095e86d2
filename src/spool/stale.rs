//! Removes temporary files whose writer is gone.

use super::Spool;
use super::lock::{is_at, try_flock};
use super::tmp::{DIGITS, PREFIX, leader};
use crate::disk::{self, Result};
use crate::log::event;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// No writer takes longer between creating a temporary file and locking it.
const GRACE: Duration = Duration::from_secs(60);
/// Age at which files of the reference are stale. It does not lock its files, so only age counts.
const FOREIGN: Duration = Duration::from_secs(24 * 60 * 60);

impl Spool {
    /// Removes the temporary files of writers that were killed. Logs files that cannot be removed.
    ///
    /// A file of packmule is stale if it is not locked; any other file, if it has not changed for a
    /// day.
    pub(crate) fn remove_stale_tmp(&self) {
        let dir = self.tmp_dir();
        let unread = |error| self.log().error(event::jobs_unread(&dir), &error);
        let files = disk::files(&dir).map_err(unread).unwrap_or_default();
        for path in files.iter().filter(|path| is_stale(path, GRACE)) {
            match self.disk().remove_if_there(path) {
                Ok(true) => self.log().info(event::removed(path)),
                Ok(false) => {}
                Err(error) => self.log().error(event::removed(path), &error),
            }
        }
    }

    /// Number and bytes of temporary files that interrupted commands left behind. May include a file
    /// that was created a moment ago and is not locked yet.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn stale_tmp(&self) -> Result<(usize, u64)> {
        let files = disk::files(&self.tmp_dir())?;
        let stale = files.iter().filter(|path| is_stale(path, Duration::ZERO));
        let sizes = stale.map(|path| path.symlink_metadata().map_or(0, |meta| meta.len()));
        Ok(sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size)))
    }
}

/// True if no process writes to the file. `grace`: minimal age of a file of packmule.
fn is_stale(path: &Path, grace: Duration) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some(digits) = name.strip_prefix(PREFIX) else { return false };
    let leader = leader(name).map(|leader| path.with_file_name(leader));
    let patience = if leader.is_some() || digits.len() == DIGITS { grace } else { FOREIGN };
    let Ok((file, metadata)) = disk::open_regular_path(path) else { return false };
    let age =
        metadata.modified().map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    age.is_ok_and(|age| age >= patience)
        && try_flock(&file).unwrap_or(false)
        && is_at(&file, path)
        && leader.is_none_or(|leader| is_unlocked(&leader))
}

/// True if no process holds the lock of a batch. The leader file is created before its members.
fn is_unlocked(leader: &Path) -> bool {
    match disk::open_regular_path(leader) {
        Ok((file, _)) => try_flock(&file).unwrap_or(false),
        Err(error) => error.cause.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::spool::Options;
    use std::fs::File;

    fn aged(path: &Path, age: Duration) -> File {
        let file = File::options().create(true).append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        file
    }

    #[test]
    fn w11_only_files_without_a_writer_go() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), Options::default(), Log::none());
        let used = spool.tmp_file().unwrap();
        aged(used.path(), 2 * FOREIGN);
        let hour = Duration::from_secs(3600);
        aged(&spool.tmp_dir().join(format!("nncp{}", "0".repeat(DIGITS))), hour);
        aged(&spool.tmp_dir().join("nncp18eb1a1c24f4f696"), hour);
        aged(&spool.tmp_dir().join("nncp18eb1a1c24f4f697"), 2 * FOREIGN);
        aged(&spool.tmp_dir().join("README"), 2 * FOREIGN);
        let count = || std::fs::read_dir(spool.tmp_dir()).unwrap().count();
        let before = count();
        spool.remove_stale_tmp();
        assert_eq!(before - count(), 2);
        assert!(used.path().exists());
        assert!(spool.tmp_dir().join("nncp18eb1a1c24f4f696").exists());
        assert!(spool.tmp_dir().join("README").exists());
    }

    #[test]
    fn members_of_a_batch_go_with_the_lock_of_their_leader() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), Options::default(), Log::none());
        let hour = Duration::from_secs(3600);
        let count = || std::fs::read_dir(spool.tmp_dir()).unwrap().count();
        let batch = spool.batch().unwrap();
        let packets: Vec<_> =
            (0..3).map(|_| spool.pending_of(&batch).unwrap().finish().unwrap()).collect();
        for entry in std::fs::read_dir(spool.tmp_dir()).unwrap() {
            aged(&entry.unwrap().path(), hour);
        }
        assert_eq!(count(), 4);
        spool.remove_stale_tmp();
        assert_eq!(count(), 4, "the writer lives");
        // The state after a kill: the files exist, but no process holds the lock.
        let left = spool.tmp_dir().join(format!("nncp{}", "1".repeat(DIGITS)));
        aged(&left, hour);
        aged(&left.with_extension("7"), hour);
        aged(&left.with_file_name(format!("nncp{}.8", "2".repeat(DIGITS))), hour);
        aged(&left.with_extension("9"), Duration::ZERO);
        spool.remove_stale_tmp();
        assert_eq!(count(), 5, "the young one stays");
        drop(packets);
        drop(batch);
        assert_eq!(count(), 1);
    }
}
