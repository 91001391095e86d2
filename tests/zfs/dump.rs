//! Every stream that was made, as our walker sees it and as `zstream dump` does.

use packmule::internal::zfs::stream::{Inspection, Substream, inspect};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const KEPT: &str = "/tmp/streams";
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Keeps a stream for [`agree`].
pub(crate) fn keep(stream: &[u8]) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    fs::create_dir_all(KEPT).unwrap();
    fs::write(format!("{KEPT}/{number}"), stream).unwrap();
}

/// Compares both views of every stream that was kept. What a filter made of one is no stream.
pub(crate) fn agree() {
    let mut compared = 0;
    for entry in fs::read_dir(KEPT).unwrap() {
        let path = entry.unwrap().path();
        let stream = fs::read(&path).unwrap();
        if stream.get(8..12) != Some(&[0xAC, 0xCB, 0xBA, 0xF5]) {
            continue;
        }
        let ours = inspect(&stream[..]).unwrap();
        let dump = Command::new("zstream")
            .arg("dump")
            .stdin(Stdio::from(fs::File::open(&path).unwrap()))
            .output()
            .unwrap();
        let theirs = String::from_utf8_lossy(&dump.stdout).into_owned();
        assert!(dump.status.success() && !theirs.contains("Incorrect checksum"), "{theirs}");
        compare(&ours, &theirs);
        compared += 1;
    }
    println!("{compared} streams compared with zstream dump");
    assert!(compared > 2);
}

fn compare(ours: &Inspection, theirs: &str) {
    let begins: Vec<_> = theirs.split("BEGIN record\n").skip(1).collect();
    let all: Vec<_> = ours.package_header.iter().chain(&ours.substreams).collect();
    assert_eq!(begins.len(), all.len(), "{theirs}");
    for (begin, substream) in begins.iter().zip(all) {
        compare_begin(substream, begin);
    }
    let total = |name: &str| {
        let line = theirs.lines().find_map(|line| line.trim().strip_prefix(name));
        let number = line.unwrap_or_else(|| panic!("no {name:?}: {theirs}")).split('(').next();
        number.unwrap().trim().parse::<u64>().unwrap()
    };
    assert_eq!(total("Total records ="), ours.records.values().sum::<u64>(), "{theirs}");
    assert_eq!(total("Total payload size ="), ours.payload_bytes, "{theirs}");
    assert_eq!(total("Total stream length ="), ours.bytes, "{theirs}");
    for name in
        ["BEGIN", "END", "OBJECT", "FREEOBJECTS", "WRITE", "WRITE_EMBEDDED", "FREE", "SPILL"]
    {
        let count = ours.records.get(name).copied().unwrap_or_default();
        assert_eq!(total(&format!("Total DRR_{name} records =")), count, "{name}: {theirs}");
    }
}

fn compare_begin(ours: &Substream, theirs: &str) {
    let field = |name: &str| {
        let line = theirs.lines().find_map(|line| line.trim().strip_prefix(name));
        line.and_then(|rest| rest.strip_prefix(" = ")).unwrap_or_else(|| panic!("{name}: {theirs}"))
    };
    let hex = |name: &str| u64::from_str_radix(field(name).trim_start_matches("0x"), 16).unwrap();
    assert_eq!(hex("hdrtype") | hex("features") << 2, ours.versioninfo, "{theirs}");
    assert_eq!(hex("creation_time"), ours.creation_time, "{theirs}");
    assert_eq!(hex("toguid"), ours.toguid, "{theirs}");
    assert_eq!(hex("fromguid"), ours.fromguid, "{theirs}");
    assert_eq!(field("toname"), ours.toname, "{theirs}");
    assert_eq!(field("payloadlen").parse(), Ok(ours.payloadlen), "{theirs}");
}
