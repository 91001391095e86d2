//! Tests of reassembly: results, rejected files, crashes.

use super::*;
use crate::disk::Disk;
use crate::disk::fault::{self, Fault};
use crate::log::{Log, Notice};
use crate::progress::Progress;
use packmule_protocol::chunked::Meta;
use packmule_protocol::mth;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex};

/// A directory with a file `f` in chunks of 1000 bytes.
struct Chunked {
    dir: tempfile::TempDir,
    content: Vec<u8>,
}

impl Chunked {
    fn new(size: usize) -> Self {
        let content: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let chunked = Self { dir: tempfile::tempdir().unwrap(), content };
        let mut chunks: Vec<&[u8]> = chunked.content.chunks(1000).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        for (index, chunk) in chunks.iter().enumerate() {
            std::fs::write(chunked.path(&format!("f.nncp.chunk{index}")), chunk).unwrap();
        }
        let checksums = chunks.into_iter().map(mth::hash).collect();
        let meta = Meta { file_size: size as u64, chunk_size: 1000, checksums };
        std::fs::write(chunked.path("f.nncp.meta"), meta.to_bytes()).unwrap();
        chunked
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, options: Options) -> Result<(), ReassError> {
        let log = Log::none();
        let progress = Progress::default();
        let reass = Reass { disk: Disk { sync: true }, log: &log, progress: &progress, options };
        reass.file(&self.path("f.nncp.meta"))
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read(&path).unwrap())
            })
            .collect()
    }

    /// Checks that the file exists under this name, and nothing else is left.
    #[track_caller]
    fn is_done_as(&self, name: &str) {
        let files = self.files();
        assert_eq!(files.get(name), Some(&self.content));
        assert!(files.keys().all(|name| !name.contains("nncp")), "{:?}", files.keys());
    }
}

const KEEP: Options = Options { keep: true, dry_run: false };
const DRY: Options = Options { keep: false, dry_run: true };

#[test]
fn chunks_become_the_file() {
    for size in [0, 1, 999, 1000, 1001, 2000, 5432] {
        let chunked = Chunked::new(size);
        chunked.run(Options::default()).unwrap();
        chunked.is_done_as("f");
    }
}

#[test]
fn the_file_has_the_mode_of_a_new_one() {
    for options in [Options::default(), KEEP] {
        let chunked = Chunked::new(2500);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(chunked.path("f.nncp.chunk0"), private).unwrap();
        chunked.run(options).unwrap();
        let mode = |name| std::fs::metadata(chunked.path(name)).unwrap().mode();
        std::fs::write(chunked.path("new"), "").unwrap();
        assert_eq!(mode("f"), mode("new"));
    }
}

#[test]
fn a_description_of_very_many_chunks_does_not_fill_the_log() {
    let chunked = Chunked::new(300_000);
    for index in 0..300 {
        std::fs::remove_file(chunked.path(&format!("f.nncp.chunk{index}"))).unwrap();
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    let observer = move |notice: Notice<'_>| {
        let Notice::Event(entry) = notice else { return };
        tells.lock().unwrap().push(crate::log::sentence::write(entry));
    };
    let log = Log::new(None, Some(Box::new(observer)));
    let progress = Progress::default();
    let disk = Disk { sync: false };
    let reass = Reass { disk, log: &log, progress: &progress, options: Options::default() };
    assert!(matches!(reass.file(&chunked.path("f.nncp.meta")), Err(ReassError::Chunks)));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 101);
    assert!(told[100].ends_with(": 200 more chunks are missing or wrong"), "{}", told[100]);
}

#[test]
fn a_taken_name_gets_a_number() {
    let chunked = Chunked::new(2500);
    for name in ["f", "f.0"] {
        std::fs::write(chunked.path(name), "taken").unwrap();
    }
    chunked.run(Options::default()).unwrap();
    chunked.is_done_as("f.1");
    assert_eq!(chunked.files()["f"], b"taken");
}

#[test]
fn kept_and_dry_runs_change_nothing() {
    let chunked = Chunked::new(2500);
    let before = chunked.files();
    chunked.run(DRY).unwrap();
    assert_eq!(chunked.files(), before);
    chunked.run(KEEP).unwrap();
    let mut after = chunked.files();
    assert_eq!(after.remove("f").unwrap(), chunked.content);
    assert_eq!(after, before);
}

#[test]
fn a_stream_gets_all_or_nothing() {
    let chunked = Chunked::new(2500);
    let (log, progress) = (Log::none(), Progress::default());
    let options = Options::default();
    let reass = Reass { disk: Disk { sync: true }, log: &log, progress: &progress, options };
    let mut out = tempfile::tempfile().unwrap();
    std::fs::rename(chunked.path("f.nncp.chunk2"), chunked.path("away")).unwrap();
    assert!(reass.stream(&chunked.path("f.nncp.meta"), &out).is_err());
    assert_eq!(out.metadata().unwrap().len(), 0);
    std::fs::rename(chunked.path("away"), chunked.path("f.nncp.chunk2")).unwrap();
    reass.stream(&chunked.path("f.nncp.meta"), &out).unwrap();
    let mut written = Vec::new();
    out.rewind().unwrap();
    out.read_to_end(&mut written).unwrap();
    assert_eq!(written, chunked.content);
    assert!(chunked.files().is_empty());
}

