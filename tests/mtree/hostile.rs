//! Manifests and trees made to hurt: nothing outside is opened, nothing blocks, memory is bounded.

use crate::tools::{installed, make, mtree, run_in, tree};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn a_pipe_where_a_file_is_expected_does_not_block() {
    let (dir, t) = tree();
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    fs::remove_file(t.join("file")).unwrap();
    make(&t.join("file"), rustix::fs::FileType::Fifo, 0);
    let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert_eq!(ran.code, 2);
    assert!(ran.text().contains("type ./file: type file, found fifo\n"));
    // Old FreeBSD's and NetBSD's mtree open these and wait for ever.
    let digest = "0".repeat(64);
    let manifest =
        format!(". type=dir\n./file sha256={digest}\n./fifo type=fifo sha256={digest}\n");
    let ran = mtree(dir.path(), &["verify", "-e", "-", "t"], manifest.as_bytes());
    assert_eq!(ran.code, 2);
    assert!(ran.text().contains("type ./file: type file, found fifo\n"), "{}", ran.text());
}

#[test]
fn links_out_of_the_tree_are_never_followed() {
    let (dir, t) = tree();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("leaf"), "leaf").unwrap();
    fs::remove_dir_all(t.join("sub/deep")).unwrap();
    symlink(&outside, t.join("sub/deep")).unwrap();
    // Without a type, NetBSD's mtree follows the link and finds all well.
    let manifest = b". type=dir\n./sub type=dir\n./sub/deep\n./sub/deep/leaf size=4\n";
    let ran = mtree(dir.path(), &["verify", "-e", "-", "t"], manifest);
    assert_eq!(ran.code, 2);
    assert!(ran.text().contains("missing ./sub/deep/leaf\n"), "{}", ran.text());
}

/// Whoever can write into the tree swaps a directory for a link out of it, again and again, while it
/// is verified. Were the link ever followed, what is outside would be found as the manifest says.
#[test]
fn a_link_swapped_in_while_verifying_is_never_followed() {
    let (dir, t) = tree();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("leaf"), "outside").unwrap();
    symlink(&outside, t.join("sub/link")).unwrap();
    let manifest = mtree(&outside, &["create", "-keywords", "sha256", "."], b"").ok();
    let manifest = String::from_utf8(manifest).unwrap();
    let leaf = manifest.lines().find(|line| line.starts_with("./leaf ")).unwrap();
    let text = format!(
        "#mtree\n. type=dir\n./sub type=dir\n./sub/deep type=dir\n./sub/deep{}\n",
        &leaf[1..]
    );
    let manifest =
        packmule::internal::mtree::read(text.as_bytes(), &Default::default()).unwrap().manifest;
    let mut options = packmule::internal::mtree::VerifyOptions::default();
    options.rules.ignore_extra = true;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let swap = || {
        let (one, other) = (t.join("sub/deep"), t.join("sub/link"));
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(rustix::fs::CWD, &one, rustix::fs::CWD, &other, flags).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                swap();
            }
        });
        for _ in 0..500 {
            let meter = packmule::Progress::default();
            let meter = meter.start(packmule::Work::Check, "", None);
            let found = packmule::internal::mtree::verify(&manifest, &t, &options, &meter).unwrap();
            let verdict = found.verdict(packmule::internal::mtree::Level::Normal);
            if verdict == packmule::internal::mtree::Verdict::Equal {
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
                panic!("what is outside was read");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn entries_that_contradict_each_other_are_an_error_unless_they_may_be_merged() {
    let (dir, _) = tree();
    let manifest = b". type=dir\n./file type=file\n./file type=dir\n";
    let ran = mtree(dir.path(), &["verify", "-e", "-", "t"], manifest);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("line 3: ./file has two entries: first type file, then type dir"),
        "{}",
        ran.err
    );
    let merged = mtree(dir.path(), &["verify", "-e", "-merge", "-", "t"], manifest);
    assert!(merged.text().contains("type ./file: type dir, found file"), "{}", merged.text());
    let below = b". type=dir\n./file type=file\n./file/x type=file\n";
    let ran = mtree(dir.path(), &["verify", "-e", "-", "t"], below);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("line 3: "), "{}", ran.err);
}

#[test]
fn without_a_type_a_digest_still_wants_a_file() {
    let (dir, t) = tree();
    let keywords = ["create", "-keywords", "sha256,link,size", "t"];
    let manifest = String::from_utf8(mtree(dir.path(), &keywords, b"").ok()).unwrap();
    let lines = manifest.lines().filter(|line| !line.starts_with("#:end"));
    let untyped: String =
        lines.map(|line| line.replace(" type=file", "").replace(" type=link", "") + "\n").collect();
    let verify = || mtree(dir.path(), &["verify", "-", "t"], untyped.as_bytes());
    assert_eq!(verify().code, 0, "{}", verify().text());
    fs::rename(t.join("file"), dir.path().join("file")).unwrap();
    symlink("../file", t.join("file")).unwrap();
    fs::remove_file(t.join("sub/odd")).unwrap();
    fs::write(t.join("sub/odd"), "").unwrap();
    let ran = verify();
    assert_eq!(ran.code, 2);
    assert!(ran.text().contains("type ./file: type file, found link\n"), "{}", ran.text());
    assert!(ran.text().contains("type ./sub/odd: type link, found file\n"), "{}", ran.text());
}

