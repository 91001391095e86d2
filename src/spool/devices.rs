//! The devices that hold a spool, following links and mounts.

use super::Spool;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

impl Spool {
    /// The devices (`st_dev`) of the spool and of the directories in it that hold packets, which may
    /// be links or mount points. If the spool does not exist yet, the device of the directory in
    /// which it would be created.
    pub(crate) fn devices(&self) -> BTreeSet<u64> {
        let root = self.root();
        let mut devices = BTreeSet::new();
        devices.extend(root.ancestors().find_map(|path| fs::metadata(path).ok()).map(|m| m.dev()));
        // `tmp`, and `rx` and `tx` of each node.
        below(root, 2, &mut devices);
        devices
    }
}

fn below(directory: &Path, depth: u32, devices: &mut BTreeSet<u64>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if let Ok(metadata) = fs::metadata(&path)
            && metadata.is_dir()
        {
            devices.insert(metadata.dev());
            if depth > 1 {
                below(&path, depth - 1, devices);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::log::Log;
    use crate::spool::{Options, Spool};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn links_in_a_spool_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let own = fs::metadata(directory.path()).unwrap().dev();
        let spool = Spool::new(directory.path().join("spool"), Options::default(), Log::none());
        assert_eq!(spool.devices(), [own].into(), "where it would be made");
        fs::create_dir_all(spool.root().join("NODE")).unwrap();
        fs::write(spool.root().join("file"), "").unwrap();
        let proc = fs::metadata("/proc").unwrap().dev();
        symlink("/proc", spool.root().join("NODE/tx")).unwrap();
        assert_eq!(spool.devices(), [own, proc].into());
    }
}
