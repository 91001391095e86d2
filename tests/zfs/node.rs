//! A node with its configuration, and the binary run as it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A node in a directory of its own.
pub(crate) struct Node {
    directory: PathBuf,
    keys: BTreeMap<String, String>,
}

impl Node {
    pub(crate) fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(directory.join("spool")).unwrap();
        let fresh = packmule(&["cfgnew", "-nocomments"]).output().unwrap().stdout;
        let fresh = String::from_utf8(fresh).unwrap();
        let keys = fresh.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once(": ")?;
            (value.len() > 40).then(|| (name.to_owned(), value.trim_matches('"').to_owned()))
        });
        Self { directory, keys: keys.collect() }
    }

    pub(crate) fn neighbour(&self, name: &str, more: &str) -> String {
        let key = |name: &str| &self.keys[name];
        let (id, exchange, sign) = (key("id"), key("exchpub"), key("signpub"));
        format!("{name}: {{\nid: {id}\nexchpub: {exchange}\nsignpub: {sign}\n{more}\n}}\n")
    }

    pub(crate) fn id(&self) -> &str {
        &self.keys["id"]
    }

    /// Where the packets lie that a neighbour of it handed over.
    pub(crate) fn received_from(&self, neighbour: &Self) -> PathBuf {
        self.directory.join("spool").join(neighbour.id()).join("rx")
    }

    pub(crate) fn configure(&self, neighbours: &[String], own: &str) {
        let keys: String =
            ["id", "exchpub", "exchprv", "signpub", "signprv", "noisepub", "noiseprv"]
                .iter()
                .map(|name| format!("{name}: {}\n", self.keys[*name]))
                .collect();
        let directory = self.directory.display();
        let neighbours = [&[self.neighbour("self", "")], neighbours].concat().concat();
        let text = format!(
            "{{\nspool: {directory}/spool\nlog: {directory}/log\nself: {{\n{keys}}}\n\
             neigh: {{\n{neighbours}}}\n{own}\n}}\n"
        );
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.join("nncp.hjson")
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let config = self.config();
        let has_subcommands = matches!(words[0], "zfs" | "mtree");
        let (name, rest) = words.split_at(if has_subcommands { 2 } else { 1 });
        let mut command = packmule(name);
        command.arg("-cfg").arg(config).args(rest);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        let log = || fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        assert!(output.status.success(), "{words:?}: {said}\n{}", log());
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The binary, without the environment of whoever runs the tests.
pub(crate) fn packmule(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packmule"));
    command.args(words).stdin(Stdio::null());
    for name in ["NNCPCFG", "NNCPSPOOL", "NNCPLOG"] {
        command.env_remove(name);
    }
    command
}
