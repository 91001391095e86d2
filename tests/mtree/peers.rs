//! Beside NetBSD's mtree and bsdtar: clean trees are clean for all, and a change that one finds is
//! found by us.

use crate::tools::{
    add_bytes, installed, is_root, keeping_time, make, mtree, run_in, set_time, set_xattr, tree,
};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Manifests of `dir/t`, each made by another tool or in another form.
fn manifests(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let netbsd = |arguments: &[&str]| run_in(dir, "mtree", arguments, b"").ok();
    let own = |arguments: &[&str]| mtree(dir, arguments, b"").ok();
    let netbsds = netbsd(&["-c", "-K", "sha256,md5,cksum", "-p", "t"]);
    let libarchives = |format: &str| {
        let options = "mtree:all,mtree:sha256";
        let format = format!("--format={format}");
        let arguments = ["-cf", "-", &format, "--options", options, "-C", "t", "."];
        run_in(dir, "bsdtar", &arguments, b"").ok()
    };
    vec![
        ("netbsd -c", netbsds),
        ("libarchive", libarchives("mtree")),
        ("libarchive classic", libarchives("mtree-classic")),
        ("own", own(&["create", "-add", "xattr", "t"])),
        ("own relative", own(&["create", "-layout", "relative", "-keywords", "all", "t"])),
        ("own libarchive", own(&["create", "-dialect", "libarchive", "t"])),
    ]
}

/// The same, and what NetBSD's mtree converts its own into. It cannot do that with every name.
fn all_manifests(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = manifests(dir);
    let netbsds = all[0].1.clone();
    for (name, form) in [("netbsd -C", "-C"), ("netbsd -D", "-D")] {
        all.push((name, run_in(dir, "mtree", &[form, "-K", "sha256,md5"], &netbsds).ok()));
    }
    all
}

struct Mutation {
    name: &'static str,
    work: fn(&Path),
    /// What a report of ours has to say.
    want: &'static str,
}

const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "content, size and time unchanged",
        work: |t| keeping_time(&t.join("file"), || fs::write(t.join("file"), "jello\n").unwrap()),
        want: "content ./file: ",
    },
    Mutation {
        name: "size",
        work: |t| keeping_time(&t.join("file"), || fs::write(t.join("file"), "hello\n\n").unwrap()),
        want: "content ./file: size 6, found 7",
    },
    Mutation {
        name: "mode",
        work: |t| fs::set_permissions(t.join("file"), fs::Permissions::from_mode(0o600)).unwrap(),
        want: "mode ./file: mode 0644, found 0600",
    },
    Mutation {
        name: "time",
        work: |t| set_time(&t.join("other"), 5, 0),
        want: "time ./other: time ",
    },
    Mutation {
        name: "deleted",
        work: |t| keeping_time(t, || fs::remove_file(t.join("file")).unwrap()),
        want: "missing ./file\n",
    },
    Mutation {
        name: "added",
        work: |t| keeping_time(t, || fs::write(t.join("new"), "").unwrap()),
        want: "extra ./new\n",
    },
    Mutation {
        name: "another type",
        work: |t| {
            keeping_time(t, || {
                fs::remove_file(t.join("file")).unwrap();
                fs::create_dir(t.join("file")).unwrap();
            });
        },
        want: "type ./file: type file, found dir\n",
    },
    Mutation {
        name: "a directory became a link",
        work: |t| {
            keeping_time(&t.join("sub"), || {
                fs::rename(t.join("sub/deep"), t.parent().unwrap().join("deep")).unwrap();
                symlink("../../deep", t.join("sub/deep")).unwrap();
            });
        },
        want: "type ./sub/deep: type dir, found link\nmissing ./sub/deep/leaf\n",
    },
    Mutation {
        name: "link target",
        work: |t| {
            keeping_time(t, || {
                keeping_time(&t.join("link"), || {
                    fs::remove_file(t.join("link")).unwrap();
                    symlink("fils", t.join("link")).unwrap();
                });
            });
        },
        want: "link ./link: link file, found fils\n",
    },
    Mutation {
        name: "hard link broken",
        work: |t| {
            keeping_time(t, || {
                keeping_time(&t.join("two"), || {
                    fs::remove_file(t.join("two")).unwrap();
                    fs::write(t.join("two"), "linked").unwrap();
                });
            });
        },
        want: "hardlink ./two",
    },
];

