//! The sender's marks as bookmarks, on a `zfs` that keeps snapshots and bookmarks in a text file and
//! sends the streams of real ones.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::chain::Confirmation;
use packmule::internal::zfs::command::Zfs;
use packmule::internal::zfs::lock::Locks;
use packmule::internal::zfs::name::Dataset;
use packmule::internal::zfs::receipt::Receipt;
use packmule::internal::zfs::send::{Dispatch, Flow, Naming, Options, Queue, Run, Source, confirm};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `pool` holds a name, a guid, a transaction group and perhaps a time a line.
const SCRIPT: &str = r#"#!/bin/sh
d=${0%/*}
echo "$*" >> "$d/log"
new() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-$(wc -l < "$d/log")}" >> "$d/pool"; }
for last; do :; done
case "$1" in
bookmark)
    [ $# = 3 ] || { echo "missing argument" >&2; exit 2; }
    grep -q "^$3	" "$d/pool" && { echo "bookmark exists" >&2; exit 1; }
    line=$(grep "^$2	" "$d/pool") || { echo "$2 does not exist" >&2; exit 1; }
    new "$3" "$(echo "$line" | cut -f 2)" "$(echo "$line" | cut -f 3)" ;;
snapshot)
    case "$*" in *packmule:unsent=on*) echo "$last" >> "$d/unsent" ;; esac
    new "$last" "$(cat "$d/guid")" ;;
inherit) grep -v "^$3$" "$d/unsent" > "$d/left"; mv "$d/left" "$d/unsent" ;;
destroy) grep -v "^$last	" "$d/pool" > "$d/left"; mv "$d/left" "$d/pool" ;;
send)
    [ -e "$d/fails" ] && { echo "I/O error" >&2; exit 1; }
    cat "$d/stream" ;;
get)
    case "$*" in *written[@#]*) cat "$d/since"; exit ;; esac
    [ -e "$d/since" ] && printf '%s\twritten\t0\t-\n' "$last"
    printf '%s\ttype\tfilesystem\t-\n' "${last%%[@#]*}"
    cat "$d/properties" 2> /dev/null
    awk -F '\t' -v unsent="$d/unsent" '
        BEGIN { while ((getline name < unsent) > 0) is[name] = 1 }
        { print $1 "\tguid\t" $2 "\t-\n" $1 "\tcreatetxg\t" $3 "\t-" }
        $4 { print $1 "\tcreation\t" $4 "\t-" }
        $1 in is { print $1 "\tpackmule:unsent\ton\tlocal" }' "$d/pool" ;;
esac
exit 0
"#;

/// The fake, with the dataset `tank/l`.
struct Fake {
    directory: tempfile::TempDir,
    zfs: Zfs,
}

impl Fake {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("zfs");
        fs::write(&program, SCRIPT).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(directory.path().join("pool"), "").unwrap();
        let zfs = Zfs::new(&["/bin/sh".to_owned()], program.to_str()).unwrap();
        Self { directory, zfs }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    /// One run, in which `zfs` makes and sends the snapshot of this stream.
    fn send(&self, name: &str) -> Result<(), String> {
        self.run(name, None)
    }

    fn run(&self, name: &str, from: Option<&Source>) -> Result<(), String> {
        let said = self.report(name, from).expect("something is to be told");
        said.result.map(drop).map_err(|error| error.to_string())
    }

    fn report(&self, name: &str, from: Option<&Source>) -> Option<Dispatch> {
        // Only of a pool that tells what was written.
        let skip_unchanged = self.directory.path().join("since").exists();
        let options = Options { skip_unchanged, ..options() };
        self.run_with(name, &options, |run, dataset, queue| match from {
            None => run.send(dataset, queue).unwrap(),
            Some(from) => run.resend(dataset, from, queue).unwrap(),
        })
    }

    /// What `send` dispatches, in which `zfs` makes and sends the snapshot of this stream.
    fn run_with(
        &self,
        name: &str,
        options: &Options,
        send: impl Fn(&Run<'_>, &Dataset, &Queue<'_>) -> Vec<Dispatch>,
    ) -> Option<Dispatch> {
        let bytes = stream(name);
        let guid = u64::from_le_bytes(bytes[40..48].try_into().unwrap());
        fs::write(self.directory.path().join("guid"), guid.to_string()).unwrap();
        fs::write(self.directory.path().join("stream"), bytes).unwrap();
        let locks = Locks::new(self.directory.path().join("locks"));
        let run = Run::new(&self.zfs, options, &["vault".to_owned()], &locks).unwrap();
        let queue = |_: &str, _: &Dataset, stream: &mut (dyn Read + Send)| {
            stream.read_to_end(&mut Vec::new())?;
            Ok(())
        };
        let dispatches = send(&run, &Dataset::parse("tank/l").unwrap(), &queue);
        assert!(dispatches.len() < 2, "{dispatches:?}");
        dispatches.into_iter().next()
    }

    /// A run with a new snapshot, from a base that a person named.
    fn send_from(&self, name: &str, from: &Source) -> Result<u64, String> {
        let send = |run: &Run<'_>, dataset: &Dataset, queue: &Queue<'_>| {
            run.send_from(dataset, from, queue).unwrap()
        };
        sent_from(self.run_with(name, &options(), send))
    }

    fn send_existing(&self, name: &str, snapshot: &str, from: &Source) -> Result<u64, String> {
        let send = |run: &Run<'_>, dataset: &Dataset, queue: &Queue<'_>| {
            run.send_existing(dataset, snapshot, from, queue).unwrap()
        };
        sent_from(self.run_with(name, &options(), send))
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// All marks are gone, as after a move to another pool.
    fn lose_marks(&self) {
        let pool = self.read("pool");
        let left = pool.lines().filter(|line| !line.contains('#')).map(|line| format!("{line}\n"));
        self.put("pool", &left.collect::<String>());
    }

    /// How often `zfs` was run with this word.
    fn ran(&self, word: &str) -> usize {
        self.read("log").lines().filter(|line| line.split(' ').next() == Some(word)).count()
    }

    /// From now on `zfs send` fails.
    fn fails(&self) {
        fs::write(self.directory.path().join("fails"), "").unwrap();
    }

    /// A run was killed after it had published this snapshot and before it marked it as sent.
    fn killed(&self, guid: u64) {
        let mark = mark("pending", guid, "");
        let snapshot = "tank/l@packmule-main-20260101T000000.000000Z";
        let pool = format!("{snapshot}\t{guid}\t1\ntank/l#{mark}\t{guid}\t1\n");
        fs::write(self.directory.path().join("pool"), pool).unwrap();
    }

    /// Names of bookmarks, without the dataset's.
    fn bookmarks(&self) -> Vec<String> {
        let pool = self.read("pool");
        let name = |line: &str| Some(line.split('\t').next()?.split_once('#')?.1.to_owned());
        pool.lines().filter_map(name).collect()
    }

    fn confirm(&self, destination: &str, guid: u64) -> Result<Confirmation, String> {
        let receipt = Receipt { dataset: "tank/l".into(), snapshot: "s".into(), guid };
        confirm(&self.zfs, destination, &receipt).map_err(|error| error.to_string())
    }
}

/// The base of what was sent.
fn sent_from(report: Option<Dispatch>) -> Result<u64, String> {
    match report.expect("something is to be told").result {
        Ok(sent) => Ok(sent.expect("it was sent").from_guid),
        Err(error) => Err(error.to_string()),
    }
}

fn options() -> Options {
    Options {
        set: "main".parse().unwrap(),
        naming: Naming::Packmule,
        recursive: false,
        raw: false,
        compressed: true,
        large_blocks: false,
        embedded: false,
        skip_unchanged: false,
        keep: Some(1),
        keep_marks: Duration::from_secs(u64::MAX / 2),
        flow: Flow::default(),
        apart: Vec::new(),
        spool: BTreeSet::new(),
    }
}

fn stream(wanted: &str) -> Vec<u8> {
    let file = fs::File::open("testvectors/zfs/streams.tar.zst").unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries.find(|e| e.path().unwrap().to_str() == Some(wanted)).unwrap();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    bytes
}

const FIRST: u64 = 17_950_920_003_008_052_305;
const SECOND: u64 = 16_548_020_373_566_866_660;

fn mark(role: &str, guid: u64, chain: &str) -> String {
    format!("packmule:main:vault:{role}:{guid:016x}{chain}")
}

#[test]
fn a_first_stream_is_marked_before_it_is_sent_and_only_then_as_sent() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    let log = fake.read("log");
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("no {text:?} in {log}"));
    assert!(at(":pending:") < at("\nsend -c tank/l@"));
    assert!(at("\nsend ") < at(":sent:"));
    assert!(at(":sent:") < at("\ndestroy tank/l#packmule:main:vault:pending:"));
    assert_eq!(fake.bookmarks(), [mark("sent", FIRST, "")]);
}

#[test]
fn a_beginning_that_failed_leaves_no_mark() {
    let fake = Fake::new();
    fake.fails();
    assert!(fake.send("openzfs-2.3/lz4.c.1").unwrap_err().contains("I/O error"));
    assert_eq!(fake.bookmarks(), [""; 0]);
}

#[test]
fn what_a_killed_run_perhaps_published_is_sent_again_before_anything_else() {
    let fake = Fake::new();
    fake.killed(FIRST);
    fake.fails();
    let said = fake.send("openzfs-2.3/lz4.c.1-2").unwrap_err();
    assert!(said.contains("I/O error"), "{said}");
    assert_eq!(fake.read("log").matches("\nsend ").count(), 1, "no other beginning");
    assert_eq!(fake.bookmarks(), [mark("pending", FIRST, "")]);
    // Nor is it forgotten when the newest can not be sent anew.
    let said = fake.run("openzfs-2.3/lz4.c.1-2", Some(&Source::Nothing)).unwrap_err();
    assert!(said.contains("I/O error"), "{said}");
    assert_eq!(fake.bookmarks(), [mark("pending", FIRST, "")]);
}

#[test]
fn a_step_that_failed_gets_no_later_one_around_it() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    fake.fails();
    fake.send("openzfs-2.3/lz4.c.1-2").unwrap_err();
    fake.send("openzfs-2.3/raw.1").unwrap_err();
    let log = fake.read("log");
    let sends = log.lines().filter(|line| line.starts_with("send "));
    let sent: Vec<_> = sends.map(|line| line.rsplit('@').next()).collect();
    assert_eq!(sent.len(), 3, "{log}");
    assert_eq!(sent[1], sent[2], "the same step");
}

#[test]
fn a_chain_stays_raw_or_plain_and_keeps_its_large_blocks() {
    for (first, step, want) in [
        ("lz4.c.1", "lz4.c.1-2", Ok(())),
        ("lz4.Lc.1", "lz4.Lc.1-2", Ok(())),
        ("lz4.c.1", "lz4.Lc.1-2", Ok(())),
        ("lz4.Lc.1", "lz4.c.1-2", Err("was sent with large blocks so far")),
        ("raw.1", "raw.1-2", Ok(())),
        ("decrypted.1", "raw.1-2", Err("was not sent raw so far")),
    ] {
        let fake = Fake::new();
        fake.send(&format!("openzfs-2.3/{first}")).unwrap();
        let before = fake.bookmarks();
        let said = fake.send(&format!("openzfs-2.3/{step}"));
        match want {
            Ok(()) => assert_eq!(said, Ok(()), "{first}, {step}"),
            Err(want) => {
                assert!(said.unwrap_err().contains(want), "{first}, {step}");
                assert_eq!(fake.bookmarks(), before, "the base has not moved");
            }
        }
    }
}

#[test]
fn what_is_unchanged_since_it_was_sent_is_skipped_whatever_others_snapshotted() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    let pool = fake.read("pool");
    let skips = |pool: &str, since: &str| {
        fs::write(fake.directory.path().join("pool"), pool).unwrap();
        fs::write(fake.directory.path().join("since"), since).unwrap();
        fake.report("openzfs-2.3/lz4.c.1-2", None).is_none()
    };
    assert!(skips(&pool, "7"), "what was sent is the newest snapshot");
    let other = format!("{pool}tank/l@other\t77\t999\n");
    assert!(skips(&other, "0"));
    assert!(fake.read("log").contains("get -Hp -o value written@packmule-main-"));
    let bookmark = pool.lines().find(|line| line.contains('#')).unwrap();
    let without = format!("{bookmark}\ntank/l@other\t77\t999\n");
    assert!(skips(&without, "0"));
    assert!(fake.read("log").contains("get -Hp -o value written#packmule:main:vault:sent:"));
    assert!(!skips(&without, "-"), "a pool that does not tell");
    assert!(!skips(&other, "512"));
    assert!(!skips("", "0"), "nothing was sent");
}

#[test]
fn a_resend_of_what_was_never_confirmed_says_what_else_there_is() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    let said = fake.run("openzfs-2.3/lz4.c.1", Some(&Source::Confirmed)).unwrap_err();
    assert!(said.contains("the destination confirmed") && said.contains("-from nothing"), "{said}");
    fake.run("openzfs-2.3/lz4.c.1", Some(&Source::Nothing)).unwrap();
}

#[test]
fn receipts_move_a_bookmark_forward_and_never_back() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.Lc.1").unwrap();
    fake.send("openzfs-2.3/lz4.Lc.1-2").unwrap();
    assert_eq!(fake.read("pool").matches('@').count(), 1, "only a bookmark is left of the first");
    let sent = [mark("sent", FIRST, ":L"), mark("sent", SECOND, ":L")];
    let with = |guid| [&sent[..], &[mark("confirmed", guid, ":L")]].concat();
    assert_eq!(fake.bookmarks(), sent);
    assert_eq!(fake.confirm("vault", FIRST), Ok(Confirmation::Moved));
    assert_eq!(fake.bookmarks(), with(FIRST));
    assert_eq!(fake.confirm("vault", SECOND), Ok(Confirmation::Moved));
    for (guid, want) in
        [(SECOND, Confirmation::Known), (FIRST, Confirmation::Known), (77, Confirmation::Gone)]
    {
        assert_eq!(fake.confirm("vault", guid), Ok(want));
        assert_eq!(fake.bookmarks(), with(SECOND));
    }
    assert!(fake.confirm("mallory", FIRST).unwrap_err().contains("nothing of tank/l was sent"));
}

#[test]
fn lost_marks_stop_a_dataset_and_both_ways_on_are_told() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    fake.lose_marks();
    let said = fake.send("openzfs-2.3/lz4.c.1-2").unwrap_err();
    for way in ["-from GUID vault tank/l", "-from nothing vault tank/l", "-snapshot NAME"] {
        assert!(said.contains(way), "{said}");
    }
    assert_eq!((fake.ran("snapshot"), fake.ran("send")), (1, 1), "nothing was made or sent");
    let from = Source::Guids(vec![7, FIRST]);
    assert_eq!(fake.send_from("openzfs-2.3/lz4.c.1-2", &from), Ok(FIRST));
    let sent = fake.bookmarks();
    assert!(sent.contains(&mark("sent", SECOND, "")), "it goes on from there: {sent:?}");
    // The other way.
    fake.lose_marks();
    assert_eq!(fake.send_from("openzfs-2.3/raw.1", &Source::Nothing), Ok(0));
    fake.lose_marks();
    assert!(fake.send("openzfs-2.3/raw.1-2").unwrap_err().contains("no mark"));
}

#[test]
fn a_first_run_that_failed_is_no_loss_of_marks() {
    let fake = Fake::new();
    fake.fails();
    for _ in 0..2 {
        assert!(fake.send("openzfs-2.3/lz4.c.1").unwrap_err().contains("I/O error"));
    }
    fs::remove_file(fake.directory.path().join("fails")).unwrap();
    fake.send("openzfs-2.3/raw.1").unwrap();
    assert_eq!(fake.bookmarks().len(), 1);
}

#[test]
fn a_set_that_was_renamed_stops_and_one_into_another_place_does_not() {
    let fake = Fake::new();
    let old = "packmule:old:vault:sent:0000000000000007";
    fake.put("pool", &format!("tank/l#{old}\t7\t1\n"));
    let said = fake.send("openzfs-2.3/lz4.c.1").unwrap_err();
    assert!(said.contains("in the set old, and never in main"), "{said}");
    let apart = Options { apart: vec!["old".parse().unwrap()], ..options() };
    let send =
        |run: &Run<'_>, dataset: &Dataset, queue: &Queue<'_>| run.send(dataset, queue).unwrap();
    assert_eq!(sent_from(fake.run_with("openzfs-2.3/lz4.c.1", &apart, send)), Ok(0));
    // Another destination of the set is new, and gets all.
    let fake = Fake::new();
    fake.put("pool", "tank/l#packmule:main:other:sent:0000000000000007\t7\t1\n");
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
}

#[test]
fn a_copy_that_another_tool_made_goes_on_and_a_kill_does_not_change_that() {
    let fake = Fake::new();
    fake.put("pool", &format!("tank/l@syncoid_laptop\t{FIRST}\t1\n"));
    let said = fake.run("openzfs-2.3/lz4.c.1", Some(&Source::Guids(vec![FIRST]))).unwrap_err();
    assert!(said.contains("packmule zfs send -from GUID NODE tank/l"), "{said}");
    let from = Source::Guids(vec![FIRST]);
    fake.fails();
    fake.send_from("openzfs-2.3/lz4.c.1-2", &from).unwrap_err();
    assert_eq!(fake.bookmarks(), [mark("sent", FIRST, "")], "what a person said is remembered");
    fs::remove_file(fake.directory.path().join("fails")).unwrap();
    fake.put("pool", &fake.read("pool").replace("tank/l@packmule-", "tank/l@gone-"));
    fake.send("openzfs-2.3/lz4.c.1-2").unwrap();
    assert!(fake.read("log").contains("send -c -i tank/l@syncoid_laptop tank/l@packmule-main-"));
    let said = fake.send_from("openzfs-2.3/lz4.c.1-2", &Source::Guids(vec![1, 2])).unwrap_err();
    assert!(said.contains("with guid 1, 2 to send from"), "{said}");
}

#[test]
fn a_snapshot_that_exists_is_sent_and_none_is_made_or_removed() {
    let fake = Fake::new();
    let pool = format!(
        "tank/l@packmule-main-1Z\t{FIRST}\t1\ntank/l@my daily\t{SECOND}\t2\ntank/l@new\t9\t3\n"
    );
    fake.put("pool", &pool);
    let existing = |stream: &str, name: &str| fake.send_existing(stream, name, &Source::Sent);
    assert_eq!(existing("openzfs-2.3/lz4.c.1", "packmule-main-1Z"), Ok(0));
    assert_eq!(existing("openzfs-2.3/lz4.c.1-2", "my daily"), Ok(FIRST));
    assert!(fake.read("log").contains("send -c -i tank/l@packmule-main-1Z tank/l@my daily\n"));
    assert!(fake.read("pool").starts_with(&pool), "all snapshots are as before");
    assert_eq!(fake.ran("snapshot"), 0);
    assert_eq!(existing("openzfs-2.3/lz4.c.1", "no"), Err("tank/l has no snapshot @no".to_owned()));
    let from = Source::Guids(vec![FIRST, 9]);
    let again = fake.send_existing("openzfs-2.3/lz4.c.1-2", "my daily", &from);
    assert_eq!(again, Ok(FIRST), "a base is older than the snapshot");
}

#[test]
fn a_backup_that_raw_streams_are_received_into_gets_no_snapshot() {
    let fake = Fake::new();
    let applied = "tank/l@a\tguid\t7\t-\ntank/l@a\tcreatetxg\t1\t-\n\
                   tank/l@a\tpackmule:applied\tx\tlocal\n";
    let raw = Options { raw: true, ..options() };
    let send =
        |run: &Run<'_>, dataset: &Dataset, queue: &Queue<'_>| run.send(dataset, queue).unwrap();
    fake.put("properties", &format!("tank/l\treadonly\ton\tlocal\n{applied}"));
    let said = sent_from(fake.run_with("openzfs-2.3/raw.1", &raw, send)).unwrap_err();
    assert!(said.contains("packmule zfs send -snapshot a -w NODE tank/l"), "{said}");
    assert_eq!(fake.ran("snapshot"), 0);
    // Restored, and in use again.
    fake.put("properties", &format!("tank/l\treadonly\toff\tlocal\n{applied}"));
    assert_eq!(sent_from(fake.run_with("openzfs-2.3/raw.1", &raw, send)), Ok(0));
}

#[test]
fn a_destination_that_was_made_anew_has_confirmed_nothing() {
    let fake = Fake::new();
    fake.send("openzfs-2.3/lz4.c.1").unwrap();
    fake.send("openzfs-2.3/lz4.c.1-2").unwrap();
    fake.confirm("vault", FIRST).unwrap();
    fake.run("openzfs-2.3/raw.1", Some(&Source::Nothing)).unwrap_err();
    assert!(fake.bookmarks().contains(&mark("confirmed", FIRST, "")), "nothing was sent");
    fake.put("pool", &fake.read("pool").replace("tank/l@packmule-", "tank/l@gone-"));
    assert_eq!(fake.send_from("openzfs-2.3/raw.1", &Source::Nothing), Ok(0));
    let marks = fake.bookmarks();
    assert!(!marks.iter().any(|mark| mark.contains(":confirmed:")), "{marks:?}");
    assert!(marks.contains(&mark("sent", FIRST, "")), "a base that may be needed stays: {marks:?}");
    let said = fake.run("openzfs-2.3/raw.1", Some(&Source::Confirmed)).unwrap_err();
    assert!(said.contains("-from nothing"), "{said}");
}

#[test]
fn a_dataset_that_holds_the_spool_is_not_sent() {
    let fake = Fake::new();
    let options = Options { spool: ["tank/l".to_owned()].into(), ..options() };
    for again in [false, true] {
        let report =
            fake.run_with("openzfs-2.3/lz4.c.1", &options, |run, dataset, queue| match again {
                false => run.send(dataset, queue).unwrap(),
                true => run.resend(dataset, &Source::Nothing, queue).unwrap(),
            });
        let said = sent_from(report).unwrap_err();
        assert!(said.contains("tank/l holds the spool") && said.contains("packmule:exclude=on"));
    }
    assert_eq!(fake.ran("snapshot"), 0);
}

/// The bookmarks that a run leaves which sends nothing, and which comes after hourly ones, the last of them so many seconds ago.
fn after_hourly_runs(hours: u64, ago: u64) -> Vec<String> {
    let fake = Fake::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let line = |hour: u64| {
        let (guid, time) = (hour + 100, now - ago - (hours - 1 - hour) * 3600);
        format!("tank/l#{}\t{guid}\t{}\t{time}\n", mark("sent", guid, ""), hour + 1)
    };
    fake.put("pool", &(0..hours).map(line).collect::<String>());
    let options = Options { keep_marks: Duration::from_secs(90 * 86400), ..options() };
    let send =
        |run: &Run<'_>, dataset: &Dataset, queue: &Queue<'_>| run.send(dataset, queue).unwrap();
    fake.run_with("openzfs-2.3/lz4.c.1-2", &options, send);
    fake.bookmarks()
}

#[test]
fn marks_thin_out_as_they_age_and_not_after_a_pause() {
    let left = after_hourly_runs(100 * 24, 3600).len();
    assert!((80..95).contains(&left), "{left}");
    assert_eq!(after_hourly_runs(100, 400 * 86400).len(), 100, "the clock jumped, or it was off");
}
