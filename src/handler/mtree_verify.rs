//! `builtin:mtree-verify`: compares a tree of this node with a manifest that the sender made.
//!
//! The configuration lists the trees that a sender may ask about; the sender names one of them.
//! Differences are reported and are no failure: the packet is done.

mod settings;

use self::settings::{Refusal, ReportAs, SETTINGS, Settings, TreeRoot, text};
use super::builtin::Builtin;
use super::call::{Call, Verdict};
use super::reply::Reply;
use crate::mtree::{
    self, Fault, Format, Level, Manifest, ReadOptions, Reading, Trailer, VerifyOptions, hex,
};
use crate::progress::{Progress, Work};
use crate::unpack::readable;
use crate::zfs::clone::TemporaryClone;
use crate::zfs::lock::Locks;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::Path;

/// Maximum number of differences in a report.
const LINES: usize = 100;

/// The row in the table of builtins.
pub(super) const BUILTIN: Builtin =
    Builtin { name: "mtree-verify", settings: SETTINGS, check, run, ordered: None };

/// Verifies the tree and reports.
fn run(call: Call<'_>) -> Verdict {
    let (configured, arguments) = call.words.split_at(call.configured);
    let request = Settings::new(&configured[1..]).and_then(|settings| {
        let root = settings.root(arguments)?;
        Ok((settings, root))
    });
    let (settings, tree) = match request {
        Ok(request) => request,
        Err(refusal) => return failed(&refusal),
    };
    // Checked before the manifest is read: a tree that is not mounted or has not arrived yet may be
    // there at the next toss.
    if let TreeRoot::Directory(root) = &tree
        && let Err(error) = std::fs::read_dir(root)
    {
        return Verdict::Defer { reason: format!("{}: {error}", root.display()) };
    }
    let mut input = Hashed { input: call.input, hash: Sha256::new(), failed: false };
    let reading = match settings.read(&mut input) {
        Ok(reading) => reading,
        // A read error is temporary; any other refusal is the sender's fault and final.
        Err(refusal) if input.failed => return Verdict::Defer { reason: refusal.to_string() },
        Err(refusal) => return failed(&refusal),
    };
    let hash = hex(&input.hash.finalize());
    let Reading { manifest, warnings, .. } = reading;
    let checked = Checked { manifest, warnings, hash, tree: arguments.join(&b' ') };
    match tree {
        TreeRoot::Directory(root) => settings.report_on(&root, &checked),
        TreeRoot::Snapshot(zfs, dataset, snapshot) => {
            let clone = TemporaryClone::new(&zfs, &dataset, &snapshot, &Locks::of_user());
            match clone {
                Ok(clone) => settings.report_on_clone(clone, &checked),
                Err(error) => Verdict::Defer { reason: format!("{dataset}@{snapshot}: {error}") },
            }
        }
    }
}

/// Checks the configured words.
fn check(words: &[String], _author: &str) -> Result<(), String> {
    Settings::new(words).map(drop).map_err(|refusal| refusal.to_string())
}

fn failed(refusal: &Refusal) -> Verdict {
    Verdict::Failed { reason: refusal.to_string(), output: Vec::new() }
}

/// The manifest, and the sender's request.
struct Checked {
    manifest: Manifest,
    /// Warnings about it, with line numbers.
    warnings: Vec<(u64, mtree::Warning)>,
    /// SHA-256 of the payload.
    hash: String,
    /// The sender's name for the tree.
    tree: Vec<u8>,
}

impl Settings {
    fn read(&self, input: &mut (impl Read + Send)) -> Result<Reading, Refusal> {
        let io = |error| mtree::ReadError { line: 0, fault: Fault::Io(error) };
        let stream = readable(&mut *input).map_err(io)?;
        let reading = mtree::read(stream, &ReadOptions::default())?;
        // Read to the end, because the hash covers the whole payload.
        io::copy(input, &mut io::sink()).map_err(io)?;
        let strict = self.rules.level == Level::Strict;
        match (reading.trailer, reading.warnings.first()) {
            (Trailer::Broken, _) => Err(Refusal::Broken),
            (Trailer::Absent, _) if strict => Err(Refusal::NoTrailer),
            (_, Some((line, warning))) if strict => Err(Refusal::Odd(*line, warning.clone())),
            _ => Ok(reading),
        }
    }