#[test]
fn clean_trees_are_clean_and_every_mutation_is_found() {
    if !installed(&["mtree", "bsdtar"]) {
        return;
    }
    let (dir, t) = tree();
    for (name, manifest) in all_manifests(dir.path()) {
        let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
        assert_eq!(ran.code, 0, "{name}: {} {}", ran.text(), ran.err);
    }
    for mutation in MUTATIONS {
        let (dir, t) = tree();
        let manifests = all_manifests(dir.path());
        (mutation.work)(&t);
        for (name, manifest) in manifests {
            let what = format!("{}, {name}", mutation.name);
            let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
            assert_eq!(ran.code, 2, "{what}: {} {}", ran.text(), ran.err);
            assert!(ran.text().contains(mutation.want), "{what}: {}", ran.text());
            if name.starts_with("own") && name != "own libarchive" {
                // What we wrote, NetBSD's mtree understands as we do. It has no keyword xattr.
                let plain = mtree(dir.path(), &["convert", "-remove", "xattr"], &manifest).ok();
                let theirs = run_in(dir.path(), "mtree", &["-p", "t"], &plain);
                assert!(!theirs.out.is_empty() && theirs.code != 1, "{what}: {}", theirs.err);
            }
        }
    }
    drop(t);
}

#[test]
fn owners_are_compared() {
    if !is_root() || !installed(&["mtree", "bsdtar"]) {
        return;
    }
    let (dir, t) = tree();
    let manifests = manifests(dir.path());
    let (user, group) = (rustix::fs::Uid::from_raw(12), rustix::fs::Gid::from_raw(13));
    rustix::fs::chown(t.join("file"), Some(user), Some(group)).unwrap();
    for (name, manifest) in manifests {
        if matches!(name, "netbsd -c" | "own") {
            let plain = mtree(dir.path(), &["convert", "-remove", "xattr"], &manifest).ok();
            let theirs = run_in(dir.path(), "mtree", &["-p", "t"], &plain).text();
            assert!(theirs.contains("user (0, 12)"), "{name}: {theirs}");
        }
        let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
        assert_eq!(ran.code, 2, "{name}");
        assert!(ran.text().contains("owner ./file: uid 0, found 12\n"), "{name}: {}", ran.text());
        let ignoring = ["verify", "-ignore", "uid,gid,uname,gname", "-", "t"];
        assert_eq!(mtree(dir.path(), &ignoring, &manifest).code, 0, "{name}");
    }
}

#[test]
fn extended_attributes_changed_added_and_gone() {
    let (dir, t) = tree();
    if !set_xattr(&t.join("file"), "user.a=b", b"value") {
        eprintln!("left out: no extended attributes here");
        return;
    }
    let manifest = mtree(dir.path(), &["create", "-add", "xattr", "t"], b"").ok();
    let verify = || mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert_eq!(verify().code, 0);
    set_xattr(&t.join("file"), "user.a=b", b"other");
    let ran = verify();
    assert_eq!(ran.code, 2);
    assert!(
        ran.text().contains("xattr ./file: xattr xattr.user.a\\075b=dmFsdWU="),
        "{}",
        ran.text()
    );
    set_xattr(&t.join("file"), "user.a=b", b"value");
    set_xattr(&t.join("other"), "user.more", b"");
    assert!(verify().text().contains("xattr ./other: xattr none, found xattr.user.more="));
}

