//! Creates files and directories in the spool, with the mode of a shared spool.

use super::Spool;
use crate::disk::Result;
use std::fs::File;
use std::path::Path;

impl Spool {
    /// Creates a file that must not exist yet, for writing and reading back.
    pub(super) fn create_new(&self, path: &Path) -> Result<File> {
        let file = self.disk().create_new(path)?;
        if let Some(shared) = self.0.shared {
            shared.share_file(&file);
        }
        Ok(file)
    }

    /// Creates an empty file. Keeps an existing one.
    pub(super) fn touch(&self, path: &Path) -> Result<File> {
        let shared = self.0.shared.filter(|_| path.symlink_metadata().is_err());
        let file = self.disk().touch(path)?;
        if let Some(shared) = shared {
            shared.share_file(&file);
        }
        Ok(file)
    }

    /// Makes a directory and those above it, each durable before the one below it.
    pub(crate) fn ensure_dir(&self, dir: &Path) -> Result<()> {
        let Some(shared) = self.0.shared else { return self.disk().ensure_dir(dir) };
        let missing: Vec<_> = dir.ancestors().take_while(|path| !path.is_dir()).collect();
        // One by one, because another process may already use the directory above.
        for dir in missing.into_iter().rev() {
            self.disk().ensure_dir(dir)?;
            shared.share_dir(dir);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::log::{Log, Target};
    use crate::spool::testing::{NODE, packet};
    use crate::spool::{LockKind, Options, Spool, Xx};
    use packmule_protocol::id::PacketHash;
    use packmule_protocol::mth;
    use std::fs::{self, Permissions};
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    /// All paths below `dir`, with their modes.
    fn modes(dir: &Path) -> Vec<(PathBuf, u32)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                found.extend(modes(&path));
            }
            if !metadata.is_symlink() {
                found.push((path, metadata.permissions().mode() & 0o7777));
            }
        }
        found
    }

    /// Creates every kind of file that a spool has.
    fn work(spool: &Spool) {
        let bytes = packet(5, b"payload");
        let hash = PacketHash(mth::hash(&bytes));
        let mut pending = spool.pending().unwrap();
        pending.write_all(&bytes).unwrap();
        pending.commit(&NODE, Xx::Tx, Some("bob")).unwrap();
        spool.part(&NODE, &hash).unwrap().write_at(0, &bytes[..9]).unwrap();
        spool.mark_seen(&NODE, &hash).unwrap();
        spool.mark_ack(&NODE, &hash).unwrap();
        drop(spool.lock(&NODE, LockKind::Toss).unwrap().unwrap());
        spool.log().error(crate::log::event::dir_ensure(Path::new("/x")), &"refused");
    }

    #[test]
    fn everything_in_a_shared_spool_has_the_spools_mode_and_is_left_to_the_umask_elsewhere() {
        for (mode, file_mode) in [(0o2770, Some(0o660)), (0o2777, Some(0o666)), (0o755, None)] {
            let dir = tempfile::tempdir().unwrap();
            fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            let log = Log::new(Some(Target::File(dir.path().join("log"))), None);
            work(&Spool::new(dir.path(), Options::default(), log));
            let made = modes(dir.path());
            assert!(made.len() >= 12, "{made:?}");
            for (path, found) in made {
                let is_dir = path.is_dir();
                match file_mode {
                    // No usual umask lets others write, so others must not have that permission.
                    None => assert_eq!(found & 0o2002, 0, "{path:?} {found:o}"),
                    Some(_) if is_dir => assert_eq!(found, mode, "{path:?} {found:o}"),
                    Some(wanted) => assert_eq!(found, wanted, "{path:?} {found:o}"),
                }
            }
        }
    }
}
