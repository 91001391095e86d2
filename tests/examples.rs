//! The three examples do what they say, on a node that sends to itself.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An example that `cargo test` has built beside the binary.
fn example(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_packmule")).with_file_name("examples").join(name);
    assert!(path.exists(), "cargo build --examples builds {}", path.display());
    path
}

/// What a program prints on its standard output, if it ends well.
fn run(program: &Path, arguments: &[&str], input: &[u8]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

/// What waits in `tx/` comes back to `rx/`, as over a stick.
fn arrive(directory: &Path) {
    let nodes = fs::read_dir(directory.join("spool")).unwrap().map(|entry| entry.unwrap().path());
    let node =
        nodes.into_iter().find(|path| path.join("tx").is_dir() && !path.is_symlink()).unwrap();
    fs::create_dir_all(node.join("rx")).unwrap();
    for packet in fs::read_dir(node.join("tx")).unwrap() {
        let packet = packet.unwrap();
        if packet.file_type().unwrap().is_file() {
            fs::rename(packet.path(), node.join("rx").join(packet.file_name())).unwrap();
        }
    }
}

#[test]
fn a_sender_a_receiver_with_a_handler_and_a_monitor_work_together() {
    let directory = tempfile::tempdir().unwrap();
    let packmule = Path::new(env!("CARGO_BIN_EXE_packmule"));
    let here = directory.path().display();
    let config = run(packmule, &["cfgnew", "-nocomments"], b"").unwrap();
    let config = config.replace("/var/spool/nncp", &format!("{here}/spool"));
    let handlers = format!("incoming: {here}/in\nexec: {{count: [\"count-bytes\"]}}");
    let config = config.replace("exec: {sendmail: [\"/usr/sbin/sendmail\"]}", &handlers);
    let path = directory.path().join("nncp.hjson");
    let config_at = path.to_str().unwrap();
    fs::write(&path, config).unwrap();
    fs::create_dir_all(directory.path().join("in")).unwrap();

    run(&example("sender"), &[config_at, "self", "documents.tar"], b"data").unwrap();
    run(packmule, &["exec", "-cfg", config_at, "-quiet", "self", "count"], b"12345").unwrap();
    let waiting = run(&example("monitor"), &[config_at], b"").unwrap();
    assert!(waiting.starts_with("self: 2 packets to send, 0 to toss"), "{waiting}");

    arrive(directory.path());
    let done = run(&example("receiver"), &[config_at], b"").unwrap();
    assert_eq!(done, "5 bytes from self\n2 tossed, 0 waiting, 0 failed\n");
    assert_eq!(fs::read(directory.path().join("in/documents.tar")).unwrap(), b"data");

    // Nobody registered this program, and no PATH has it.
    let other = fs::read_to_string(&path).unwrap().replace("count-bytes", "count-words-of-nobody");
    fs::write(&path, other).unwrap();
    run(packmule, &["exec", "-cfg", config_at, "-quiet", "self", "count"], b"12345").unwrap();
    arrive(directory.path());
    assert!(run(&example("receiver"), &[config_at], b"").is_err());
}
