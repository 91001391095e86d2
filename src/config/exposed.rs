//! Finds files with private keys that other users can read.

use super::node::Node;
use packmule_protocol::eblob::Eblob;
use std::fmt;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file with private keys that other users can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed(PathBuf);

impl Exposed {
    /// The command that restricts its permissions.
    pub(crate) fn remedy(&self) -> String {
        format!("chmod 600 {}", self.0.display())
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.0.display();
        write!(
            f,
            "{file} holds private keys, but users other than its owner and the spool's group can read it"
        )
    }
}

/// The files of the configuration at `config` with private keys that other users can read.
pub(crate) fn exposed(config: &Path, node: &Node) -> Vec<Exposed> {
    if node.keys.is_none() && node.areas.values().all(|area| area.private.is_none()) {
        return Vec::new();
    }
    let files = if config.is_dir() { key_files(config) } else { vec![config.to_owned()] };
    // NNCP manual, "Administration": users who share the spool are in its group, and may read the keys.
    let group = fs::metadata(&node.spool).map(|meta| meta.gid()).ok();
    let readable = |file: &PathBuf| {
        let open = |meta: Metadata| {
            let mode = meta.permissions().mode();
            mode & 0o037 != 0 || (mode & 0o040 != 0 && Some(meta.gid()) != group)
        };
        // An encrypted file may be readable by everybody.
        fs::metadata(file).is_ok_and(open) && !is_encrypted(file)
    };
    files.into_iter().filter(readable).map(Exposed).collect()
}

fn is_encrypted(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| Eblob::is_one(&bytes))
}

/// The private keys of the directory form.
fn key_files(dir: &Path) -> Vec<PathBuf> {
    let own = ["exchprv", "signprv", "noiseprv"].map(|name| dir.join("self").join(name));
    let areas = fs::read_dir(dir.join("areas")).into_iter().flatten().flatten();
    own.into_iter().chain(areas.map(|area| area.path().join("prv"))).collect()
}
