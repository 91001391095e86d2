//! Temporary files whose writer is gone.

use super::{
    Spool, disk,
    lock::{is_at, try_flock},
    tmp::{DIGITS, PREFIX},
};
use crate::log::event;
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

/// Between creating a temporary file and locking it no writer takes longer.
const GRACE: Duration = Duration::from_secs(60);
/// The reference does not lock its temporary files, so only age tells that they are stale.
const FOREIGN: Duration = Duration::from_secs(24 * 60 * 60);

impl Spool {
    /// Removes the temporary files of writers that were killed, and logs what can not be removed.
    ///
    /// Ours are locked while they are written; others must not have changed for a day.
    pub fn remove_stale_tmp(&self) {
        let dir = self.tmp_dir();
        let unread = |error| self.log().error(event::jobs_unread(&dir), &error);
        let files = disk::files(&dir).map_err(unread).unwrap_or_default();
        for path in files.iter().filter(|path| is_stale(path)) {
            match self.disk().remove_if_there(path) {
                Ok(true) => self.log().info(event::removed(path)),
                Ok(false) => {}
                Err(error) => self.log().error(event::removed(path), &error),
            }
        }
    }
}

fn is_stale(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some(digits) = name.strip_prefix(PREFIX) else { return false };
    let patience = if digits.len() == DIGITS { GRACE } else { FOREIGN };
    let Ok((file, metadata)) = disk::open_regular_path(path) else { return false };
    let age =
        metadata.modified().map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    age.is_ok_and(|age| age > patience) && try_flock(&file).unwrap_or(false) && is_at(&file, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log::Log, spool::Options};
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
        used.file.set_modified(SystemTime::now() - 2 * FOREIGN).unwrap();
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
}
