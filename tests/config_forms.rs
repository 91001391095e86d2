//! The directory form and the encrypted form, exchanged with the reference in both directions.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::config::{self, hjson};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

/// Every key that 8.8.2 knows. `mcd-send` has no hidden name: the reference would lose it.
const EVERYTHING: &str = "testvectors/config/everything.hjson";

fn reference_is_missing() -> bool {
    let missing = Command::new("nncp-cfgdir").arg("-version").output().is_err();
    assert!(!missing || std::env::var_os("CI").is_none(), "nncp-cfgdir is not installed");
    if missing {
        println!("skipped: nncp-cfgdir is not installed");
    }
    missing
}

/// A command of the reference's (`nncp-cfgdir`) or ours (`cfgdir`).
fn command(name: &str) -> Command {
    if name.starts_with("nncp-") {
        return Command::new(name);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_packmule"));
    command.arg(name);
    command
}

fn succeeded(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_directory_goes_from_either_to_either() {
    if reference_is_missing() {
        return;
    }
    let never = || unreachable!("nothing here is encrypted");
    let want = config::load_tree(Path::new(EVERYTHING), never).unwrap();
    for writer in ["cfgdir", "nncp-cfgdir"] {
        for reader in ["cfgdir", "nncp-cfgdir"] {
            let top = tempfile::tempdir().unwrap();
            let (dir, back) = (top.path().join("dir"), top.path().join("back.hjson"));
            succeeded(
                command(writer).args(["-cfg", EVERYTHING, "-dump"]).arg(&dir).output().unwrap(),
            );
            let printed = succeeded(command(reader).arg("-load").arg(&dir).output().unwrap());
            fs::write(&back, printed).unwrap();
            let found = config::load_tree(&back, never).unwrap();
            let printed = hjson::print(&found);
            assert_eq!(*found, *want, "{writer} to {reader}:\n{}", *printed);
            config::load(&dir, never).unwrap();
        }
    }
}

#[test]
fn what_we_print_the_reference_reads_the_same() {
    if reference_is_missing() {
        return;
    }
    let never = || unreachable!("nothing here is encrypted");
    let top = tempfile::tempdir().unwrap();
    let (ours, dir) = (top.path().join("ours.hjson"), top.path().join("dir"));
    let want = config::load_tree(Path::new(EVERYTHING), never).unwrap();
    fs::write(&ours, hjson::print(&want).as_bytes()).unwrap();
    succeeded(
        command("nncp-cfgdir").arg("-cfg").arg(&ours).arg("-dump").arg(&dir).output().unwrap(),
    );
    assert_eq!(*config::load_directory(&dir).unwrap(), *want);
}

/// Runs a command on a terminal of its own on which `typed` was typed.
fn on_terminal(mut command: Command, typed: &str) -> Output {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    fs::File::from(master.try_clone().unwrap()).write_all(typed.as_bytes()).unwrap();
    command.stdin(slave).output().unwrap()
}

#[test]
fn an_encrypted_configuration_goes_from_either_to_either() {
    if reference_is_missing() {
        return;
    }
    for writer in ["cfgenc", "nncp-cfgenc"] {
        let top = tempfile::tempdir().unwrap();
        let blob = top.path().join("cfg.eblob");
        let mut encrypt = command(writer);
        encrypt.args(["-s", "64", "-t", "2", "-p", "3", EVERYTHING]);
        fs::write(&blob, succeeded(on_terminal(encrypt, "pass phrase\npass phrase\n"))).unwrap();
        for (reader, unlocker) in [("cfgenc", "cfgmin"), ("nncp-cfgenc", "nncp-cfgmin")] {
            let mut decrypt = command(reader);
            decrypt.arg("-d").arg(&blob);
            let plain = succeeded(on_terminal(decrypt, "pass phrase\n"));
            assert_eq!(plain, fs::read(EVERYTHING).unwrap(), "{writer} to {reader}");
            let mut load = command(unlocker);
            load.arg("-cfg").arg(&blob);
            let stripped = succeeded(on_terminal(load, "pass phrase\n"));
            assert!(String::from_utf8_lossy(&stripped).contains("self: null"));
            let dumped = succeeded(command(reader).arg("-dump").arg(&blob).output().unwrap());
            assert_eq!(
                String::from_utf8_lossy(&dumped),
                format!(
                    "Strengthening function: Balloon with BLAKE2b-256\n\
                     Memory space cost: 2048 bytes\nNumber of rounds: 2\n\
                     Number of parallel jobs: 3\nBlob size: {}\n",
                    plain.len() + 16
                )
            );
        }
    }
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_is_told_as_the_reference_does() {
    let top = tempfile::tempdir().unwrap();
    let blob = top.path().join("cfg.eblob");
    let mut encrypt = command("cfgenc");
    encrypt.args(["-s", "64", "-t", "1", "-p", "1", EVERYTHING]);
    fs::write(&blob, succeeded(on_terminal(encrypt, "one\none\n"))).unwrap();
    let mut load = command("cfgmin");
    load.arg("-cfg").arg(&blob);
    let output = on_terminal(load, "other\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let want = "Error during initialization: chacha20poly1305: message authentication failed";
    assert!(said.starts_with("Passphrase:\n") && said.contains(want), "{said}");

    let mut encrypt = command("cfgenc");
    encrypt.arg(EVERYTHING);
    let output = on_terminal(encrypt, "one\ntwo\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Passphrases do not match"));
}

#[test]
fn without_a_terminal_no_passphrase_is_read() {
    let output = command("cfgenc").arg(EVERYTHING).stdin(std::process::Stdio::null()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("inappropriate ioctl for device"), "{said}");
}
