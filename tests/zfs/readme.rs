//! README's "Airgapped ZFS backup", run as it stands there: its commands, its two lines of
//! configuration, its names of pools and places replaced by those of the lab.

use super::airgap::same_tree;
use super::lab::Lab;
use super::node::{Node, packmule};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The three machines, and where the lab has what README names.
struct Setup<'a> {
    lab: &'a Lab,
    /// Code of the section, block by block.
    blocks: Vec<String>,
    /// Links under the reference's names, and `packmule`.
    programs: PathBuf,
    laptop: Node,
    spooler: Node,
    vault: Node,
}

impl<'a> Setup<'a> {
    fn new(lab: &'a Lab) -> Self {
        let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
        let section = readme.split("\n## ").find(|text| text.starts_with("Airgapped ZFS backup"));
        let media = lab.path().join("media").display().to_string();
        let section = section.unwrap().replace("tank/backups", "labdst/backups");
        let section = section.replace("tank/home", "labsrc/home").replace("/media", &media);
        let blocks = section.split("```\n").skip(1).step_by(2).map(str::to_owned).collect();
        let programs = lab.path().join("bin");
        fs::create_dir(&programs).unwrap();
        assert!(packmule(&["links"]).arg(&programs).status().unwrap().success());
        let binary = env!("CARGO_BIN_EXE_packmule");
        std::os::unix::fs::symlink(binary, programs.join("packmule")).unwrap();
        for stick in ["a", "b"] {
            fs::create_dir_all(lab.path().join("media").join(stick)).unwrap();
        }
        let node = |name: &str| Node::new(lab.path().join("readme").join(name));
        let (laptop, spooler, vault) = (node("laptop"), node("spooler"), node("vault"));
        let this = Self { lab, blocks, programs, laptop, spooler, vault };
        this.configure();
        this
    }

    /// The block that holds this text.
    fn block(&self, text: &str) -> &str {
        self.blocks.iter().find(|block| block.contains(text)).unwrap()
    }

    fn configure(&self) {
        let Self { laptop, spooler, vault, .. } = self;
        let exec = |text: &str| {
            let block = self.block(text);
            block.lines().find(|line| line.trim().starts_with("exec:")).unwrap().to_owned()
        };
        let words = "laptop\", \"--receipt\", \"zfsreceipt\"]";
        let handler = exec("builtin:zfs-receive").replace("laptop\"]", words);
        let via = format!("via: [\"spooler\"]\n{}", exec("builtin:zfs-receipt"));
        laptop.configure(
            &[spooler.neighbour("spooler", ""), vault.neighbour("vault", &via)],
            self.block("packmule: {"),
        );
        spooler.configure(&[laptop.neighbour("laptop", ""), vault.neighbour("vault", "")], "");
        vault.configure(
            &[laptop.neighbour("laptop", &handler), spooler.neighbour("spooler", "")],
            "",
        );
    }

    /// Runs the commands of a block, each where its comment says. Gives what the last one printed.
    fn run(&self, block: &str) -> String {
        let mut printed = String::new();
        for line in block.lines().filter(|line| line.contains(" # ")) {
            let (_, place) = line.split_once(" # ").unwrap();
            let node = match place {
                place if place.starts_with("laptop") => &self.laptop,
                place if place.starts_with("spooler") => &self.spooler,
                place => {
                    assert!(place.starts_with("vault"), "{line}");
                    &self.vault
                }
            };
            printed = self.sh(line, node);
        }
        printed
    }

    fn sh(&self, line: &str, node: &Node) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-ec", line])
            .env("PATH", format!("{}:{path}", self.programs.display()))
            .env("NNCPCFG", node.config())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything that one machine has for another goes there, by way of the spooler.
    fn carry(&self, from: &Node, to: &Node) {
        let stick = self.lab.path().join("media/a").display().to_string();
        for (from, to) in [(from, &self.spooler), (&self.spooler, to)] {
            from.ok(&["xfer", "-quiet", "-mkdir", &stick]);
            to.ok(&["xfer", "-quiet", &stick]);
            to.ok(&["toss", "-quiet"]);
        }
    }

    /// The stick with a day's packets is lost.
    fn lose_a_day(&self) {
        let stick = self.lab.path().join("media/a");
        self.laptop.ok(&["zfs", "run", "-quiet"]);
        self.laptop.ok(&["xfer", "-quiet", "-mkdir", stick.to_str().unwrap()]);
        fs::remove_dir_all(&stick).unwrap();
        fs::create_dir(&stick).unwrap();
    }

    /// README's two lines: the first tells what the second is for each dataset, and that is run.
    fn repair_as_status_says(&self) {
        let block = self.block("-from GUID");
        let (ask, line) = block.trim_end().split_once('\n').unwrap();
        let status = self.run(ask);
        let (line, _) = line.split_once(" # ").unwrap();
        let mut told = 0;
        for (_, command) in status.lines().filter_map(|line| line.split_once("on laptop: ")) {
            let words: Vec<_> = command.split(' ').collect();
            let [.., guid, "NODE", dataset] = words[..] else { panic!("{command}") };
            let line = line.trim_end().replace("GUID", guid).replace("labsrc/home", dataset);
            assert_eq!(command.replace("NODE", "vault"), line);
            self.sh(&line, &self.laptop);
            told += 1;
        }
        assert_eq!(told, 2, "two datasets wait: {status}");
    }

    fn is_the_source(&self) {
        let backup = self.lab.guids("labdst/backups/laptop/labsrc/home");
        assert_eq!(backup, self.lab.guids("labsrc/home"));
    }
}

pub(crate) fn as_it_stands_there(lab: &Lab) {
    let setup = Setup::new(lab);
    let home = lab.create("labsrc/home");
    lab.create("labsrc/home/anna");
    setup.sh(setup.block("zfs create").lines().next().unwrap(), &setup.vault);
    let commands = setup.block("packmule zfs run");
    let count = setup.blocks.concat().lines().filter(|line| !line.trim().is_empty()).count();
    assert!(count < 30, "a dozen commands, and the lines of configuration: {count}");
    for day in 0..3 {
        fs::write(home.join(format!("day{day}")), format!("day {day}\n").repeat(3000)).unwrap();
        let status = setup.run(commands);
        assert_eq!(status.lines().count(), 2, "two datasets, nothing waits, no warning: {status}");
        setup.is_the_source();
    }
    let repaired = |setup: &Setup<'_>| {
        setup.carry(&setup.laptop, &setup.vault);
        let newest = |name: &str| lab.newest(name);
        for name in ["labsrc/home", "labsrc/home/anna"] {
            assert_eq!(newest(&format!("labdst/backups/laptop/{name}")), newest(name));
        }
        let status = setup.vault.ok(&["zfs", "status", "-max-age", "1h"]);
        assert_eq!(status.lines().count(), 2, "nothing waits: {status}");
    };
    setup.lose_a_day();
    fs::write(home.join("last"), "after the loss").unwrap();
    setup.laptop.ok(&["zfs", "run", "-quiet"]);
    setup.carry(&setup.laptop, &setup.vault);
    setup.repair_as_status_says();
    repaired(&setup);
    // Receipts come home; then no guid is needed.
    setup.carry(&setup.vault, &setup.laptop);
    setup.lose_a_day();
    setup.laptop.ok(&["zfs", "run", "-quiet"]);
    setup.run(setup.block("last-applied"));
    repaired(&setup);
    same_tree(lab, &home, "labdst/backups/laptop/labsrc/home");
}