/// Faulty input is rejected and kept.
#[test]
fn what_is_not_as_described_is_refused() {
    type Spoil = fn(&Chunked);
    let spoils: [(&str, Spoil); 8] = [
        ("missing", |c| std::fs::remove_file(c.path("f.nncp.chunk1")).unwrap()),
        ("first missing", |c| std::fs::remove_file(c.path("f.nncp.chunk0")).unwrap()),
        ("longer", |c| std::fs::write(c.path("f.nncp.chunk0"), [0; 1001]).unwrap()),
        ("shorter", |c| std::fs::write(c.path("f.nncp.chunk2"), [0; 499]).unwrap()),
        ("altered", |c| std::fs::write(c.path("f.nncp.chunk1"), [9; 1000]).unwrap()),
        ("a link", |c| {
            std::fs::rename(c.path("f.nncp.chunk1"), c.path("away")).unwrap();
            std::os::unix::fs::symlink("away", c.path("f.nncp.chunk1")).unwrap();
        }),
        ("another magic", |c| std::fs::write(c.path("f.nncp.meta"), [0; 200]).unwrap()),
        ("something else grows", |c| std::fs::write(c.path("f.nncp.reass"), b"mine").unwrap()),
    ];
    for (name, spoil) in spoils {
        for options in [Options::default(), KEEP, DRY] {
            let chunked = Chunked::new(2500);
            spoil(&chunked);
            let before = chunked.files();
            assert!(chunked.run(options).is_err(), "{name}");
            assert_eq!(chunked.files(), before, "{name}");
        }
    }
}

#[test]
fn numbers_cost_no_memory() {
    let chunked = Chunked::new(2500);
    let meta = chunked.path("f.nncp.meta");
    let mut bytes = std::fs::read(&meta).unwrap();
    bytes[8..16].fill(0xFF);
    bytes[16..24].copy_from_slice(&(1_u64 << 32).to_be_bytes());
    bytes[24..28].fill(0xFF);
    std::fs::write(&meta, &bytes).unwrap();
    assert!(matches!(chunked.run(DRY), Err(ReassError::Meta(_))));
    File::options().write(true).open(&meta).unwrap().set_len(1 << 38).unwrap();
    assert!(matches!(chunked.run(DRY), Err(ReassError::TooMany)));
}

#[test]
fn names_that_leave_none_for_the_file_are_refused() {
    let chunked = Chunked::new(2500);
    let (log, progress) = (Log::none(), Progress::default());
    let options = Options::default();
    let reass = Reass { disk: Disk { sync: true }, log: &log, progress: &progress, options };
    for name in [".nncp.meta", "..nncp.meta", "...nncp.meta", "f.meta", "f.nncp.metb"] {
        std::fs::copy(chunked.path("f.nncp.meta"), chunked.path(name)).unwrap();
        let refused = reass.file(&chunked.path(name));
        assert!(matches!(refused, Err(ReassError::Suffix)), "{name}");
    }
}

#[test]
fn two_at_once_are_one_too_many() {
    let chunked = Chunked::new(2500);
    let held = Description::open(&chunked.path("f.nncp.meta")).unwrap();
    assert!(matches!(chunked.run(Options::default()), Err(ReassError::Busy)));
    drop(held);
    chunked.run(Options::default()).unwrap();
}

/// A chunk with a second hard link, as in a snapshot, is not modified.
#[test]
fn a_chunk_with_another_name_is_left_alone() {
    let chunked = Chunked::new(2500);
    std::fs::hard_link(chunked.path("f.nncp.chunk0"), chunked.path("snapshot")).unwrap();
    chunked.run(Options::default()).unwrap();
    chunked.is_done_as("f");
    assert_eq!(chunked.files()["snapshot"], chunked.content[..1000]);
}

#[test]
fn a_description_that_comes_before_its_chunks_waits_for_them() {
    let chunked = Chunked::new(2500);
    std::fs::write(chunked.path("f"), &chunked.content).unwrap();
    for index in 0..3 {
        std::fs::remove_file(chunked.path(&format!("f.nncp.chunk{index}"))).unwrap();
    }
    assert!(chunked.run(Options::default()).is_err());
    assert!(chunked.path("f.nncp.meta").exists());
}

fn at_every_step(linked: bool, options: Options, what: Fault) {
    for at in 0.. {
        let chunked = Chunked::new(3210);
        if linked {
            std::fs::hard_link(chunked.path("f.nncp.chunk0"), chunked.path("snapshot")).unwrap();
        }
        let (_, reached) = fault::with(what, at, || chunked.run(options).map(drop));
        let again = match chunked.path("f.nncp.meta").exists() {
            true => chunked.run(Options::default()),
            false => Ok(()),
        };
        again.unwrap_or_else(|error| {
            panic!("{what:?} at step {at}: {error}: {:?}", chunked.files().keys())
        });
        let done = chunked.files();
        assert_eq!(done["f"], chunked.content, "{what:?} at step {at}");
        if what != Fault::Kill || options != KEEP {
            chunked.is_done_as("f");
        }
        if !reached {
            break;
        }
    }
}

#[test]
fn killed_at_any_step_the_next_run_completes() {
    at_every_step(false, Options::default(), Fault::Kill);
    at_every_step(true, Options::default(), Fault::Kill);
    at_every_step(false, KEEP, Fault::Kill);
}

#[test]
fn refused_by_the_disk_at_any_step_the_next_run_completes() {
    for errno in [Errno::NOSPC, Errno::IO] {
        at_every_step(false, Options::default(), Fault::Fail(errno));
        at_every_step(true, Options::default(), Fault::Fail(errno));
        at_every_step(false, KEEP, Fault::Fail(errno));
    }
}

/// After a power cut, the end of the growing file may hold any bytes.
#[test]
fn what_does_not_hash_right_at_the_end_is_appended_anew() {
    let chunked = Chunked::new(3210);
    let mut grown = chunked.content[..2000].to_vec();
    grown.extend([0; 700]);
    std::fs::remove_file(chunked.path("f.nncp.chunk0")).unwrap();
    std::fs::write(chunked.path("f.nncp.reass"), grown).unwrap();
    chunked.run(Options::default()).unwrap();
    chunked.is_done_as("f");
}
