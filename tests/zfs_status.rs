//! `packmule zfs status` against a `zfs` that answers from a table: what it tells, and how it exits.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

#[allow(dead_code, reason = "not every test uses all of it")]
#[path = "zfs/node.rs"]
mod node;

use node::{Node, packmule};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

const S1: u64 = 2_439_566_082_511_677_731;

/// `pool` holds what `zfs get` tells of everything; what is not there does not exist. Properties can
/// not be set, as without `userprop`.
const SCRIPT: &str = r#"#!/bin/sh
d=${0%/*}
case "$1" in bookmark) echo usage >&2; exit 2 ;; esac
for root; do :; done
if [ "$1" = receive ]; then
    cat > "$d/stream"
    [ -e "$d/full" ] && { echo "cannot receive: out of space" >&2; exit 1; }
    printf '%s\treadonly\ton\tlocal\n%s@s1\tguid\t2439566082511677731\t-\n' "$root" "$root" >> "$d/pool"
    exit 0
fi
found=$(awk -F '\t' -v r="$root" '$1 == r || index($1, r "/") == 1 || index($1, r "@") == 1' "$d/pool")
[ -n "$found" ] || { echo "cannot open '$root': dataset does not exist" >&2; exit 1; }
case "$1" in get) echo "$found" ;; list) echo "$root" ;; *) exit 1 ;; esac
"#;

struct Lab(tempfile::TempDir);

impl Lab {
    fn new(pool: &[String]) -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        fs::write(this.path("script"), SCRIPT).unwrap();
        fs::set_permissions(this.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
        // Copied by a child: what this process writes may still be open in a child of another test,
        // and what is being written can not be run.
        let copied = Command::new("cp").arg(this.path("script")).arg(this.path("zfs")).status();
        assert!(copied.unwrap().success());
        fs::write(this.path("pool"), pool.concat()).unwrap();
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn handler(&self, into: &str) -> String {
        let zfs = self.path("zfs").display().to_string();
        format!(
            "exec: {{ zfsreceive: [\"builtin:zfs-receive\", \"--into\", \"{into}\", \
             \"--zfs\", \"{zfs}\"] }}"
        )
    }

    /// A vault that receives from these senders, into these datasets.
    fn vault(&self, senders: &[(&str, &str)]) -> (Node, Vec<Node>) {
        let vault = Node::new(self.path("vault"));
        let nodes: Vec<_> = senders.iter().map(|(name, _)| Node::new(self.path(name))).collect();
        let neighbours: Vec<_> = senders
            .iter()
            .zip(&nodes)
            .map(|((name, into), node)| node.neighbour(name, &self.handler(into)))
            .collect();
        vault.configure(&neighbours, "");
        nodes.iter().for_each(|node| node.configure(&[vault.neighbour("vault", "")], ""));
        (vault, nodes)
    }

    /// What is told of DATASETs, with the exit status.
    fn of_datasets(&self, words: &[&str]) -> (i32, String, String) {
        let zfs = self.path("zfs").display().to_string();
        told(packmule(&["zfs", "status", "-zfs", &zfs]).args(words).output().unwrap())
    }
}

fn told(output: std::process::Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn status(vault: &Node, words: &[&str]) -> (i32, String, String) {
    told(vault.run(&[&["zfs", "status"], words].concat()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A root as the manual makes it.
fn root(name: &str) -> String {
    format!("{name}\treadonly\ton\tlocal\n{name}\tmountpoint\tnone\tlocal\n")
}

/// A snapshot of this age, by the sender's clock and by ours.
fn snapshot(name: &str, sender: &str, made: u64, applied: u64) -> String {
    format!(
        "{name}\tguid\t{S1}\t-\n{name}\tcreatetxg\t5\t-\n{name}\tcreation\t{made}\t-\n\
         {name}\tpackmule:applied\t{sender},100,{applied}\tlocal\n"
    )
}

fn stream(wanted: &str) -> Vec<u8> {
    let file = fs::File::open("testvectors/zfs/streams.tar.zst").unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = entries.find(|e| e.path().unwrap() == Path::new(wanted)).unwrap();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A stream that waits at the vault, untossed.
fn send(from: &Node, to: &Node, dataset: &str, stream: &[u8], stick: &Path) {
    let mut command = from.command(&["exec", "-quiet", "vault", "zfsreceive", dataset]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stream).unwrap();
    assert!(child.wait().unwrap().success());
    fs::create_dir_all(stick).unwrap();
    from.ok(&["xfer", "-quiet", "-mkdir", stick.to_str().unwrap()]);
    to.ok(&["xfer", "-quiet", stick.to_str().unwrap()]);
}

#[test]
fn a_sender_of_whom_nothing_came_is_told_and_counts_as_old() {
    let fresh = snapshot("tank/b/laptop/home@s", "laptop", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b/laptop"), root("tank/b/server"), fresh]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b/laptop"), ("server", "tank/b/server")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert!(out.contains("tank/b/server: nothing from server was ever applied\n"), "{out}");
    assert!(!out.contains("nothing from laptop"), "{out}");
    assert_eq!(code, 2, "{out}");
    assert_eq!(status(&vault, &[]).0, 0, "without -max-age nothing is too old");
}

#[test]
fn of_several_senders_into_one_dataset_each_counts() {
    let fresh = snapshot("tank/b/home@s", "laptop", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), fresh]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b"), ("server", "tank/b")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!((code, out.matches("was ever applied").count()), (2, 1), "{out}");
    assert!(out.contains("nothing from server"), "{out}");
    // A sender may have got a new name since.
    let (vault, _) = lab.vault(&[("notebook", "tank/b")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn what_only_waits_is_infinitely_old_and_has_its_repair() {
    let fresh = snapshot("tank/b/home@packmule-main-1Z", "laptop", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), fresh]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    assert_eq!(status(&vault, &["-max-age", "1h"]).0, 0);
    // Its base is not what is there.
    let step = stream("openzfs-2.1/inc.s2-s3");
    send(&nodes[0], &vault, "home", &step, &lab.path("stick"));
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!(code, 0, "what waits for a dataset with backups is no news: {out}");
    let command = format!("on laptop: packmule zfs resend -from {S1} NODE labsrc/a\n");
    assert!(out.contains(&format!("packmule-main-1Z, guid {S1}; if a packet was lost")), "{out}");
    assert!(out.ends_with(&command), "{out}");
    send(&nodes[0], &vault, "new", &step, &lab.path("stick"));
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!(code, 2, "{out}");
    let command = "tank/b/new: nothing is there; if a packet was lost, on laptop: \
                   packmule zfs resend -from nothing NODE labsrc/a\n";
    assert!(out.contains(command), "{out}");
}

/// Only `toss` acts on packets.
#[test]
fn an_acknowledgement_and_the_packet_that_it_names_stay() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    let (laptop, stick) = (&nodes[0], lab.path("stick"));
    fs::create_dir(&stick).unwrap();
    let stick = stick.to_str().unwrap();
    vault.ok(&["file", "-quiet", "Cargo.toml", "laptop:"]);
    vault.ok(&["xfer", "-quiet", "-mkdir", "-keep", "-tx", stick]);
    laptop.ok(&["xfer", "-quiet", "-rx", stick]);
    laptop.ok(&["ack", "-quiet", "-all"]);
    laptop.ok(&["xfer", "-quiet", "-mkdir", "-tx", stick]);
    vault.ok(&["xfer", "-quiet", "-rx", stick]);
    let queues = || vault.ok(&["stat", "-json"]);
    let before = queues();
    assert_eq!(status(&vault, &[]).0, 0);
    assert_eq!(queues(), before);
    vault.ok(&["toss", "-quiet"]);
    assert_ne!(queues(), before, "there was something to do");
}

#[test]
fn a_clock_that_is_ahead_hides_no_age() {
    let ahead = snapshot("tank/b/home@s", "laptop", now() + 86400, now() - 7200);
    let lab = Lab::new(&[root("tank"), root("tank/b"), ahead]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert!(out.contains(&format!("tank/b/home@s from laptop, 2h00m old, guid {S1}\n")), "{out}");
    assert!(out.contains("warning: tank/b/home@s was made after it was applied here"), "{out}");
    assert_eq!(code, 2);
}

#[test]
fn datasets_without_backups_and_those_that_are_not_there() {
    let fresh = snapshot("tank/b/home@s", "laptop", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/c"), fresh]);
    let (code, out, _) = lab.of_datasets(&["-max-age", "1h", "tank/b"]);
    assert_eq!(code, 0, "{out}");
    let (code, out, said) = lab.of_datasets(&["-max-age", "1h", "tank/typo", "tank/b"]);
    assert_eq!((code, said.as_str()), (1, "the dataset tank/typo does not exist\n"));
    assert!(out.contains("tank/b/home@s from laptop"), "the other one is told: {out}");
    assert_eq!(lab.of_datasets(&["tank/typo"]).0, 1);
    let (code, out, _) = lab.of_datasets(&["-max-age", "1h", "tank/b", "tank/c"]);
    assert!(out.ends_with("tank/c: nothing was ever applied\n"), "{out}");
    assert_eq!(code, 2);
}

#[test]
fn a_pool_or_a_root_that_is_not_there_is_named() {
    let lab = Lab::new(&[root("tank")]);
    let (vault, nodes) = lab.vault(&[("laptop", "elsewhere/b")]);
    send(&nodes[0], &vault, "home", &stream("openzfs-2.1/inc.s1-s2"), &lab.path("stick"));
    send(&nodes[0], &vault, "home", &stream("openzfs-2.1/full.s1"), &lab.path("stick"));
    let (code, out, said) = status(&vault, &["-max-age", "1h"]);
    assert_eq!((code, said.as_str()), (1, "the pool elsewhere is not imported\n"));
    assert_eq!(out.matches(": the pool elsewhere is not imported\n").count(), 2, "{out}");
    assert_eq!(out.lines().count(), 2, "{out}");
    let (vault, _) = lab.vault(&[("laptop", "tank/typo")]);
    let (code, _, said) = status(&vault, &[]);
    assert_eq!((code, said.as_str()), (1, "the dataset tank/typo does not exist\n"));
}

#[test]
fn snapshots_without_a_record_are_no_emptiness() {
    let lines = ["type\tfilesystem", "guid\t5", "createtxg\t5", "creation\t5"];
    let bare = lines.map(|line| format!("tank/b/home@s\t{line}\t-\n")).concat();
    let lab = Lab::new(&[root("tank"), root("tank/b"), bare]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert!(out.contains("warning: tank/b/home: 1 snapshot(s), and no record"), "{out}");
    assert_eq!(code, 2);
}

#[test]
fn records_that_can_not_be_written_are_told_once_by_the_toss_that_applies() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    for dataset in ["home", "mail"] {
        send(&nodes[0], &vault, dataset, &stream("openzfs-2.1/full.s1"), &lab.path("stick"));
    }
    vault.ok(&["toss", "-quiet"]);
    let log = fs::read_to_string(lab.path("vault/log")).unwrap();
    assert_eq!(log.matches("Who: zfs-warning").count(), 1, "{log}");
    assert!(log.contains("zfs allow USER userprop tank/b"), "{log}");
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!((code, out.matches("and no record of").count()), (2, 2), "{out}");
}

#[test]
fn records_that_can_not_be_written_are_told_for_files_too() {
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/b/laptop")]);
    fs::create_dir_all(lab.path("in/laptop")).unwrap();
    let file = lab.path("in/laptop/bakfsfmt2-1_laptop@home");
    fs::write(&file, stream("openzfs-2.1/full.s1")).unwrap();
    let (incoming, zfs) = (lab.path("in"), lab.path("zfs"));
    let words = ["--", "--into", "tank/b/{host}", "--zfs"];
    let mut command = packmule(&["zfs", "receive-dir"]);
    let (code, _, said) = told(command.arg(incoming).args(words).arg(zfs).output().unwrap());
    assert_eq!((code, file.exists()), (0, false), "{said}");
    assert_eq!(said.matches("zfs allow USER userprop tank/b/laptop").count(), 1, "{said}");
}

#[test]
fn a_node_that_receives_nothing_says_so() {
    let lab = Lab::new(&[]);
    let (_, nodes) = lab.vault(&[("laptop", "tank/b")]);
    let (code, out, said) = status(&nodes[0], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(said.contains("the configuration has no builtin:zfs-receive"), "{said}");
}

#[test]
fn every_line_of_json_has_its_kind_and_guids_are_text() {
    let ahead = snapshot("tank/b/home@s", "laptop", now() + 86400, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/c"), ahead]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b"), ("server", "tank/c")]);
    send(&nodes[0], &vault, "home", &stream("openzfs-2.1/inc.s2-s3"), &lab.path("stick"));
    let (_, out, _) = status(&vault, &["-json"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |kind: &str| lines.iter().find(|line| line["kind"] == kind).unwrap();
    assert_eq!(lines.len(), 4, "{out}");
    assert_eq!(line("newest")["guid"], S1.to_string());
    assert_eq!(line("newest")["dataset"], "tank/b/home");
    assert_eq!(
        (&line("empty")["dataset"], &line("empty")["sender"]),
        (&"tank/c".into(), &"server".into())
    );
    assert!(line("warning")["text"].as_str().unwrap().contains("laptop"));
    let waiting = line("waiting");
    let base = waiting["base"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(waiting["state"].as_str().unwrap().contains(&base.to_string()), "{waiting}");
    assert_eq!(waiting["newest"], S1.to_string());
    assert!(now() - waiting["since"].as_u64().unwrap() < 600, "{waiting}");
    let command = format!("packmule zfs resend -from {S1} NODE labsrc/a");
    assert_eq!(waiting["repair"], command.as_str());
}

#[test]
fn a_handler_that_can_not_run_is_told_before_a_packet_comes() {
    let lab = Lab::new(&[root("tank")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    let right = lab.handler("tank/b");
    let wrong = right.replace("--into", "--in-to");
    let want = "neigh.laptop.exec.zfsreceive: builtin:zfs-receive: unknown option \"--in-to\" (did you mean --into?)\n";
    let (_, out, _) = told(vault.run(&["doctor"]));
    assert!(!out.contains("builtin:zfs-receive"), "{out}");
    vault.configure(&[nodes[0].neighbour("laptop", &wrong)], "");
    let (code, out, _) = told(vault.run(&["doctor"]));
    assert!(code == 1 && out.contains(&format!("fault: {want}")), "{out}");
    let (code, _, said) = told(vault.run(&["toss"]));
    assert_eq!((code, said), (0, format!("warning: {want}")));
}

#[test]
fn each_dataset_counts_for_the_deepest_root() {
    let fresh = snapshot("tank/b/server/srv@s", "server", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/b/server"), fresh]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b"), ("server", "tank/b/server")]);
    let (code, out, _) = status(&vault, &["-max-age", "1h"]);
    assert_eq!(out.matches("tank/b/server/srv@s from server").count(), 1, "{out}");
    assert!(out.contains("tank/b: nothing from laptop was ever applied\n"), "{out}");
    assert_eq!(code, 2);
}

#[test]
fn what_is_excluded_is_not_told() {
    let day = 86400;
    let old = snapshot("tank/b/retired/x@s", "laptop", now() - 9 * day, now() - 9 * day);
    let fresh = snapshot("tank/b/home@s", "laptop", now() - 60, now() - 30);
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/b/retired"), old, fresh]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b")]);
    assert_eq!(status(&vault, &["-max-age", "1h"]).0, 2);
    let excluded = ["-max-age", "1h", "-exclude", "tank/b/other,tank/b/retired"];
    let (code, out, _) = status(&vault, &excluded);
    assert_eq!((code, out.contains("retired")), (0, false), "{out}");
    assert_eq!(lab.of_datasets(&[&excluded[..], &["tank/b"]].concat()).0, 0);
    assert_eq!(status(&vault, &["-exclude", "no@such/dataset"]).0, 1);
}

#[test]
fn a_full_stream_over_another_history_has_a_way_on() {
    let other = |made| snapshot("tank/b/home@packmule-main-1Z", "laptop", made, now() - 30);
    let other = |made| other(made).replace(&S1.to_string(), "77");
    let step = stream("openzfs-2.1/inc.s1-s2");
    for (made, state, way) in [
        (
            5,
            "another history",
            "packmule-main-1Z, guid 77; if laptop still has that, there: packmule zfs resend -from 77 NODE labsrc/a\n",
        ),
        (now(), "a full stream that is not newer than @packmule-main-1Z of the backup", ""),
    ] {
        let lab = Lab::new(&[root("tank"), root("tank/b"), other(made)]);
        let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
        send(&nodes[0], &vault, "home", &stream("openzfs-2.1/full.s1"), &lab.path("stick"));
        let (_, out, _) = status(&vault, &[]);
        assert!(out.contains(state) && out.contains(way), "{out}");
        assert_eq!(out.matches("resend").count(), usize::from(!way.is_empty()), "{out}");
        // The step after it has the same way, or is not needed either.
        send(&nodes[0], &vault, "home", &step, &lab.path("stick"));
        let (_, out, _) = status(&vault, &[]);
        assert!(!out.contains("if a packet was lost"), "{out}");
        assert_eq!(out.matches("resend").count(), usize::from(!way.is_empty()), "{out}");
    }
}

#[test]
fn of_renamed_datasets_the_topmost_is_to_be_renamed() {
    let below = snapshot("tank/b/old/anna/mail@s1", "laptop", 5, now() - 30);
    let lab = Lab::new(&[
        root("tank"),
        root("tank/b"),
        root("tank/b/old"),
        root("tank/b/old/anna"),
        below,
    ]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    let step = stream("openzfs-2.1/inc.s1-s2");
    send(&nodes[0], &vault, "new/anna/mail", &step, &lab.path("stick"));
    let (_, out, _) = status(&vault, &[]);
    assert!(out.contains("zfs rename tank/b/old tank/b/new\n"), "{out}");
}

#[test]
fn what_the_next_toss_applies_is_told_so() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    send(&nodes[0], &vault, "home", &stream("openzfs-2.1/full.s1"), &lab.path("stick"));
    let (_, out, _) = status(&vault, &[]);
    assert!(
        out.contains(": ready, the next toss applies it; if it stays, the log says why\n"),
        "{out}"
    );
}

#[test]
fn directories_that_are_no_hosts_are_passed_over_and_one_that_is_away_may_come_back() {
    let lab = Lab::new(&[root("tank"), root("tank/b"), root("tank/b/laptop")]);
    fs::create_dir_all(lab.path("in/lost+found")).unwrap();
    let zfs = lab.path("zfs").display().to_string();
    let command = |options: &[&str], directory: &str| {
        let mut command = packmule(&["zfs", "receive-dir"]);
        command.args(options).arg(lab.path(directory));
        command.args(["--", "--into", "tank/b/{host}", "--zfs", &zfs]);
        command
    };
    let (code, _, said) = told(command(&[], "in").output().unwrap());
    assert_eq!((code, said.as_str()), (0, ""));
    fs::write(lab.path("in/lost+found/bakfsfmt2-1_laptop@home"), "").unwrap();
    assert_eq!(told(command(&[], "in").output().unwrap()).0, 1, "that is a stream of nobody's");

    let mut watcher = command(&["-watch", "1"], "away").stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(watcher.try_wait().unwrap().is_none(), "it ended");
    fs::create_dir_all(lab.path("later/laptop")).unwrap();
    fs::write(lab.path("later/laptop/bakfsfmt2-1_laptop@home"), stream("openzfs-2.1/full.s1"))
        .unwrap();
    fs::rename(lab.path("later"), lab.path("away")).unwrap();
    let file = lab.path("away/laptop/bakfsfmt2-1_laptop@home");
    for _ in 0..1200 {
        if !file.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    assert!(!file.exists(), "it was not received");
}

#[test]
fn an_answer_of_hundreds_of_mebibytes_loses_no_dataset() {
    let lab = Lab::new(&[]);
    let made = now() - 60;
    // The last dataset is the one that a cut answer would not have.
    let script = format!(
        r#"#!/bin/sh
case "$1" in bookmark) echo usage >&2; exit 2 ;; esac
case "$*" in
*snapshot,bookmark*) LC_ALL=C awk 'BEGIN {{ for (i = 0; i < 300000; i++) {{
    n = sprintf("tank/b/bulk%d@packmule-main-%0200d", i / 100000, i)
    printf "%s\tguid\t%d\t-\n%s\tcreatetxg\t%d\t-\n%s\tcreation\t5\t-\n", n, i + 9, n, i + 1, n
    printf "%s\tpackmule:applied\tlaptop,1,{made}\tlocal\n", n
}} }}'
printf 'tank/b/zlast@s\tguid\t7\t-\ntank/b/zlast@s\tcreatetxg\t5\t-\ntank/b/zlast@s\tcreation\t{made}\t-\n'
printf 'tank/b/zlast@s\tpackmule:applied\tlaptop,1,{made}\tlocal\n' ;;
*) printf 'tank/b\treadonly\ton\tlocal\ntank/b/zlast\treadonly\ton\tlocal\n' ;;
esac
"#
    );
    let zfs = lab.path("large");
    fs::write(&zfs, script).unwrap();
    let told = |limit: &str| {
        let script = format!("#!/bin/sh\nsh {} \"$@\"{limit}\n", zfs.display());
        fs::write(lab.path("script"), script).unwrap();
        let copied = Command::new("cp").arg(lab.path("script")).arg(lab.path("zfs")).status();
        assert!(copied.unwrap().success());
        lab.of_datasets(&["tank/b"])
    };
    let (code, out, said) = told("");
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("tank/b/zlast@s from laptop"), "{out}");
    // Cut within a line, killed, or failed on the way: nothing is told of what came before.
    for (limit, why) in [
        (" | head -c 1000", "ends within a line"),
        ("; kill -9 $$", "killed by a signal"),
        ("; exit 1", "exit status 1"),
    ] {
        let (code, out, said) = told(limit);
        assert_eq!((code, out.as_str()), (1, ""), "{limit}");
        assert!(said.contains(why), "{limit}: {said}");
    }
}

/// The options that the sender's handler has beside those of [`Lab::handler`].
fn vault_with(lab: &Lab, more: &str) -> (Node, Node) {
    let (vault, laptop) = (Node::new(lab.path("vault")), Node::new(lab.path("laptop")));
    let handler = lab.handler("tank/b").replace("\"--zfs\"", &format!("{more} \"--zfs\""));
    vault.configure(&[laptop.neighbour("laptop", &handler)], "");
    laptop.configure(&[vault.neighbour("vault", "")], "");
    (vault, laptop)
}

#[test]
fn a_stream_that_is_refused_by_its_header_is_named_and_never_all_is_well() {
    let full = stream("openzfs-2.1/full.s1");
    let pattern = "\"--snapshots\", \"daily-.*\",";
    let begin = |change: fn(&mut Vec<u8>)| {
        let mut bytes = full.clone();
        change(&mut bytes);
        bytes
    };
    let rows = [
        ("", "vol", stream("openzfs-2.1/vol.s1"), "tank/b/vol"),
        ("", "data", stream("openzfs-2.1/I.s1-s4"), "tank/b/data"),
        ("", "secret", stream("openzfs-2.1/raw.1"), "tank/b/secret"),
        ("", "clone", begin(|bytes| (bytes[36], bytes[48]) = (bytes[36] | 1, 7)), "tank/b/clone"),
        (pattern, "home", full.clone(), "tank/b/home"),
        ("", "a/../b", full.clone(), "a/../b"),
        ("", "cut", full[..100].to_vec(), "tank/b/cut"),
        ("", "junk", b"no stream at all".repeat(99), "tank/b/junk"),
        ("\"--decrypt\", \"false\",", "coded", full.clone(), "tank/b/coded"),
    ];
    for (more, asked, bytes, want) in rows {
        let fresh = snapshot("tank/b/other@s", "laptop", now() - 60, now() - 30);
        let lab = Lab::new(&[root("tank"), root("tank/b"), fresh]);
        let (vault, laptop) = vault_with(&lab, more);
        assert_eq!(status(&vault, &["-max-age", "1h"]).0, 0);
        send(&laptop, &vault, asked, &bytes, &lab.path("stick"));
        for words in [&["-max-age", "1h"][..], &[]] {
            let (code, out, said) = status(&vault, words);
            assert_eq!(code, 2, "{asked} {words:?}: {out}{said}");
            assert!(out.contains(&format!("{want}: packet ")), "{asked}: {out}");
        }
        let (_, out, _) = status(&vault, &["-json"]);
        assert!(out.contains("\"stuck\":true"), "{out}");
    }
}

#[test]
fn a_packet_that_can_not_be_read_is_not_all_is_well() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, laptop) = vault_with(&lab, "");
    send(&laptop, &vault, "home", &stream("openzfs-2.1/full.s1"), &lab.path("stick"));
    assert_eq!(status(&vault, &[]).0, 0);
    // A byte of its first block is another.
    let queue = fs::read_dir(vault.received_from(&laptop)).unwrap();
    let packet = queue.map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let mut bytes = fs::read(&packet).unwrap();
    bytes[400] ^= 1;
    fs::write(&packet, bytes).unwrap();
    let (code, out, _) = status(&vault, &[]);
    let name = packet.file_name().unwrap().to_str().unwrap();
    assert_eq!(code, 2, "{out}");
    assert!(out.contains(&format!("?: packet {name}")), "{out}");
}

#[test]
fn a_clock_that_is_behind_tells_no_age() {
    // In a machine without a battery it is the year 2000 after a power cut.
    let day = 86400;
    let fresh = snapshot("tank/b/home@s", "laptop", now() - 60, now() + 9000 * day);
    let lab = Lab::new(&[root("tank"), root("tank/b"), fresh]);
    let (vault, _) = lab.vault(&[("laptop", "tank/b")]);
    for words in [&["-max-age", "1h"][..], &[]] {
        let (code, out, _) = status(&vault, words);
        assert_eq!(code, 1, "{out}");
        assert!(out.contains("tank/b/home@s from laptop, of unknown age"), "{out}");
        assert!(out.contains("applied in the future, by the clock of this machine"), "{out}");
    }
    let (_, out, _) = status(&vault, &["-json"]);
    assert!(out.contains("\"age\":null"), "{out}");
}

#[test]
fn a_base_that_lies_in_the_spool_is_not_lost() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    for name in ["openzfs-2.1/full.s1", "openzfs-2.1/inc.s1-s2", "openzfs-2.1/inc.s2-s3"] {
        send(&nodes[0], &vault, "home", &stream(name), &lab.path("stick"));
    }
    let (code, out, _) = status(&vault, &[]);
    assert_eq!((code, out.matches("resend").count()), (0, 0), "{out}");
    assert_eq!(out.matches("which packet").count(), 2, "{out}");
    assert_eq!(out.matches("is applied after that").count(), 1, "{out}");
    // Nor when it is refused.
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, laptop) = vault_with(&lab, "\"--snapshots\", \"s2\",");
    for name in ["openzfs-2.1/full.s1", "openzfs-2.1/inc.s1-s2"] {
        send(&laptop, &vault, "home", &stream(name), &lab.path("stick"));
    }
    let (code, out, _) = status(&vault, &[]);
    assert_eq!((code, out.matches("resend").count()), (2, 0), "{out}");
    assert!(out.contains("makes: see there"), "{out}");
}

#[test]
fn what_failed_at_the_last_toss_is_not_called_ready() {
    let lab = Lab::new(&[root("tank"), root("tank/b")]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    fs::write(lab.path("full"), "").unwrap();
    for name in ["openzfs-2.1/full.s1", "openzfs-2.1/inc.s1-s2"] {
        send(&nodes[0], &vault, "home", &stream(name), &lab.path("stick"));
    }
    assert!(status(&vault, &[]).1.contains(": ready, the next toss applies it"));
    assert!(!vault.run(&["toss", "-quiet"]).status.success());
    let (code, out, _) = status(&vault, &[]);
    let want = "the last toss could not apply it, the next one tries again: zfs says: cannot receive: out of space";
    assert!(code == 2 && out.contains(want), "{code} {out}");
    // What waits for it was not lost.
    assert_eq!((out.matches("resend").count(), out.contains(": ready")), (0, false), "{out}");
    fs::remove_file(lab.path("full")).unwrap();
    vault.run(&["toss", "-quiet"]);
    assert!(!status(&vault, &[]).1.contains("out of space"), "it went well");
}

#[test]
fn a_rename_is_advised_as_it_can_be_run() {
    let there = snapshot("tank/b/old@s1", "laptop", 5, now() - 30);
    let step = stream("openzfs-2.1/inc.s1-s2");
    let other = snapshot("tank/b/new@x", "laptop", 5, now() - 30).replace(&S1.to_string(), "77");
    for (more, asked, want) in [
        (String::new(), "new", "too: zfs rename tank/b/old tank/b/new\n"),
        (String::new(), "deep/new", "too: zfs rename -p tank/b/old tank/b/deep/new\n"),
        (
            root("tank/b/new"),
            "new",
            "too: zfs destroy tank/b/new; zfs rename tank/b/old tank/b/new\n",
        ),
        (other, "new", "too: zfs rename tank/b/new PLACE, where PLACE is outside of tank/b"),
        (
            String::new(),
            "old/new",
            "too: zfs rename tank/b/old PLACE, where PLACE is outside of tank/b",
        ),
    ] {
        let lab =
            Lab::new(&[root("tank"), root("tank/b"), root("tank/b/old"), there.clone(), more]);
        let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
        send(&nodes[0], &vault, asked, &step, &lab.path("stick"));
        let (code, out, _) = status(&vault, &[]);
        assert!(code == 2 && out.contains(want), "{asked}: {out}");
    }
}

#[test]
fn every_snapshot_that_a_restored_sender_may_have_is_a_base() {
    let one = |guid: u64| {
        let name = format!("tank/b/home@s{guid:03}");
        let lines = snapshot(&name, "laptop", now() - 60, now() - 30);
        lines
            .replace(&S1.to_string(), &guid.to_string())
            .replace("createtxg\t5", &format!("createtxg\t{guid}"))
    };
    let all: String = (1..=40).map(one).collect();
    let lab = Lab::new(&[root("tank"), root("tank/b"), all]);
    let (vault, nodes) = lab.vault(&[("laptop", "tank/b")]);
    send(&nodes[0], &vault, "home", &stream("openzfs-2.1/inc.s2-s3"), &lab.path("stick"));
    let (_, out, _) = status(&vault, &[]);
    assert!(out.contains("resend -from 40,39,38,37,36,32,24,8,1 NODE"), "{out}");
}
