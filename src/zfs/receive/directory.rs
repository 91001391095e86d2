//! Receives streams from files whose names contain the dataset: `bakfsfmt2-STAMP_HOST@DATA@SET`.

use super::super::lock::Locks;
use super::super::outcome::Outcome;
use super::error::ReceiveError;
use super::policy::Policy;
use super::session::Session;
use crate::chain::Next;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Both prefixes that such scripts use.
const STARTS: [&str; 2] = ["bakfsfmt2-", "backupsfmt2-"];

/// A file that holds a stream.
struct Arrived {
    path: PathBuf,
    dataset: String,
    since: SystemTime,
}

/// Applies the streams in `directory`. Removes the file of an applied or duplicate stream; keeps
/// all others. Calls `tell` for each file, and again for a file that could not be removed or
/// decided about. Returns warnings for the operator.
///
/// # Errors
/// If the directory cannot be listed, or `zfs` fails.
pub fn receive_directory(
    directory: &Path,
    policy: Policy,
    locks: Locks,
    tell: &mut dyn FnMut(&Path, Result<&Outcome, &ReceiveError>),
) -> Result<Vec<String>, ReceiveError> {
    let files = arrived(directory).map_err(ReceiveError::Read)?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut session = Session::new(policy, locks)?;
    let opener = |path: &Path| {
        let path = path.to_owned();
        move || Ok(Box::new(open_regular(&path)?) as Box<dyn Read + Send>)
    };
    for (key, file) in files.iter().enumerate() {
        session.add(key, Some(&file.dataset), file.since, &opener(&file.path));
    }
    while let Some(step) = session.step() {
        let (key, outcome) = match step {
            Next::Answer(key, outcome) => (key, Ok(outcome)),
            Next::Apply(key) => (key, session.apply(key, &opener(&files[key].path))),
        };
        let path = &files[key].path;
        tell(path, outcome.as_ref());
        if matches!(outcome, Ok(Outcome::Done(_) | Outcome::Duplicate(_)))
            && let Err(error) = fs::remove_file(path)
        {
            tell(path, Err(&ReceiveError::Remove(error)));
        }
    }
    Ok(session.warnings().to_vec())
}

/// True if `directory` contains a file with the name of a stream.
pub fn holds_streams(directory: &Path) -> bool {
    arrived(directory).is_ok_and(|files| !files.is_empty())
}

/// The dataset in a file's name; `None` if the name has another form.
fn dataset(name: &str) -> Option<String> {
    let rest = STARTS.iter().find_map(|start| name.strip_prefix(start))?;
    let (stamp, dataset) = rest.split_once('_')?;
    let is_stamp = stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_stamp && !dataset.is_empty()).then(|| dataset.replace('@', "/"))
}

fn arrived(directory: &Path) -> io::Result<Vec<Arrived>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Some(dataset) = entry.file_name().to_str().and_then(dataset) else { continue };
        let stat = rustix::fs::lstat(entry.path())?;
        if FileType::from_raw_mode(stat.st_mode).is_file() {
            let seconds = u64::try_from(stat.st_mtime).unwrap_or_default();
            let since = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            files.push(Arrived { path: entry.path(), dataset, since });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Rejects a FIFO or a link that replaced the file after it was listed.
fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_dataset() {
        for (name, want) in [
            ("bakfsfmt2-1700000000.123456789.4711_laptop@home@anna", Some("laptop/home/anna")),
            ("backupsfmt2-1700000000_laptop@a_b", Some("laptop/a_b")),
            ("bakfsfmt2-1_", None),
            ("bakfsfmt2-x_laptop@a", None),
            ("bakfsfmt2-1", None),
            ("other-1_laptop@a", None),
        ] {
            assert_eq!(dataset(name).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn only_regular_files_are_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("bakfsfmt2-2_h@b"), "").unwrap();
        fs::write(path("bakfsfmt2-1_h@a"), "").unwrap();
        std::os::unix::fs::symlink("/dev/null", path("bakfsfmt2-3_h@c")).unwrap();
        fs::create_dir(path("bakfsfmt2-4_h@d")).unwrap();
        let found = arrived(directory.path()).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.dataset.as_str()).collect();
        assert_eq!(names, ["h/a", "h/b"]);
        assert!(open_regular(&path("bakfsfmt2-3_h@c")).is_err());
    }
}
