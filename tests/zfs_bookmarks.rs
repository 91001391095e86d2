//! The sender's marks as bookmarks, on a `zfs` that keeps snapshots and bookmarks in a text file and
//! sends the streams of real ones.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::zfs::command::Zfs;
use packmule::zfs::lock::Locks;
use packmule::zfs::name::Dataset;
use packmule::zfs::receipt::Receipt;
use packmule::zfs::send::{Confirmation, Flow, Job, Naming, Options, Report, Source, confirm};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// `pool` holds a name, a guid and a transaction group a line.
const SCRIPT: &str = r#"#!/bin/sh
d=${0%/*}
echo "$*" >> "$d/log"
new() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-$(($(wc -l < "$d/log")))}" >> "$d/pool"; }
for last; do :; done
case "$1" in
bookmark)
    [ $# = 3 ] || { echo "missing argument" >&2; exit 2; }
    grep -q "^$3	" "$d/pool" && { echo "bookmark exists" >&2; exit 1; }
    line=$(grep "^$2	" "$d/pool") || { echo "$2 does not exist" >&2; exit 1; }
    new "$3" "$(echo "$line" | cut -f 2)" "$(echo "$line" | cut -f 3)" ;;
snapshot) new "$last" "$(cat "$d/guid")" ;;
destroy) grep -v "^$last	" "$d/pool" > "$d/left"; mv "$d/left" "$d/pool" ;;
send)
    [ -e "$d/fails" ] && { echo "I/O error" >&2; exit 1; }
    cat "$d/stream" ;;
get)
    case "$*" in *written[@#]*) cat "$d/since"; exit ;; esac
    [ -e "$d/since" ] && printf '%s\twritten\t0\t-\n' "$last"
    printf '%s\ttype\tfilesystem\t-\n' "${last%%[@#]*}"
    awk -F '\t' '{ print $1 "\tguid\t" $2 "\t-\n" $1 "\tcreatetxg\t" $3 "\t-" }' "$d/pool" ;;
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

    fn run(&self, name: &str, from: Option<Source>) -> Result<(), String> {
        let said = self.report(name, from).expect("something is to be told");
        said.result.map(drop).map_err(|error| error.to_string())
    }

    fn report(&self, name: &str, from: Option<Source>) -> Option<Report> {
        let bytes = stream(name);
        let guid = u64::from_le_bytes(bytes[40..48].try_into().unwrap());
        fs::write(self.directory.path().join("guid"), guid.to_string()).unwrap();
        fs::write(self.directory.path().join("stream"), bytes).unwrap();
        // Only of a pool that tells what was written.
        let skip_unchanged = self.directory.path().join("since").exists();
        let options = Options { skip_unchanged, ..options() };
        let locks = Locks::new(self.directory.path().join("locks"));
        let job = Job::new(&self.zfs, &options, &["vault".to_owned()], &locks).unwrap();
        let queue = |_: &str, _: &Dataset, stream: &mut (dyn Read + Send)| {
            stream.read_to_end(&mut Vec::new())?;
            Ok(())
        };
        let dataset = Dataset::parse("tank/l").unwrap();
        let reports = match from {
            None => job.send(&dataset, &queue).unwrap(),
            Some(from) => job.resend(&dataset, &from, &queue).unwrap(),
        };
        assert!(reports.len() < 2, "{reports:?}");
        reports.into_iter().next()
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
    let said = fake.run("openzfs-2.3/lz4.c.1-2", Some(Source::Nothing)).unwrap_err();
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
    let said = fake.run("openzfs-2.3/lz4.c.1", Some(Source::Confirmed)).unwrap_err();
    assert!(said.contains("the destination confirmed") && said.contains("-from nothing"), "{said}");
    fake.run("openzfs-2.3/lz4.c.1", Some(Source::Nothing)).unwrap();
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
