//! Directories that several users share: setgid and writable by their group (NNCP manual,
//! "Administration"). New files there get the directory's mode regardless of the umask, like
//! git's `core.sharedRepository`. Otherwise root's cron jobs would leave files that the daemon's
//! user cannot open.

use rustix::fs::{Mode, fchmod};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The mode of a shared directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared(u32);

impl Shared {
    const SETGID: u32 = 0o2000;
    const GROUP_WRITES: u32 = 0o020;

    /// `None` if the directory does not exist or is not shared.
    pub(crate) fn of(dir: &Path) -> Option<Self> {
        let mode = fs::metadata(dir).ok().filter(fs::Metadata::is_dir)?.permissions().mode();
        let wanted = Self::SETGID | Self::GROUP_WRITES;
        (mode & wanted == wanted).then_some(Self(mode & 0o7777))
    }

    /// The mode of a file in it.
    pub(crate) fn file_mode(self) -> u32 {
        self.0 & 0o666
    }

    /// The mode of a directory in it.
    pub(crate) fn dir_mode(self) -> u32 {
        self.0
    }

    /// Sets the shared mode of a file that this process has just created. Ignores errors: another
    /// process may have created the file first, and sets the mode itself.
    pub(crate) fn share_file(self, file: &File) {
        let _ = fchmod(file, Mode::from_raw_mode(self.file_mode()));
    }

    /// Sets the shared mode of a directory that this process has just created. Ignores errors too.
    pub(crate) fn share_dir(self, dir: &Path) {
        let _ = fs::set_permissions(dir, Permissions::from_mode(self.dir_mode()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_setgid_directory_that_its_group_can_write_is_shared() {
        let dir = tempfile::tempdir().unwrap();
        let shared = |mode| {
            fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            Shared::of(dir.path()).map(|shared| (shared.file_mode(), shared.dir_mode()))
        };
        assert_eq!(shared(0o755), None);
        assert_eq!(shared(0o775), None);
        assert_eq!(shared(0o2755), None);
        assert_eq!(shared(0o2770), Some((0o660, 0o2770)));
        assert_eq!(shared(0o2775), Some((0o664, 0o2775)));
        assert_eq!(Shared::of(&dir.path().join("missing")), None);
    }
}
