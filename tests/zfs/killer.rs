//! A `zfs` that kills its caller at a call that the test chooses.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Starts `zfs`, and kills who started it before, or in the middle of, a call that a file numbers.
const KILLER: &str = r#"#!/bin/sh
d=${0%/*}
read -r n < "$d/count"; n=$((n + 1)); echo "$n" > "$d/count"
read -r at how < "$d/at"
[ "$n" = "$at" ] || exec zfs "$@"
case "$how $1" in
"middle send") zfs "$@" | { head -c 1000; kill -9 "$PPID"; } ;;
"middle receive") { head -c 1000; kill -9 "$PPID"; } | zfs "$@" ;;
*) kill -9 "$PPID" ;;
esac
"#;

/// A `zfs` that kills its caller.
pub(crate) struct Killer(PathBuf);

impl Killer {
    pub(crate) fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).unwrap();
        let this = Self(directory);
        fs::write(this.0.join("zfs"), KILLER).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(this.0.join("zfs"), mode).unwrap();
        this.set(0, "never");
        this
    }

    pub(crate) fn zfs(&self) -> String {
        self.0.join("zfs").display().to_string()
    }

    fn set(&self, at: u32, how: &str) {
        fs::write(self.0.join("count"), "0\n").unwrap();
        fs::write(self.0.join("at"), format!("{at} {how}\n")).unwrap();
    }

    /// Runs a command, killed at this call of `zfs`. Tells whether it came so far.
    pub(crate) fn kills(&self, mut command: Command, at: u32, how: &str) -> bool {
        self.set(at, how);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        self.set(0, "never");
        std::os::unix::process::ExitStatusExt::signal(&status) == Some(9)
    }
}

/// How a command is killed at a call of `zfs`.
pub(crate) const WAYS: [&str; 2] = ["before", "middle"];