#[test]
fn every_byte_in_names_for_all_tools() {
    if !installed(&["mtree", "bsdtar"]) {
        return;
    }
    let (dir, t) = tree();
    // NetBSD's mtree takes these for patterns, escaped or not.
    add_bytes(&t, (1..=255).filter(|byte| !b"*?[".contains(byte)));
    let own = mtree(dir.path(), &["create", "-output", "m", "t"], b"");
    assert_eq!(own.code, 0, "{}", own.err);
    let theirs = run_in(dir.path(), "mtree", &["-p", "t", "-f", "m"], b"");
    assert_eq!((theirs.code, theirs.text()), (0, String::new()), "{}", theirs.err);
    let listed = run_in(dir.path(), "bsdtar", &["-tf", "m"], b"");
    // Its own names are escaped in a listing; sockets are what it cannot read, and there are none.
    assert_eq!(listed.code, 0, "{}", listed.err);
    for (name, manifest) in manifests(dir.path()) {
        let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
        assert_eq!(ran.code, 0, "{name}: {} {}", ran.text(), ran.err);
    }
    add_bytes(&t, *b"*?[");
    let all = mtree(dir.path(), &["create", "t"], b"").ok();
    assert_eq!(mtree(dir.path(), &["verify", "-", "t"], &all).code, 0);
}

/// Clean for NetBSD's mtree and for us, whichever of both wrote the manifest.
#[track_caller]
fn clean_for_both(dir: &Path) {
    let own = mtree(dir, &["create", "t"], b"").ok();
    let theirs = run_in(dir, "mtree", &["-c", "-K", "sha256", "-p", "t"], b"").ok();
    for (name, manifest) in [("own", own), ("netbsd -c", theirs)] {
        let ran = mtree(dir, &["verify", "-", "t"], &manifest);
        assert_eq!(ran.code, 0, "{name}: {} {}", ran.text(), ran.err);
        let ran = run_in(dir, "mtree", &["-p", "t"], &manifest);
        assert_eq!((ran.code, ran.text()), (0, String::new()), "{name}: {}", ran.err);
    }
}

