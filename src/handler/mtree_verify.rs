//! `builtin:mtree-verify`: a tree of ours held against the manifest that the sender made of his.
//!
//! The configuration says which trees a sender may ask about; the sender names one of them. What
//! differs is a report and not a failure: the packet is done.

use super::{Call, Reply, Verdict};
use crate::mtree::{
    self, Excludes, Fault, Format, Keywords, Level, Manifest, ReadOptions, Rules, Trailer,
    VerifyOptions, hex,
};
use crate::progress::{Progress, Work};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Lines of differences in a report.
const LINES: usize = 100;

/// Why a manifest is not verified.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0:?} is no option of builtin:mtree-verify")]
    Option(String),
    #[error("option {0:?} needs a value")]
    NoValue(String),
    #[error("option {option}: {value:?} is not a value it can have")]
    Value { option: &'static str, value: String },
    #[error("the handler has no --tree")]
    NoTrees,
    #[error("arguments are a tree{0}")]
    Arguments(&'static str),
    #[error("no tree is called {0:?} here")]
    UnknownTree(String),
    #[error("{0:?} is no name of a snapshot")]
    Snapshot(String),
    #[error("manifest: {0}")]
    Manifest(#[from] mtree::ReadError),
    #[error("manifest: it is not whole, or was altered: its trailer differs")]
    Broken,
    #[error("manifest: it does not say whether it is whole")]
    NoTrailer,
}

/// Verifies, and reports.
pub(super) fn run(call: Call<'_>) -> Verdict {
    let failed =
        |refusal: &Refusal| Verdict::Failed { reason: refusal.to_string(), output: Vec::new() };
    let (configured, arguments) = call.words.split_at(call.configured);
    let request = Settings::new(&configured[1..]).and_then(|settings| {
        let root = settings.root(arguments)?;
        Ok((settings, root))
    });
    let (settings, root) = match request {
        Ok(request) => request,
        Err(refusal) => return failed(&refusal),
    };
    // Before the manifest is read: what is not mounted, or has not arrived, may be here next time.
    if let Err(error) = std::fs::read_dir(&root) {
        return Verdict::Defer { reason: format!("{}: {error}", root.display()) };
    }
    let mut input = Hashed { input: call.input, hash: Sha256::new() };
    let manifest = match settings.read(&mut input) {
        Ok(manifest) => manifest,
        Err(Refusal::Manifest(mtree::ReadError { fault: Fault::Io(error), .. })) => {
            return Verdict::Defer { reason: format!("manifest: {error}") };
        }
        Err(refusal) => return failed(&refusal),
    };
    let hash = hex(&input.hash.finalize());
    match settings.verify(&manifest, &root) {
        Ok(found) => settings.answer(&found, &manifest, &arguments.join(&b' '), &hash),
        Err(error) => Verdict::Defer { reason: format!("{}: {error}", root.display()) },
    }
}

/// What the configuration says.
#[derive(Default)]
struct Settings {
    trees: BTreeMap<Vec<u8>, PathBuf>,
    rules: Rules,
    excludes: Excludes,
    snapshots: bool,
    report: Option<Report>,
}

/// How the sender is told.
enum Report {
    /// As a file in this directory of his.
    File(Vec<u8>),
    /// On the standard input of this handle of his, with the tree as argument.
    Exec(Vec<u8>),
}

impl Settings {
    fn new(words: &[Vec<u8>]) -> Result<Self, Refusal> {
        let mut settings = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let name = word.strip_prefix(b"--").or(word.strip_prefix(b"-")).unwrap_or_default();
            let mut value = || words.next().ok_or_else(|| Refusal::NoValue(text(word)));
            match name {
                b"tree" => settings.tree(value()?)?,
                b"tolerance" => settings.rules.tolerance = tolerance(value()?)?,
                b"ignore" => settings.rules.ignore = ignore(value()?)?,
                b"exclude" => settings.excludes.add(value()?),
                b"strict" => settings.rules.level = Level::Strict,
                b"loose" => settings.rules.level = Level::Loose,
                b"no-extra" => settings.rules.ignore_extra = true,
                b"zfs-snapshot" => settings.snapshots = true,
                b"report-file" => settings.report = Some(Report::File(value()?.clone())),
                b"report-exec" => settings.report = Some(Report::Exec(value()?.clone())),
                _ => return Err(Refusal::Option(text(word))),
            }
        }
        if settings.trees.is_empty() { Err(Refusal::NoTrees) } else { Ok(settings) }
    }

    /// `NAME=DIRECTORY`.
    fn tree(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let split = value.iter().position(|byte| *byte == b'=');
        let (name, path) = value.split_at(split.unwrap_or(0));
        match path {
            [b'=', path @ ..] if !name.is_empty() && path.starts_with(b"/") => {
                self.trees.insert(name.to_vec(), OsString::from_vec(path.to_vec()).into());
                Ok(())
            }
            _ => Err(Refusal::Value { option: "--tree", value: text(value) }),
        }
    }

    /// The directory that the sender's arguments mean.
    fn root(&self, arguments: &[Vec<u8>]) -> Result<PathBuf, Refusal> {
        let (name, snapshot) = match arguments {
            [name] if !self.snapshots => (name, None),
            [name, snapshot] if self.snapshots => (name, Some(snapshot)),
            _ => {
                let more = if self.snapshots { " and a snapshot" } else { "" };
                return Err(Refusal::Arguments(more));
            }
        };
        let root = self.trees.get(name).ok_or_else(|| Refusal::UnknownTree(text(name)))?;
        let Some(snapshot) = snapshot else { return Ok(root.clone()) };
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:%".contains(byte);
        if !snapshot.iter().all(plain) || matches!(&snapshot[..], b"" | b"." | b"..") {
            return Err(Refusal::Snapshot(text(snapshot)));
        }
        Ok(root.join(".zfs/snapshot").join(OsString::from_vec(snapshot.clone())))
    }

    fn read(&self, input: &mut (impl Read + Send)) -> Result<Manifest, Refusal> {
        let io = |error| mtree::ReadError { line: 0, fault: Fault::Io(error) };
        let stream = mtree::unpacked(&mut *input).map_err(io)?;
        let reading = mtree::read(stream, &ReadOptions::default())?;
        // The hash is of all that was sent.
        io::copy(input, &mut io::sink()).map_err(io)?;
        match reading.trailer {
            Trailer::Broken => Err(Refusal::Broken),
            Trailer::Absent if self.rules.level == Level::Strict => Err(Refusal::NoTrailer),
            _ => Ok(reading.manifest),
        }
    }

    fn verify(&self, manifest: &Manifest, root: &Path) -> io::Result<mtree::Report> {
        let options = VerifyOptions {
            rules: self.rules,
            one_file_system: false,
            excludes: self.excludes.clone(),
        };
        let meter = Progress::default().start(Work::Check, &root.to_string_lossy(), None);
        mtree::verify(manifest, root, &options, &meter)
    }

    fn answer(
        &self,
        found: &mtree::Report,
        manifest: &Manifest,
        tree: &[u8],
        hash: &str,
    ) -> Verdict {
        let report = self.receipt(found, manifest, tree, hash);
        let reply = self.report.as_ref().map(|report_as| match report_as {
            Report::File(directory) => {
                let tree: Vec<u8> = tree
                    .iter()
                    .map(|byte| if b"/ ".contains(byte) { b'_' } else { *byte })
                    .collect();
                let name = format!("{}-{}.txt", text(&tree), &hash[..16]);
                let destination = [&directory[..], b"/", name.as_bytes()].concat();
                Reply::File { destination, content: report.clone() }
            }
            Report::Exec(handle) => {
                Reply::Exec { command: vec![handle.clone(), tree.to_vec()], input: report.clone() }
            }
        });
        Verdict::Done { output: report, reply }
    }

    /// The manifest's hash, the tree, the counts, and the first differences.
    fn receipt(
        &self,
        found: &mtree::Report,
        manifest: &Manifest,
        tree: &[u8],
        hash: &str,
    ) -> Vec<u8> {
        let mut lines = Vec::new();
        let level = self.rules.level;
        mtree::show(found, manifest, level, Format::Text, &mut lines)
            .expect("memory takes what is written");
        let lines: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
        let differences = lines.split_last().map_or(&[][..], |(_, differences)| differences);
        let mut receipt = format!(
            "tree: {}\nmanifest: sha256 {hash}\n{}\n",
            mtree::Escaped(tree),
            mtree::summary(found, level)
        )
        .into_bytes();
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

fn tolerance(value: &[u8]) -> Result<u64, Refusal> {
    let wrong = || Refusal::Value { option: "--tolerance", value: text(value) };
    let seconds: u64 = text(value).parse().map_err(|_| wrong())?;
    seconds.checked_mul(1_000_000_000).ok_or_else(wrong)
}

fn ignore(value: &[u8]) -> Result<Keywords, Refusal> {
    let wrong = |_| Refusal::Value { option: "--ignore", value: text(value) };
    text(value).parse().map_err(wrong)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Hashes what is read.
struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
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
        refused(&["server"], "no tree is called \"server\" here");
        refused(&["/etc"], "no tree is called \"/etc\" here");
        refused(&[], "arguments are a tree");
        refused(&["laptop", "--tree", "x=/"], "arguments are a tree");
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
    fn a_wrong_configuration_is_said() {
        for words in [
            &["builtin:mtree-verify"][..],
            &["builtin:mtree-verify", "--tree", "laptop"],
            &["builtin:mtree-verify", "--tree", "laptop=relative"],
            &["builtin:mtree-verify", "--colour"],
            &["builtin:mtree-verify", "--tree", "a=/b", "--tolerance", "x"],
        ] {
            assert!(matches!(call(words, &["laptop"], b""), Verdict::Failed { .. }));
        }
    }
}