#[test]
fn names_that_leave_the_tree_are_errors_with_their_line() {
    let (dir, _) = tree();
    for name in ["../x", "./a/../../x", "/etc/passwd", "\\056\\056", "a\\057b", "a\\000"] {
        let manifest = format!(". type=dir\n{name} type=file\n");
        let ran = mtree(dir.path(), &["verify", "-", "t"], manifest.as_bytes());
        assert_eq!(ran.code, 1, "{name}");
        assert!(ran.err.contains("line 2"), "{name}: {}", ran.err);
    }
}

#[test]
fn enormous_and_endless_lines_end_in_an_error() {
    let (dir, _) = tree();
    for manifest in [vec![b'a'; 50_000_000], b"a\\\n".repeat(2_000_000)] {
        let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("longer than"), "{}", ran.err);
    }
    let sets = b"/set uid=0 gid=0 uname=root gname=wheel mode=0644\n".repeat(1_000_000);
    // They alone name nothing, which proves nothing.
    assert_eq!(mtree(dir.path(), &["verify", "-e", "-", "t"], &sets).code, 1);
    let sets = [&sets[..], b"/unset all\n. type=dir\n"].concat();
    assert_eq!(mtree(dir.path(), &["verify", "-e", "-", "t"], &sets).code, 0);
}

#[test]
fn names_cannot_forge_lines_of_a_report_or_a_manifest() {
    let (dir, t) = tree();
    fs::create_dir(t.join("d\nfile9 type=file optional")).unwrap();
    fs::write(t.join("x\n\x1b[2Jmissing: y"), "").unwrap();
    for layout in ["full", "relative"] {
        let manifest = mtree(dir.path(), &["create", "-layout", layout, "t"], b"").ok();
        assert!(!String::from_utf8_lossy(&manifest).contains("\nfile9"));
    }
    for format in ["text", "mtree", "json"] {
        let ran = mtree(dir.path(), &["verify", "-format", format, "-", "t"], b". type=dir\n");
        assert!(!ran.text().contains('\x1b') && !ran.text().contains("\nmissing: y"));
    }
}

#[test]
fn deep_trees_beyond_the_longest_path() {
    let dir = tempfile::tempdir().unwrap();
    let t = dir.path().join("t");
    fs::create_dir(&t).unwrap();
    let mut at =
        rustix::fs::open(&t, rustix::fs::OFlags::DIRECTORY, rustix::fs::Mode::empty()).unwrap();
    for depth in 0..3000 {
        rustix::fs::mkdirat(&at, "dir", rustix::fs::Mode::RWXU).unwrap();
        if depth == 2999 {
            break;
        }
        at = rustix::fs::openat(
            &at,
            "dir",
            rustix::fs::OFlags::DIRECTORY,
            rustix::fs::Mode::empty(),
        )
        .unwrap();
    }
    let manifest = mtree(dir.path(), &["create", "-layout", "relative", "t"], b"").ok();
    let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.text().contains("3001 objects compared"), "{}", ran.text());
    let full = mtree(dir.path(), &["convert"], &manifest).ok();
    assert_eq!(mtree(dir.path(), &["verify", "-", "t"], &full).code, 0);
    // What tempfile cannot remove, because it goes by whole paths.
    run_in(dir.path(), "rm", &["-rf", "t"], b"");
}

#[test]
fn without_digests_no_file_is_opened() {
    if !installed(&["strace"]) {
        return;
    }
    let (dir, _) = tree();
    let packmule = env!("CARGO_BIN_EXE_packmule");
    let trace = |command: &[&str]| {
        let start =
            ["-f", "-qq", "-o", "trace", "-e", "trace=openat,open,openat2", packmule, "mtree"];
        let arguments: Vec<_> = start.iter().chain(command).copied().collect();
        let ran = run_in(dir.path(), "strace", &arguments, b"");
        assert_eq!(ran.code, 0, "{}", ran.err);
        fs::read_to_string(dir.path().join("trace")).unwrap()
    };
    let opens = |trace: &str| trace.lines().filter(|line| line.contains("\"leaf\"")).count();
    let keywords = "uid,gid,mode,nlink,size,time,link,xattr";
    assert_eq!(opens(&trace(&["create", "-keywords", keywords, "-output", "m", "t"])), 0);
    assert_eq!(opens(&trace(&["verify", "m", "t"])), 0);
    assert_eq!(
        opens(&trace(&["create", "-keywords", "sha256,md5,sha1", "t"])),
        1,
        "one read for all"
    );
}