#[test]
fn sockets_and_odd_modes_are_clean_for_both_and_a_socket_swapped_is_found_by_both() {
    if !installed(&["mtree"]) {
        return;
    }
    let (dir, t) = tree();
    make(&t.join("socket"), rustix::fs::FileType::Socket, 0);
    for mode in [0, 0o1777, 0o2755, 0o4711, 0o7777] {
        let path = t.join(format!("mode{mode:o}"));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    if is_root() {
        make(&t.join("disk"), rustix::fs::FileType::BlockDevice, rustix::fs::makedev(7, 300));
    } else {
        fs::set_permissions(t.join("mode0"), fs::Permissions::from_mode(0o500)).unwrap();
    }
    clean_for_both(dir.path());
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    keeping_time(&t, || {
        fs::remove_file(t.join("socket")).unwrap();
        make(&t.join("socket"), rustix::fs::FileType::Fifo, 0);
    });
    let own = mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert_eq!(
        (own.code, own.text().contains("type ./socket: type socket, found fifo")),
        (2, true)
    );
    let theirs = run_in(dir.path(), "mtree", &["-p", "t"], &manifest);
    assert_eq!((theirs.code, theirs.text().contains("type (socket, fifo)")), (2, true));
}

#[test]
fn times_far_away_and_names_as_long_as_any_are_clean_for_both() {
    if !installed(&["mtree"]) {
        return;
    }
    let (dir, t) = tree();
    for (name, seconds, nanoseconds) in [
        ("old", -2_000_000_000, 1),
        ("last", -1, 999_999_999),
        ("first", 0, 0),
        ("far", 8_000_000_000, 7),
    ] {
        fs::write(t.join(name), name).unwrap();
        set_time(&t.join(name), seconds, nanoseconds);
    }
    fs::write(t.join("n".repeat(255)), "").unwrap();
    symlink("t".repeat(4095), t.join("far link")).unwrap();
    // The whole path just fits into the 4,096 bytes that a system call takes.
    let mut at = t.clone();
    let room = |at: &Path| 4095 - at.as_os_str().len();
    while room(&at) > 300 {
        at.push("d".repeat(250));
    }
    fs::create_dir_all(&at).unwrap();
    let last = at.join("f".repeat(room(&at).min(255) - 1));
    fs::write(&last, "deep").unwrap();
    assert!(last.as_os_str().len() > 4000);
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    let ran = mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert_eq!(ran.code, 0, "{} {}", ran.text(), ran.err);
    // NetBSD's mtree cuts values at 1,018 bytes when it writes.
    fs::remove_file(t.join("far link")).unwrap();
    clean_for_both(dir.path());
    keeping_time(&last, || fs::write(&last, "damp").unwrap());
    let own = mtree(dir.path(), &["verify", "-", "t"], &manifest);
    assert!(own.text().contains("content ./ddd"), "{}", own.text());
}

#[test]
fn the_classical_pipelines_by_way_of_convert() {
    if !installed(&["mtree", "bsdtar"]) {
        return;
    }
    let (dir, _) = tree();
    let dir = dir.path();
    let verified_by_netbsd = |what: &str, manifest: &[u8]| {
        let ran = run_in(dir, "mtree", &["-p", "t"], manifest);
        assert_eq!((ran.code, ran.text().as_str()), (0, ""), "{what}: {}", ran.err);
    };
    // fmtree | mtree, and mtree | fmtree: the form of old FreeBSD, read back by both.
    let netbsds = run_in(dir, "mtree", &["-c", "-K", "sha256,md5,rmd160", "-p", "t"], b"").ok();
    let freebsds = mtree(dir, &["convert", "-quiet", "-dialect", "freebsd"], &netbsds).ok();
    let text = String::from_utf8_lossy(&freebsds).into_owned();
    assert!(text.contains(" md5digest=") && text.contains(" ripemd160digest="), "{text}");
    assert!(!text.contains("\n./") && !text.contains(" device="), "{text}");
    assert_eq!(mtree(dir, &["verify", "-", "t"], &freebsds).code, 0);
    let back = mtree(dir, &["convert", "-dialect", "netbsd"], &freebsds).ok();
    verified_by_netbsd("fmtree | mtree", &back);
    // bsdtar | mtree: inode and resdevice are words that NetBSD's mtree dies of.
    let options = ["-cf", "-", "--format=mtree", "--options", "mtree:all", "-C", "t", "."];
    let libarchives = run_in(dir, "bsdtar", &options, b"").ok();
    assert_eq!(run_in(dir, "mtree", &["-p", "t"], &libarchives).code, 1);
    let converted = mtree(dir, &["convert", "-dialect", "netbsd"], &libarchives);
    assert_eq!(converted.err, "not in this dialect: inode,resdevice\n");
    verified_by_netbsd("bsdtar | mtree", &converted.ok());
}

#[test]
fn only_missing_and_only_extra_are_differences_too() {
    let (dir, t) = tree();
    let code = |manifest: &[u8], arguments: &[&str]| {
        let arguments: Vec<_> = ["verify"].iter().chain(arguments).copied().collect();
        mtree(dir.path(), &arguments, manifest).code
    };
    let keywords = ["create", "-keywords", "sha256", "t"];
    let manifest = mtree(dir.path(), &keywords, b"").ok();
    fs::write(t.join("extra"), "").unwrap();
    assert_eq!(code(&manifest, &["-", "t"]), 2);
    assert_eq!(code(&manifest, &["-e", "-", "t"]), 0);
    assert_eq!(code(&manifest, &["-exclude", "ext*", "-", "t"]), 0);
    fs::rename(t.join("extra"), dir.path().join("away")).unwrap();
    assert_eq!(code(&manifest, &["-strict", "-", "t"]), 0);
    fs::remove_file(t.join("file")).unwrap();
    assert_eq!(code(&manifest, &["-", "t"]), 2);
    assert_eq!(code(b"", &["-", "t"]), 2, "an empty manifest");
    assert_eq!(code(b". type=table\n", &["-", "t"]), 1);
    assert_eq!(code(&manifest, &["-", "nowhere"]), 1);
    assert_eq!(code(&manifest, &["-no-such-flag", "-", "t"]), 1);
}

#[test]
fn levels_say_what_fails() {
    let (dir, t) = tree();
    let manifest = mtree(dir.path(), &["create", "t"], b"").ok();
    let stat = rustix::fs::lstat(t.join("other")).unwrap();
    set_time(&t.join("other"), stat.st_mtime, 0);
    let verify = |level: &str| mtree(dir.path(), &["verify", level, "-", "t"], &manifest);
    assert_eq!((verify("-strict").code, verify("-strict=false").code), (2, 0));
    set_time(&t.join("other"), 7, 0);
    let loose = verify("-loose");
    assert_eq!(loose.code, 0);
    assert!(loose.text().contains("time ./other: time "), "{}", loose.text());
    assert!(loose.text().contains("found 7.000000000 (does not count)\n"), "{}", loose.text());
    assert!(loose.text().ends_with("equal in what matters; 1 time\n"), "{}", loose.text());
}

#[test]
fn reports_in_json_and_in_the_words_of_netbsd() {
    let (dir, t) = tree();
    let manifest = mtree(dir.path(), &["create", "-keywords", "mode,size,md5,link", "t"], b"").ok();
    fs::write(t.join("file"), "hello\n\n").unwrap();
    fs::set_permissions(t.join("other"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(t.join("link")).unwrap();
    symlink("fils", t.join("link")).unwrap();
    fs::remove_file(t.join("sub/deep/leaf")).unwrap();
    fs::write(t.join("sub/a\nmissing: b"), "").unwrap();
    let json = mtree(dir.path(), &["verify", "-json", "-", "t"], &manifest).text();
    let lines: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["path"], "./file");
    assert_eq!((&lines[0]["expected"], &lines[0]["found"]), (&"6".into(), &"7".into()));
    assert_eq!(lines.last().unwrap()["verdict"], "different");
    assert_eq!(lines.last().unwrap()["counts"]["missing"], 1);

    if !installed(&["mtree"]) {
        return;
    }
    fs::remove_file(t.join("sub/a\nmissing: b")).unwrap();
    fs::write(t.join("sub/b"), "").unwrap();
    let own = mtree(dir.path(), &["verify", "-format", "mtree", "-", "t"], &manifest).text();
    let netbsds = run_in(dir.path(), "mtree", &["-p", "t"], &manifest).text();
    // Items belong to the line above; the objects come in the order of the directory there.
    let blocks = |text: &str| {
        let joined = text.replace("\n\t", "|");
        let mut lines: Vec<_> = joined.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.contains("objects compared"));
        lines.sort_unstable();
        lines
    };
    assert_eq!(blocks(&own), blocks(&netbsds));
}

#[test]
fn two_manifests_are_compared_without_a_tree() {
    let (dir, t) = tree();
    let old = mtree(dir.path(), &["create", "-output", "old", "t"], b"");
    assert_eq!(old.code, 0, "{}", old.err);
    keeping_time(&t.join("file"), || fs::write(t.join("file"), "jello\n").unwrap());
    fs::remove_dir_all(t.join("sub/deep")).unwrap();
    fs::write(t.join("new"), "").unwrap();
    mtree(dir.path(), &["create", "-output", "new", "-layout", "relative", "t"], b"").ok();
    let ran = mtree(dir.path(), &["diff", "-ignore", "time", "old", "new"], b"");
    assert_eq!(ran.code, 2, "{}", ran.err);
    let text = ran.text();
    assert!(text.contains("content ./file: sha256digest "), "{text}");
    assert!(text.contains("missing ./sub/deep\nmissing ./sub/deep/leaf\n"), "{text}");
    assert!(text.contains("extra ./new\n"), "{text}");
    assert_eq!(mtree(dir.path(), &["diff", "old", "old"], b"").code, 0);
}
