//! Beside NetBSD's mtree and bsdtar: clean trees are clean for all, and a change that one finds is
//! found by us.

use crate::tools::{
    add_bytes, installed, is_root, keeping_time, mtree, run_in, set_time, set_xattr, tree,
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
