//! Running programs, and trees to run them on.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Vec<u8> {
        assert_eq!(self.code, 0, "{} {}", self.text(), self.err);
        self.out
    }
}

/// Runs a program in a directory, with `input`.
pub(crate) fn run_in(dir: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Ran {
    run_with(dir, program, arguments, &[], input)
}

/// The same, with variables of the environment.
pub(crate) fn run_with(
    dir: &Path,
    program: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &[u8],
) -> Ran {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(dir)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A program need not read all of it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let code = output.status.code().unwrap_or(-1);
    Ran { code, out: output.stdout, err: String::from_utf8_lossy(&output.stderr).into_owned() }
}

/// Runs `packmule mtree`.
pub(crate) fn mtree(dir: &Path, arguments: &[&str], input: &[u8]) -> Ran {
    let arguments: Vec<_> = ["mtree"].iter().chain(arguments).copied().collect();
    run_in(dir, env!("CARGO_BIN_EXE_packmule"), &arguments, input)
}

/// Whether programs are installed; says which are not.
pub(crate) fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).exists());
    let missing: Vec<_> = programs.iter().filter(|program| !there(program)).collect();
    if !missing.is_empty() {
        eprintln!("left out: {missing:?} not installed");
    }
    missing.is_empty()
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory `t` with something of every kind, in a temporary directory.
pub(crate) fn tree() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let t = dir.path().join("t");
    fs::create_dir_all(t.join("sub/deep")).unwrap();
    fs::write(t.join("file"), "hello\n").unwrap();
    fs::write(t.join("other"), "world\n").unwrap();
    fs::write(t.join("sub/deep/leaf"), "leaf").unwrap();
    fs::write(t.join("one"), "linked").unwrap();
    fs::hard_link(t.join("one"), t.join("two")).unwrap();
    symlink("file", t.join("link")).unwrap();
    symlink("../x y#\\", t.join("sub/odd")).unwrap();
    make(&t.join("fifo"), rustix::fs::FileType::Fifo, 0);
    if is_root() {
        let null = rustix::fs::makedev(1, 3);
        make(&t.join("null"), rustix::fs::FileType::CharacterDevice, null);
    }
    fs::set_permissions(t.join("other"), fs::Permissions::from_mode(0o4750)).unwrap();
    let sparse = fs::File::create(t.join("sparse")).unwrap();
    sparse.set_len(10_000_000).unwrap();
    set_time(&t.join("file"), -1000, 250_000_000);
    set_time(&t.join("sub"), 1_610_421_833, 5);
    (dir, t)
}

pub(crate) fn make(path: &Path, kind: rustix::fs::FileType, device: u64) {
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, device).unwrap();
}

/// Sets the time of an object, a link's own if it is one.
pub(crate) fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).unwrap();
}

/// Does something and puts the time of `path` back to what it was.
pub(crate) fn keeping_time(path: &Path, work: impl FnOnce()) {
    let stat = rustix::fs::lstat(path).unwrap();
    work();
    set_time(path, stat.st_mtime, stat.st_mtime_nsec as i64);
}

/// Adds names that hold these bytes, but for the one that no name can hold.
pub(crate) fn add_bytes(dir: &Path, bytes: impl IntoIterator<Item = u8>) {
    for byte in bytes.into_iter().filter(|byte| *byte != b'/') {
        let name = |bytes: &[u8]| dir.join(OsStr::from_bytes(bytes));
        fs::write(name(&[b'n', byte]), [byte]).unwrap();
        fs::write(name(&[byte, b'e']), [byte]).unwrap();
        symlink(OsStr::from_bytes(&[b't', byte]), name(&[b'l', byte, b'k'])).unwrap();
    }
}

pub(crate) fn set_xattr(path: &Path, name: &str, value: &[u8]) -> bool {
    let name = CString::new(name).unwrap();
    rustix::fs::lsetxattr(path, name, value, rustix::fs::XattrFlags::empty()).is_ok()
}
