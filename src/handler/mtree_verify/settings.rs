//! The options of `builtin:mtree-verify`, and the sender's choice among them.

use crate::mtree::{Excludes, Keywords, Level, ReadError, Rules, Warning};
use crate::settings::{Setting, SettingError, Settings as Options};
use crate::zfs::command::{Zfs, ZfsError};
use crate::zfs::name::{Dataset, NameError, check_snapshot};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Why a manifest is not verified.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("option {option}: {value:?} is not a legal value")]
    Value { option: &'static str, value: String },
    #[error("the handler has no --tree")]
    NoTrees,
    #[error("tree {0} is a dataset: the handler needs --zfs-snapshot to verify it")]
    Dataset(Dataset),
    #[error("expected {0}")]
    Arguments(&'static str),
    #[error("there is no tree {0:?} here")]
    UnknownTree(String),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Zfs(#[from] ZfsError),
    #[error("manifest: {0}")]
    Manifest(#[from] ReadError),
    #[error("manifest: it is truncated or was altered: its trailer differs")]
    Broken,
    #[error("manifest: it has no trailer, so it may be truncated")]
    NoTrailer,
    #[error("manifest: line {0}: {1}")]
    Odd(u64, Warning),
}

/// The options in a configuration.
pub(super) const SETTINGS: Options = Options(&[
    Setting::takes("tree", "NAME=DIRECTORY", "a tree that the sender may ask about").more(
        "May be given several times. With `--zfs-snapshot`, the value can also be *name*=*dataset*. The \
         handler then clones the dataset's snapshot, under the same parent and with `packmule-clone-` \
         before its name. It mounts the clone read-only in a directory that only this user can enter, \
         verifies it, and destroys it. If a run was killed, the next run destroys its clone.",
    ),
    Setting::switch("zfs-snapshot", "verify the snapshot that the sender's second argument names")
        .more("The snapshot of a *directory* is below its `.zfs/snapshot`."),
    Setting::PREFIX,
    Setting::ZFS,
    Setting::takes("tolerance", "SECONDS", "accept times that differ by up to this"),
    Setting::takes("ignore", "KEYWORDS", "do not compare these keywords"),
    Setting::takes("exclude", "PATTERN", "do not compare files that match"),
    Setting::switch("strict", "compare as packmule mtree verify -strict does"),
    Setting::switch("loose", "compare as packmule mtree verify -loose does"),
    Setting::switch("no-extra", "do not report extra files"),
    Setting::takes("report-file", "DIRECTORY", "send the report to the sender, as a file in this directory there"),
    Setting::takes("report-exec", "HANDLE", "send the report to this handle of the sender, with the tree as argument"),
]);

/// The parsed options.
#[derive(Default)]
pub(super) struct Settings {
    trees: BTreeMap<Vec<u8>, Tree>,
    pub(super) rules: Rules,
    pub(super) excludes: Excludes,
    snapshots: bool,
    pub(super) report: Option<ReportAs>,
    prefix: Vec<String>,
    program: Option<String>,
}

/// A tree that a sender may ask about.
#[derive(Debug, PartialEq)]
enum Tree {
    Directory(PathBuf),
    /// A dataset, whose snapshot is cloned for the comparison.
    Dataset(Dataset),
}

/// The directory of a tree to verify.
pub(super) enum TreeRoot {
    Directory(PathBuf),
    /// The named snapshot, to be cloned with this `zfs`.
    Snapshot(Zfs, Dataset, String),
}

/// How to send the report.
pub(super) enum ReportAs {
    /// As a file in this directory of the sender.
    File(Vec<u8>),
    /// As an exec packet for this handle of the sender, with the tree as argument.
    Exec(Vec<u8>),
}

impl Settings {
    pub(super) fn new(words: &[impl AsRef<[u8]>]) -> Result<Self, Refusal> {
        let mut settings = Self::default();
        for (name, value) in SETTINGS.read(words)? {
            match name {
                "tree" => settings.tree(value)?,
                "tolerance" => settings.rules.tolerance = tolerance(value)?,
                "ignore" => settings.rules.ignore = ignore(value)?,
                "exclude" => settings.excludes.add(value),
                "strict" => settings.rules.level = Level::Strict,
                "loose" => settings.rules.level = Level::Loose,
                "no-extra" => settings.rules.ignore_extra = true,
                "zfs-snapshot" => settings.snapshots = true,
                "prefix" => settings.prefix = words_of(value),
                "zfs" => settings.program = Some(text(value)),
                "report-file" => settings.report = Some(ReportAs::File(value.to_vec())),
                "report-exec" => settings.report = Some(ReportAs::Exec(value.to_vec())),
                other => unreachable!("--{other} is in no table"),
            }
        }
        if settings.trees.is_empty() {
            return Err(Refusal::NoTrees);
        }
        for tree in settings.trees.values() {
            if let (Tree::Dataset(dataset), false) = (tree, settings.snapshots) {
                return Err(Refusal::Dataset(dataset.clone()));
            }
        }
        Ok(settings)
    }

    /// Parses `NAME=DIRECTORY` or `NAME=DATASET`.
    fn tree(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let wrong = || Refusal::Value { option: "--tree", value: text(value) };
        let split = value.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
        let (name, place) = value.split_at(split.ok_or_else(wrong)?);
        let place = &place[1..];
        let tree = if place.starts_with(b"/") {
            Tree::Directory(OsString::from_vec(place.to_vec()).into())
        } else {
            Tree::Dataset(Dataset::parse(&text(place)).map_err(|_| wrong())?)
        };
        self.trees.insert(name.to_vec(), tree);
        Ok(())
    }

    /// The directory or snapshot that the sender's arguments name.
    pub(super) fn root(&self, arguments: &[Vec<u8>]) -> Result<TreeRoot, Refusal> {
        let (name, snapshot) = match arguments {
            [name] if !self.snapshots => (name, None),
            [name, snapshot] if self.snapshots => (name, Some(text(snapshot))),
            _ => {
                let expected = if self.snapshots {
                    "two arguments: a tree name and a snapshot name"
                } else {
                    "one argument: a tree name"
                };
                return Err(Refusal::Arguments(expected));
            }
        };
        let tree = self.trees.get(name).ok_or_else(|| Refusal::UnknownTree(text(name)))?;
        if let Some(snapshot) = &snapshot {
            check_snapshot(snapshot)?;
        }
        Ok(match (tree, snapshot) {
            (Tree::Directory(root), None) => TreeRoot::Directory(root.clone()),
            (Tree::Directory(root), Some(snapshot)) => {
                TreeRoot::Directory(root.join(".zfs/snapshot").join(snapshot))
            }
            (Tree::Dataset(dataset), Some(snapshot)) => {
                let zfs = Zfs::new(&self.prefix, self.program.as_deref())?;
                TreeRoot::Snapshot(zfs, dataset.clone(), snapshot)
            }
            (Tree::Dataset(dataset), None) => return Err(Refusal::Dataset(dataset.clone())),
        })
    }
}

fn words_of(value: &[u8]) -> Vec<String> {
    text(value).split_whitespace().map(str::to_owned).collect()
}

fn tolerance(value: &[u8]) -> Result<u64, Refusal> {
    let wrong = || Refusal::Value { option: "--tolerance", value: text(value) };
    let seconds: u64 = text(value).parse().map_err(|_| wrong())?;
    seconds.checked_mul(1_000_000_000).ok_or_else(wrong)
}

fn ignore(value: &[u8]) -> Result<Keywords, Refusal> {
    let wrong = |_| Refusal::Value { option: "--ignore", value: text(value) };
    text(value).parse().map_err(wrong)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_wrong_configuration_is_said() {
        for list in [
            &[][..],
            &["--tree", "laptop"],
            &["--tree", "=/x"],
            &["--tree", "laptop=../relative"],
            &["--tree", "laptop=tank/b"],
            &["--colour"],
            &["--tree", "a=/b", "--tolerance", "x"],
            &["--tree", "a=/b", "--tolerance"],
        ] {
            assert!(Settings::new(&words(list)).is_err(), "{list:?}");
        }
    }

    #[test]
    fn a_snapshot_is_found_below_a_directory_or_cloned_of_a_dataset() {
        let list = ["--zfs-snapshot", "--tree", "a=/b", "--tree", "c=tank/d", "--zfs", "/sbin/zfs"];
        let settings = Settings::new(&words(&list)).unwrap();
        let root = |arguments: &[&str]| settings.root(&words(arguments));
        let Ok(TreeRoot::Directory(path)) = root(&["a", "s1"]) else { panic!("a directory") };
        assert_eq!(path, PathBuf::from("/b/.zfs/snapshot/s1"));
        let Ok(TreeRoot::Snapshot(_, dataset, snapshot)) = root(&["c", "s1"]) else {
            panic!("a dataset")
        };
        assert_eq!((dataset.as_str(), &*snapshot), ("tank/d", "s1"));
        for arguments in [
            &["a"][..],
            &["c"],
            &["c", ""],
            &["a", ".."],
            &["c", "a/b"],
            &["c", "a@b"],
            &["d", "s"],
        ] {
            assert!(root(arguments).is_err(), "{arguments:?}");
        }
    }
}