    fn report_on(&self, root: &Path, checked: &Checked) -> Verdict {
        match self.verify(&checked.manifest, root) {
            Ok(found) => self.answer(self.receipt(&found, checked), checked),
            Err(error) => Verdict::Defer { reason: format!("{}: {error}", root.display()) },
        }
    }

    /// Verifies a clone. The clone is destroyed before the reply is made, even after a failure.
    fn report_on_clone(&self, clone: TemporaryClone, checked: &Checked) -> Verdict {
        let (name, root) = (clone.name().clone(), clone.directory().to_owned());
        let found = self.verify(&checked.manifest, &root);
        let destroyed = clone.destroy();
        let found = match found {
            Ok(found) => found,
            Err(error) => return Verdict::Defer { reason: format!("{name}: {error}") },
        };
        let mut receipt = self.receipt(&found, checked);
        if let Err(error) = destroyed {
            receipt.extend_from_slice(
                format!("clone {name} could not be destroyed: {error}\n").as_bytes(),
            );
        }
        self.answer(receipt, checked)
    }

    fn verify(&self, manifest: &Manifest, root: &Path) -> io::Result<mtree::Comparison> {
        let options = VerifyOptions {
            rules: self.rules,
            one_file_system: false,
            excludes: self.excludes.clone(),
            own: None,
        };
        let meter = Progress::default().start(Work::Check, &root.to_string_lossy(), None);
        mtree::verify(manifest, root, &options, &meter)
    }

    fn answer(&self, receipt: Vec<u8>, checked: &Checked) -> Verdict {
        let reply = self.report.as_ref().map(|report_as| match report_as {
            ReportAs::File(directory) => {
                let is_safe = |byte: &u8| !b"/ ".contains(byte);
                let tree = checked.tree.iter().map(|byte| if is_safe(byte) { *byte } else { b'_' });
                let tree: Vec<u8> = tree.collect();
                let name = format!("{}-{}.txt", text(&tree), &checked.hash[..16]);
                let destination = [&directory[..], b"/", name.as_bytes()].concat();
                Reply::File { destination, content: receipt.clone() }
            }
            ReportAs::Exec(handle) => {
                let command = vec![handle.clone(), checked.tree.clone()];
                Reply::Exec { command, input: receipt.clone() }
            }
        });
        Verdict::Done { output: receipt, reply }
    }

    /// The report: the manifest's hash, the tree, the counts, and the first differences.
    fn receipt(&self, found: &mtree::Comparison, checked: &Checked) -> Vec<u8> {
        let mut lines = Vec::new();
        let level = self.rules.level;
        mtree::show(found, &checked.manifest, level, Format::Text, &mut lines)
            .expect("memory takes what is written");
        let differences: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
        let mut receipt = format!(
            "tree: {}\nmanifest: sha256 {}\n{}",
            mtree::Escaped(&checked.tree),
            checked.hash,
            mtree::summary(found, level, Format::Text)
        )
        .into_bytes();
        if !found.unchecked.is_empty() {
            receipt.extend_from_slice(format!("not compared: {}\n", found.unchecked).as_bytes());
        }
        for (line, warning) in checked.warnings.iter().take(LINES) {
            receipt.extend_from_slice(format!("manifest: line {line}: {warning}\n").as_bytes());
        }
        for trouble in found.troubles.iter().take(LINES) {
            receipt.extend_from_slice(format!("unchecked ./{trouble}\n").as_bytes());
        }
        for line in differences.iter().take(LINES) {
            receipt.extend_from_slice(line);
        }
        let more = differences.len().saturating_sub(LINES);
        if more > 0 {
            receipt.extend_from_slice(format!("and {more} more\n").as_bytes());
        }
        receipt
    }
}

