//! A `zfs` that answers from a table plays everything a real one was seen to say, against the
//! receiver. The rows are those of zfs-fuse and of OpenZFS 2.1 and 2.3.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::chain::Next;
use packmule::internal::zfs::decide::{Refusal, Wait};
use packmule::internal::zfs::lock::Locks;
use packmule::internal::zfs::name::Dataset;
use packmule::internal::zfs::receive::{Outcome, Policy, Session};
use std::fmt::Write;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Which `zfs` the row was seen with.
#[derive(Clone, Copy, PartialEq)]
enum Zfs {
    Fuse,
    Open,
}
use Zfs::{Fuse, Open};

const FULL: &str = "openzfs-2.1/full.s1";
const STEP: &str = "openzfs-2.1/inc.s1-s2";
const S1: u64 = 2_439_566_082_511_677_731;
const S2: u64 = 4_733_629_110_947_962_612;
const S3: u64 = 245_541_277_221_399_132;
const OTHER: u64 = 77;

/// What is in the target: `None` is no dataset.
type Target = Option<&'static [u64]>;

struct Row {
    name: &'static str,
    zfs: Zfs,
    stream: &'static str,
    before: Target,
    after: Target,
    /// What `zfs receive` exits with and says; `None` when it must not be run.
    says: Option<(i32, &'static str)>,
    want: &'static str,
}

const fn row(
    name: &'static str,
    zfs: Zfs,
    stream: &'static str,
    before: Target,
    after: Target,
    says: Option<(i32, &'static str)>,
    want: &'static str,
) -> Row {
    Row { name, zfs, stream, before, after, says, want }
}

const BASE: Target = Some(&[S1]);
const BOTH: Target = Some(&[S1, S2]);
const EMPTY: Target = Some(&[]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("full", Open, FULL, None, BASE, Some((0, "")), "done"),
    row("full", Fuse, FULL, None, BASE, Some((0, "")), "done"),
    row("step", Open, STEP, BASE, BOTH, Some((0, "")), "done"),
    row("step", Fuse, STEP, BASE, BOTH, Some((0, "")), "done"),
    row("step for an absent dataset", Open, STEP, None, None, None, "defer"),
    row("full again", Open, FULL, BASE, BASE, None, "duplicate"),
    row("full again, newer there", Fuse, FULL, BOTH, BOTH, None, "duplicate"),
    row("full, another lineage", Open, FULL, Some(&[OTHER]), Some(&[OTHER]), None, "reject"),
    row("full, a receive in progress", Open, FULL, EMPTY, EMPTY, None, "defer"),
    row("full, lost a race to the same stream", Open, FULL, None, BASE, Some((1, "cannot receive new filesystem stream: destination 'D' exists\nmust specify -F to overwrite it")), "done"),
    row("full, lost a race to another", Fuse, FULL, None, Some(&[OTHER]), Some((1, "cannot receive new filesystem stream: destination 'D' exists\nmust specify -F to overwrite it")), "reject"),
    row("step again", Open, STEP, BOTH, BOTH, None, "duplicate"),
    row("step again", Fuse, STEP, BOTH, BOTH, None, "duplicate"),
    row("base missing", Open, STEP, Some(&[OTHER]), Some(&[OTHER]), None, "defer"),
    row("base destroyed meanwhile", Open, STEP, BASE, Some(&[OTHER]), Some((1, "cannot receive incremental stream: most recent snapshot of D does not\nmatch incremental source")), "defer"),
    row("modified", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: destination D has been modified\nsince most recent snapshot")), "reject"),
    row("modified", Fuse, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: destination D has been modified\nsince most recent snapshot")), "reject"),
    row("another snapshot of that name", Fuse, STEP, BASE, BASE, Some((1, "cannot restore to D@S: destination already exists")), "reject"),
    row("another snapshot of that name", Open, STEP, BASE, BASE, Some((1, "cannot restore to D@S: destination already exists")), "reject"),
    row("local snapshot on top, unchanged", Open, STEP, Some(&[S1, OTHER]), Some(&[S1, OTHER, S2]), Some((0, "")), "done"),
    row("silent success", Open, STEP, BASE, BASE, Some((0, "")), "defer!"),
    row("truncated on this machine", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: incomplete stream")), "defer!"),
    row("damaged on this machine", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: checksum mismatch")), "defer!"),
    row("damaged on this machine", Fuse, FULL, None, None, Some((1, "cannot receive new filesystem stream: invalid stream (checksum mismatch)")), "defer!"),
    row("a snapshot was taken during the receive", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: invalid backup stream")), "defer"),
    row("another receive", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: dataset is busy")), "defer"),
    row("partial state", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: destination D contains partially-complete state from \"zfs receive -s\".")), "defer!"),
    row("unsupported feature", Fuse, FULL, None, None, Some((1, "cannot receive: stream has unsupported feature, feature flags = 4")), "reject"),
    row("unsupported feature", Open, FULL, None, None, Some((1, "cannot receive: stream has unsupported feature, feature flags = 10000000 (unknown flags = 10000000)")), "reject"),
    row("deprecated feature", Open, FULL, None, None, Some((1, "cannot receive: stream has deprecated feature: dedup, try \"zstream redup\"")), "reject"),
    row("pool too old", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: pool must be upgraded to receive this stream.")), "reject"),
    row("out of space", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: out of space")), "defer!"),
    row("out of space", Fuse, FULL, None, None, Some((1, "cannot receive new filesystem stream: out of space")), "defer!"),
    row("quota", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: destination D space quota exceeded.")), "defer!"),
    row("read-only pool", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: pool is read-only")), "defer!"),
    row("not permitted", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: permission denied")), "reject"),
    row("no access", Open, FULL, None, None, Some((1, "no /dev/zfs access: Permission denied\nthe ZFS utilities must be run as root.")), "reject"),
    row("parent is a volume", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: parent 'D' is not a filesystem")), "reject"),
    row("large blocks before, not now", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: incremental send stream requires -L (--large-block), to match previous receive.")), "reject"),
    row("raw onto unencrypted", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: cannot perform raw receive on top of existing unencrypted dataset")), "reject"),
    row("key not loaded", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: inherited key must be loaded")), "defer!"),
    row("parent locked", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: inherited key must be loaded")), "defer!"),
    row("IV set", Open, STEP, BASE, BASE, Some((1, "cannot receive incremental stream: IV set guid mismatch. See the 'zfs receive' man page")), "reject"),
    row("embedded into encrypted", Open, FULL, None, None, Some((1, "cannot receive new filesystem stream: incompatible embedded data stream feature with encrypted receive.")), "reject"),
    row("words nobody heard", Open, FULL, None, None, Some((1, "cannot receive: the moon is full")), "defer!"),
    row("succeeded with a warning", Open, FULL, None, BASE, Some((0, "cannot receive canmount property on D: permission denied")), "done"),
];

const SCRIPT: &str = r#"#!/bin/sh
d=${0%/*}
echo "$*" >> "$d/log"
case "$1" in
bookmark) cat "$d/bookmark" >&2; exit 2 ;;
receive) cat > "$d/stream"; mv "$d/after" "$d/pool"; cat "$d/words" >&2; exit "$(cat "$d/status")" ;;
get) case "$*" in *written@*) echo 0 ;; *) cat "$d/pool" ;; esac ;;
esac
exit 0
"#;

fn pool(target: Target) -> String {
    let mut text = "tank/b\ttype\tfilesystem\t-\ntank/b\treadonly\ton\tlocal\n".to_owned();
    for (txg, guid) in target.unwrap_or_default().iter().enumerate() {
        let name = format!("tank/b/a@s{guid}");
        writeln!(text, "{name}\tguid\t{guid}\t-\n{name}\tcreatetxg\t{txg}\t-").unwrap();
    }
    if target.is_some() {
        text += "tank/b/a\ttype\tfilesystem\t-\ntank/b/a\treadonly\ton\tinherited from tank/b\n";
        text += "tank/b/a\treceive_resume_token\t-\t-\n";
    }
    text
}

fn stream(wanted: &str) -> Vec<u8> {
    let file = fs::File::open("testvectors/zfs/streams.tar.zst").unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().to_str() == Some(wanted) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            return bytes;
        }
    }
    panic!("no stream {wanted}");
}

/// Puts the fake into a directory of its own and opens a session with it.
fn session(row: &Row, directory: &Path, words: &[&str]) -> Session {
    let put = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
    put("bookmark", if row.zfs == Fuse { "unrecognized command 'bookmark'" } else { "usage" });
    put("pool", &pool(row.before));
    put("after", &pool(row.after));
    let (status, said) = row.says.unwrap_or((1, "must not be run"));
    put("status", &status.to_string());
    put("words", said);
    put("log", "");
    put("zfs", SCRIPT);
    let zfs = directory.join("zfs");
    fs::set_permissions(&zfs, fs::Permissions::from_mode(0o755)).unwrap();
    Session::new(policy(directory, words), Locks::new(directory.join("locks"))).unwrap()
}

fn policy(directory: &Path, words: &[&str]) -> Policy {
    let zfs = directory.join("zfs");
    let words: Vec<String> =
        ["--into", "tank/b", "--prefix", "/bin/sh", "--zfs", zfs.to_str().unwrap()]
            .iter()
            .chain(words)
            .map(|word| (*word).to_owned())
            .collect();
    Policy::parse(&words, "laptop").unwrap()
}

/// Receives `bytes` with the fake.
fn play(row: &Row, directory: &Path, bytes: &[u8], words: &[&str]) -> (Outcome, String) {
    let mut session = session(row, directory, words);
    let owned = bytes.to_vec();
    let open = move || Ok(Box::new(Cursor::new(owned.clone())) as Box<dyn Read + Send>);
    session.add(0, Some("a"), SystemTime::now(), &open);
    let outcome = match session.step().unwrap() {
        Next::Apply(key) => session.apply(key, &open).unwrap(),
        Next::Answer(_, outcome) => outcome,
    };
    (outcome, fs::read_to_string(directory.join("log")).unwrap())
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Duplicate(_) => "duplicate",
        Outcome::Defer(wait) if wait.needs_person() => "defer!",
        Outcome::Defer(_) => "defer",
        Outcome::Reject(_) => "reject",
    }
}

#[test]
fn every_answer_of_zfs_has_its_consequence() {
    for row in ROWS {
        let directory = tempfile::tempdir().unwrap();
        let bytes = stream(row.stream);
        let (outcome, log) = play(row, directory.path(), &bytes, &[]);
        assert_eq!(kind(&outcome), row.want, "{}: {outcome:?}\n{log}", row.name);
        let ran = log.lines().any(|line| line.starts_with("receive"));
        assert_eq!(ran, row.says.is_some(), "{}: zfs receive was run or not", row.name);
        assert!(!log.contains(" -F"), "{}: never forced", row.name);
        if ran {
            let got = fs::read(directory.path().join("stream")).unwrap();
            assert_eq!(got, bytes, "{}", row.name);
        }
    }
}

#[test]
fn a_new_file_system_is_received_unmounted_and_read_only() {
    let directory = tempfile::tempdir().unwrap();
    let (outcome, log) = play(&ROWS[0], directory.path(), &stream(FULL), &["-x", "mountpoint"]);
    assert_eq!(kind(&outcome), "done");
    assert!(log.contains("receive -u -o readonly=on -x mountpoint tank/b/a\n"), "{log}");
    assert!(log.contains("set packmule:applied=laptop,60272,"), "{log}");
}

/// What becomes of streams that nothing is run for, looked at together, which have waited so long.
fn answers(row: &Row, streams: &[&str], waited: Duration) -> Vec<Outcome> {
    let directory = tempfile::tempdir().unwrap();
    let mut session = session(row, directory.path(), &[]);
    for (key, name) in streams.iter().enumerate() {
        let bytes = stream(name);
        let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
        session.add(key, Some("a"), SystemTime::now() - waited, &open);
    }
    let answer = |step| match step {
        Next::Answer(_, outcome) => outcome,
        Next::Apply(key) => panic!("{} is applied", streams[key]),
    };
    std::iter::from_fn(|| session.step()).map(answer).collect()
}

const DAY: Duration = Duration::from_secs(86400);

#[test]
fn streams_at_hand_prove_what_a_bigger_step_has_jumped_over() {
    let there = Some(&[S1, S3][..]);
    let row = row("jumped over", Fuse, STEP, there, there, None, "duplicate");
    let late = ["openzfs-2.1/inc.s1-s2", "openzfs-2.1/inc.s2-s3"];
    let want = ["superseded by a newer one", "already there"].map(Outcome::Duplicate);
    assert_eq!(answers(&row, &late, DAY), want);
    // Without its base, and with nothing that proves it, the second is kept.
    let other = Some(&[S1, OTHER][..]);
    let row = self::row("other", Fuse, STEP, other, other, None, "defer");
    let kept = answers(&row, &late[1..], DAY * 99);
    assert_eq!(kept, [Outcome::Defer(Wait::Base(S2))]);
}

#[test]
fn an_empty_dataset_is_waited_for_and_then_told() {
    let row = row("empty", Open, FULL, EMPTY, EMPTY, None, "defer");
    let target = Dataset::parse("tank/b/a").unwrap();
    let wait = Wait::Empty(target);
    assert!(wait.to_string().contains("zfs destroy tank/b/a"), "{wait}");
    assert_eq!(answers(&row, &[FULL], DAY / 2), [Outcome::Defer(wait.clone())]);
    assert_eq!(answers(&row, &[FULL], DAY * 2), [Outcome::Reject(Refusal::GivenUp(wait))]);
}

#[test]
fn a_base_under_an_old_name_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let row = row("renamed", Open, STEP, None, None, None, "defer!");
    let old = "tank/b/old@s1\tguid\t2439566082511677731\t-\ntank/b/old@s1\tcreatetxg\t1\t-\n";
    drop(session(&row, directory.path(), &[]));
    let pool = directory.path().join("pool");
    fs::write(&pool, fs::read_to_string(&pool).unwrap() + old).unwrap();
    let policy = policy(directory.path(), &[]);
    let mut session = Session::new(policy, Locks::new(directory.path().join("locks"))).unwrap();
    let open = || Ok(Box::new(Cursor::new(stream(STEP))) as Box<dyn Read + Send>);
    session.add(0, Some("a"), SystemTime::now(), &open);
    let Some(Next::Answer(0, outcome)) = session.step() else { panic!("nothing is run") };
    assert_eq!(kind(&outcome), "defer!");
    let Outcome::Defer(wait) = outcome else { panic!("{outcome:?}") };
    assert!(wait.to_string().ends_with("zfs rename tank/b/old tank/b/a"), "{wait}");
}

/// Refused by name, before `zfs receive` is run.
fn refused(bytes: &[u8], words: &[&str], want: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (outcome, log) = play(&ROWS[0], directory.path(), bytes, words);
    let Outcome::Reject(refusal) = outcome else { panic!("{want}: {outcome:?}") };
    assert!(refusal.to_string().contains(want), "{refusal} is not {want}");
    assert!(!log.lines().any(|line| line.starts_with("receive")), "{log}");
}

#[test]
fn kinds_that_are_not_allowed_are_refused_before_zfs_is_run() {
    refused(&stream("openzfs-2.3/raw.1"), &[], "raw streams");
    refused(&stream("openzfs-2.3/vol.s1"), &[], "volume streams");
    refused(&stream("openzfs-2.3/I.s1-s4"), &[], "package streams");
    refused(
        &stream("openzfs-2.3/clone.s2-c1"),
        &["--allow", "raw,volume,package"],
        "clone streams",
    );
    refused(
        &stream("openzfs-2.3/resume.s3"),
        &["--allow", "raw,volume,package"],
        "resuming streams",
    );
    refused(&stream("zfs-fuse/D.s3"), &[], "deduplicated streams");
    refused(&stream(FULL), &["--snapshots", "daily-.*"], "does not match");
    refused(&stream(FULL), &["--host", "server"], "is not below server");
    refused(&stream("openzfs-2.1/failed-empty-package"), &["--allow", "package"], "no stream");
    refused(b"PK\x03\x04 not a stream at all", &[], "ends too early");
    refused(&[0x55; 4000], &[], "not a ZFS send stream");
}

#[test]
fn a_stream_that_goes_wrong_late_never_shows_zfs_its_end() {
    let whole = stream(FULL);
    let mut flipped = whole.clone();
    flipped[50_000] ^= 1;
    let cut = &whole[..whole.len() - 1];
    let joined = [&whole[..], b"x"].concat();
    for bad in [&flipped[..], cut, &joined] {
        let directory = tempfile::tempdir().unwrap();
        let row = row("bad", Open, FULL, None, None, Some((1, "")), "reject");
        let (outcome, _) = play(&row, directory.path(), bad, &[]);
        assert_eq!(kind(&outcome), "reject", "{outcome:?}");
        let got = fs::read(directory.path().join("stream")).unwrap_or_default();
        assert!(got.len() <= whole.len() - 312, "END did not reach zfs");
    }
}

#[test]
fn a_package_is_cut_and_its_header_never_reaches_zfs() {
    let package = stream("openzfs-2.1/p.s1");
    let directory = tempfile::tempdir().unwrap();
    let (outcome, log) = play(&ROWS[0], directory.path(), &package, &["--allow", "package"]);
    assert_eq!(kind(&outcome), "done", "{outcome:?}\n{log}");
    let got = fs::read(directory.path().join("stream")).unwrap();
    assert_eq!(got, stream(FULL));
    assert!(!log.contains("note"), "no property of the header was set");
}

#[test]
fn a_damaged_package_is_refused_before_any_of_its_streams_is_applied() {
    let mut package = stream("openzfs-2.1/I.s1-s4");
    let end = package.len() - 700;
    package[end] ^= 1;
    let directory = tempfile::tempdir().unwrap();
    let row = row("package", Open, STEP, BASE, BASE, None, "reject");
    let (outcome, log) = play(&row, directory.path(), &package, &["--allow", "package"]);
    assert_eq!(kind(&outcome), "reject", "{outcome:?}");
    assert!(!log.lines().any(|line| line.starts_with("receive")), "{log}");
}
