//! From a path to a checked node, whatever form the configuration has.

use super::error::ConfigError;
use super::hjson::{self, Note, Tree};
use super::node::Node;
use super::schema::{self, Canonical};
use super::warning::Warning;
use super::{check, directory};
use packmule_protocol::eblob::{Block, Eblob, Job};
use rayon::prelude::*;
use std::path::Path;
use std::{fs, io};
use zeroize::Zeroizing;

/// So many notes stand before an error; `doctor` has them all.
const NOTES: usize = 3;

/// A configuration that was read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it says.
    pub node: Node,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}

/// Reads the configuration at `path`: a directory, a file, or an encrypted file, for which
/// `passphrase` is asked.
///
/// # Errors
/// The first fault, told with the key, the value and what is allowed.
pub fn load(
    path: &Path,
    passphrase: impl FnMut() -> io::Result<Passphrase>,
) -> Result<Loaded, ConfigError> {
    let meta = fs::metadata(path).map_err(|error| ConfigError::io("stat", path, error))?;
    let tree = match meta.is_dir() {
        true => directory::load(path)?,
        false => read_file(path, passphrase)?,
    };
    checked(&tree)
}

/// What somebody typed.
pub type Passphrase = Zeroizing<Vec<u8>>;

/// Reads the configuration file at `path` into canonical values: types are checked, the values
/// are not.
///
/// # Errors
/// When the file can not be read, is no Hjson, or has a value of a wrong type.
pub fn load_tree(
    path: &Path,
    passphrase: impl FnMut() -> io::Result<Passphrase>,
) -> Result<Tree, ConfigError> {
    Ok(schema::canonical(&read_file(path, passphrase)?)?.tree)
}

/// Brings a tree into canonical form and checks it.
///
/// # Errors
/// The first fault, told with the key, the value and what is allowed.
pub fn checked(tree: &Tree) -> Result<Loaded, ConfigError> {
    let notes = tree.notes();
    let mut warnings: Vec<_> = notes.iter().cloned().map(Warning::Note).collect();
    let checked = schema::canonical(tree).and_then(|Canonical { tree, unknown }| {
        warnings.extend(unknown.into_iter().map(Warning::UnknownKey));
        check::node(&tree, &mut warnings)
    });
    match checked {
        Ok(node) => Ok(Loaded { node, warnings }),
        Err(error) => Err(explained(error, notes)),
    }
}

/// The error, with what was noticed in the text: most likely it is the cause.
fn explained(error: ConfigError, notes: &[Note]) -> ConfigError {
    let twice = notes.iter().find(|note| note.is_of("neigh"));
    match (&error, twice) {
        (_, _) if notes.is_empty() => error,
        (ConfigError::SelfMissing, Some(note)) => ConfigError::SplitNeighbours(note.clone()),
        _ => {
            let shown: Vec<_> = notes.iter().take(NOTES).map(ToString::to_string).collect();
            ConfigError::Noted { notes: shown.join("; "), error: Box::new(error) }
        }
    }
}

/// Reads a configuration file, encrypted or not.
fn read_file(
    path: &Path,
    mut passphrase: impl FnMut() -> io::Result<Passphrase>,
) -> Result<Tree, ConfigError> {
    let bytes = fs::read(path).map_err(|error| ConfigError::io("open", path, error))?;
    let mut text = Zeroizing::new(bytes);
    if Eblob::is_one(&text) {
        let blob = Eblob::parse(&text)?;
        blob.cost().checked()?;
        let passphrase = passphrase().map_err(ConfigError::Passphrase)?;
        text = blob.open(&passphrase, on_all_cores)?;
    }
    hjson::read(&text).map_err(|error| ConfigError::Hjson { path: path.to_owned(), error })
}

/// Runs the jobs of an encrypted file.
pub(crate) fn on_all_cores(jobs: &[Job<'_>]) -> Vec<Zeroizing<Block>> {
    jobs.par_iter().map(Job::run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `nncp-cfgnew`, cut down.
    const FRESH: &str = include_str!("../../testvectors/config/fresh.hjson");

    #[test]
    fn a_fresh_configuration_of_the_reference_loads() {
        let tree = hjson::read(FRESH.as_bytes()).unwrap();
        let Loaded { node, warnings } = checked(&tree).unwrap();
        assert_eq!(node.spool, Path::new("/var/spool/nncp"));
        assert_eq!(node.keys.as_ref().unwrap().node_id(), node.self_neighbour().id);
        assert_eq!(node.self_neighbour().exec["sendmail"], ["/usr/sbin/sendmail"]);
        assert_eq!(node.mcd_send[".*"], 10);
        assert_eq!(warnings, []);
    }
}