/// Hashes what is read through it.
struct Hashed<R> {
    input: R,
    hash: Sha256,
    /// The last failure was one of the input, not of the manifest.
    failed: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer).inspect_err(|error| {
            self.failed |= error.kind() != io::ErrorKind::Interrupted;
        })?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtree::{CreateOptions, WriteOptions};
    use packmule_protocol::niceness::Niceness;

    fn call(words: &[&str], arguments: &[&str], manifest: &[u8]) -> Verdict {
        let all = words.iter().chain(arguments).map(|word| word.as_bytes().to_vec()).collect();
        run(Call {
            words: all,
            configured: words.len(),
            own: "SELF".into(),
            sender: "SENDER".into(),
            name: "laptop".into(),
            nice: Some(Niceness::BULK),
            input: Box::new(io::Cursor::new(manifest.to_vec())),
        })
    }

    /// A directory with a tree, and its manifest.
    fn backup() -> (tempfile::TempDir, String, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join("a"), "hello").unwrap();
        std::fs::write(tree.join("b"), "world").unwrap();
        let meter = Progress::default().start(Work::Hash, "", None);
        let created = mtree::create(&tree, &CreateOptions::default(), &meter).unwrap();
        let mut manifest = Vec::new();
        mtree::write(&created.manifest, &WriteOptions::default(), &mut manifest).unwrap();
        (dir, format!("laptop={}", tree.display()), manifest)
    }

    fn done(verdict: Verdict) -> (String, Option<Reply>) {
        match verdict {
            Verdict::Done { output, reply } => (String::from_utf8(output).unwrap(), reply),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_damaged_file_is_named_in_the_report() {
        let (dir, tree, manifest) = backup();
        let words = ["builtin:mtree-verify", "--tree", &tree, "--report-file", "reports"];
        let (report, _) = done(call(&words, &["laptop"], &manifest));
        assert!(report.contains("\n3 objects compared: equal\n"), "{report}");
        std::fs::write(dir.path().join("tree/a"), "jello").unwrap();
        for sent in [manifest.clone(), zstd::encode_all(&manifest[..], 3).unwrap()] {
            let (report, reply) = done(call(&words, &["laptop"], &sent));
            assert!(report.contains("\ncontent ./a: sha256digest "), "{report}");
            assert!(
                report.contains(&format!("manifest: sha256 {}\n", hex(&Sha256::digest(&sent))))
            );
            let Some(Reply::File { destination, content }) = reply else { panic!("no report") };
            assert!(destination.starts_with(b"reports/laptop-"));
            assert_eq!(content, report.as_bytes());
        }
    }

    #[test]
    fn the_sender_chooses_among_the_configured_trees_and_nothing_else() {
        let (_dir, tree, manifest) = backup();
        let words = ["builtin:mtree-verify", "--tree", &tree];
        let refused = |arguments: &[&str], want: &str| match call(&words, arguments, &manifest) {
            Verdict::Failed { reason, .. } => assert_eq!(reason, want),
            other => panic!("{other:?}"),
        };
        refused(&["server"], "there is no tree \"server\" here");
        refused(&["/etc"], "there is no tree \"/etc\" here");
        refused(&[], "expected one argument: a tree name");
        refused(&["laptop", "--tree", "x=/"], "expected one argument: a tree name");
    }

    #[test]
    fn a_manifest_that_was_cut_is_refused() {
        let (_dir, tree, manifest) = backup();
        let words = ["builtin:mtree-verify", "--tree", &tree, "--strict"];
        let cut = &manifest[..manifest.len() / 2];
        let cut = &cut[..=cut.iter().rposition(|byte| *byte == b'\n').unwrap()];
        for bad in [cut, b". type=dir\n/etc/passwd type=file\n"] {
            assert!(matches!(call(&words, &["laptop"], bad), Verdict::Failed { .. }));
        }
    }

    #[test]
    fn a_tree_or_snapshot_that_is_not_there_is_waited_for() {
        let (_dir, tree, manifest) = backup();
        let words = ["builtin:mtree-verify", "--tree", "laptop=/nonexistent/tree"];
        assert!(matches!(call(&words, &["laptop"], &manifest), Verdict::Defer { .. }));
        let words = ["builtin:mtree-verify", "--tree", &tree, "--zfs-snapshot"];
        let waited = call(&words, &["laptop", "auto-2026"], &manifest);
        assert!(matches!(waited, Verdict::Defer { .. }));
        for name in ["..", "a/b", ""] {
            let verdict = call(&words, &["laptop", name], &manifest);
            assert!(matches!(verdict, Verdict::Failed { .. }), "{name}");
        }
    }

    #[test]
    fn the_end_of_what_is_hashed_stays_the_end() {
        let hashed = Hashed { input: &b"abc"[..], hash: Sha256::new(), failed: false };
        assert_eq!(crate::blocks::ends_for_good(hashed), b"abc");
    }
}
