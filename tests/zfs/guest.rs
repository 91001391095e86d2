//! The emulated machine: this test and packmule are carried into it, with the libraries they need.

use crate::scenarios;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/zfs/openzfs-vm.sh");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
/// Where packmule was built, and is to be found in the machine too.
pub(crate) const PACKMULE: &str = env!("CARGO_BIN_EXE_packmule");
/// Set in the machine: what scenarios in it are called.
const INSIDE: &str = "PACKMULE_OPENZFS";
/// Seconds that all scenarios may take, on a machine that has more to do.
const PATIENCE: &str = "3600";

/// What scenarios are called, when this is the emulated machine.
pub(crate) fn inside() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// Plays the scenarios in the machine of this directory. Gives what was printed and whether all
/// passed, or why there is no machine.
pub(crate) fn run(directory: &str, which: &str) -> Result<(String, bool), String> {
    let machine = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("openzfs").join(directory);
    let work = tempfile::Builder::new().prefix("packmule-openzfs-").tempdir().unwrap();
    if !machine.join("initrd.gz").exists() {
        return Err(format!("{} is not built: make openzfs", machine.display()));
    }
    pack(work.path(), which);
    let mut command = Command::new("bash");
    command
        .arg(SCRIPT)
        .arg("run")
        .arg(&machine)
        .arg(work.path())
        .env("TMO", PATIENCE)
        .env("SMP", "1");
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) {
        return Err(said.trim().to_owned());
    }
    let out = fs::read(work.path().join("guest.out")).unwrap_or_default();
    let mut out = String::from_utf8_lossy(&out).into_owned();
    if !output.status.success() {
        out += &format!("test {which}: FAILED: {said}\n");
    }
    Ok((out, output.status.success()))
}

/// Puts programs, their libraries, what scenarios read, and the machine's script into `work`.
fn pack(work: &Path, which: &str) {
    let this = std::env::current_exe().unwrap();
    for (program, name) in [(&this, "test"), (&PathBuf::from(PACKMULE), "packmule")] {
        let place = work.join("bin").join(name);
        fs::create_dir_all(work.join("bin")).unwrap();
        let stripped = Command::new("strip").arg("-o").arg(&place).arg(program).status();
        if !stripped.is_ok_and(|status| status.success()) {
            fs::copy(program, &place).unwrap();
        }
        for library in libraries(program) {
            put(&library, &work.join("lib"));
        }
    }
    put(README.as_ref(), &work.join("tree"));
    let filter = scenarios::filter();
    let script = format!(
        "cp -r tree/. /\n\
         # The machine's own libraries do, unless packmule was built with newer ones.\n\
         bin/packmule version >/dev/null 2>&1 || cp -r lib/. /\n\
         mkdir -p {parent}\n\
         ln -s /tmp/job/bin/packmule {PACKMULE}\n\
         export {INSIDE}='{which}' RUST_BACKTRACE=0\n\
         exec bin/test '{filter}'\n",
        parent = Path::new(PACKMULE).parent().unwrap().display(),
    );
    fs::write(work.join("guest.sh"), script).unwrap();
}

/// Copies a file to the same path below a directory.
fn put(file: &Path, below: &Path) {
    let place = below.join(file.strip_prefix("/").unwrap());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::copy(file, place).unwrap();
}

/// The shared libraries of a program and its loader, as `ldd` finds them.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().unwrap().stdout;
    let text = String::from_utf8(output).unwrap();
    let words = text.split_whitespace();
    words.filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}
