//! The throw-away pools `labsrc` and `labdst`, and what scenarios do with them.

use packmule::internal::chain::Next;
use packmule::internal::zfs::command::Zfs;
use packmule::internal::zfs::lock::Locks;
use packmule::internal::zfs::name::Dataset;
use packmule::internal::zfs::receive::{Outcome, Policy, Session};
use packmule::internal::zfs::send::{Dispatch, Flow, Naming, Options, QueueError, Run, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/zfs/zfs-fuse-lab.sh");

/// The running lab. Dropped, it is stopped.
pub(crate) struct Lab {
    directory: tempfile::TempDir,
    kind: Kind,
    pub(crate) zfs: Zfs,
}

/// Whose pools they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those of a zfs-fuse that the lab started.
    Fuse,
    /// OpenZFS, on an emulated machine that is ours alone.
    Open,
}

/// What was queued: destination, dataset, stream.
pub(crate) type Packets = Vec<(String, String, Vec<u8>)>;

impl Lab {
    /// A zfs-fuse of our own, or why there can be none.
    pub(crate) fn fuse() -> Result<Self, String> {
        let this = Self::new(Kind::Fuse);
        this.up().map(|()| this)
    }

    /// This machine's OpenZFS, of which nobody else may have need.
    pub(crate) fn open() -> Self {
        Self::new(Kind::Open)
    }

    fn new(kind: Kind) -> Self {
        let directory = tempfile::Builder::new().prefix("packmule-zfs-").tempdir().unwrap();
        Self { directory, kind, zfs: Zfs::new(&[], Some("/sbin/zfs")).unwrap() }
    }

    /// Of many stages, every so many-th is enough: an emulated machine is slow.
    pub(crate) fn stride(&self) -> usize {
        if self.kind == Kind::Open { 4 } else { 1 }
    }

    /// Starts the daemon with empty pools; the error says why that is not possible here.
    fn up(&self) -> Result<(), String> {
        let output = Command::new("sh").arg(SCRIPT).arg("start").arg(self.path()).output();
        let output = output.map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        match output.status.code() {
            Some(0) => Ok(()),
            Some(3) => Err(said),
            _ => panic!("the lab does not start: {said}"),
        }
    }

    fn down(&self) {
        let _ = Command::new("sh").arg(SCRIPT).arg("stop").arg(self.path()).output();
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn locks(&self) -> Locks {
        Locks::new(self.path().join("locks"))
    }

    /// Both pools empty.
    pub(crate) fn clean(&self) {
        if self.kind == Kind::Open {
            ["labsrc", "labdst"].iter().for_each(|pool| self.remake(pool));
        } else if !self.is_emptied() {
            // Whoever holds on to a FUSE mount keeps its dataset busy, but not a new daemon's.
            self.down();
            self.up().unwrap();
        }
        self.zfs(&["create", "labdst/b"]);
        self.zfs(&["create", "labdst/b/laptop"]);
    }

    fn remake(&self, pool: &str) {
        let image = self.path().join(format!("{pool}.img"));
        if image.exists() {
            run("zpool", &["destroy", "-f", pool]);
        }
        fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let image = image.display().to_string();
        run("zpool", &["create", "-f", "-O", "mountpoint=none", pool, &image]);
    }

    fn is_emptied(&self) -> bool {
        ["labsrc", "labdst"].iter().all(|pool| {
            let list =
                self.zfs(&["list", "-H", "-o", "name", "-t", "filesystem,snapshot", "-r", pool]);
            for name in list.lines().filter(|name| name.contains('@')) {
                let _ = self.zfs.ask(&["release", "packmule", name]);
            }
            let mut tops = list.lines().filter(|n| n.matches('/').count() == 1 && !n.contains('@'));
            tops.all(|name| self.is_destroyed(name))
        })
    }

    /// A FUSE mount that is just going away keeps its dataset busy for a moment.
    fn is_destroyed(&self, name: &str) -> bool {
        (0..20).any(|_| {
            let gone = self.zfs.ask(&["destroy", "-rf", name]).is_ok();
            if !gone {
                std::thread::sleep(Duration::from_millis(100));
            }
            gone
        })
    }

    pub(crate) fn zfs(&self, args: &[&str]) -> String {
        self.zfs.ask(args).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A mounted dataset in the source pool; gives its directory.
    pub(crate) fn create(&self, name: &str) -> PathBuf {
        let mountpoint = self.path().join(name.replace('/', "_"));
        self.zfs(&["create", "-o", &format!("mountpoint={}", mountpoint.display()), name]);
        mountpoint
    }

    /// Takes every mark of what was sent away.
    pub(crate) fn forget_sent(&self, dataset: &str) {
        match self.kind {
            Kind::Fuse => {
                let get = ["get", "-H", "-r", "-o", "name", "-s", "local", "packmule:sent"];
                for name in self.zfs(&[&get[..], &[dataset]].concat()).lines() {
                    self.zfs(&["inherit", "packmule:sent", name]);
                }
            }
            Kind::Open => {
                let marks =
                    self.zfs(&["list", "-H", "-o", "name", "-t", "bookmark", "-r", dataset]);
                for mark in marks.lines().filter(|mark| mark.contains(":sent:")) {
                    self.zfs(&["destroy", mark]);
                }
            }
        }
    }

    /// The newest snapshot that is marked as confirmed, by its name.
    pub(crate) fn confirmed(&self, dataset: &str) -> String {
        if self.kind == Kind::Fuse {
            let get = ["get", "-H", "-r", "-o", "name", "-s", "local", "packmule:confirmed"];
            let names = self.zfs(&[&get[..], &[dataset]].concat());
            return names.lines().last().unwrap_or_default().replacen(dataset, "", 1);
        }
        let list = ["list", "-Hp", "-t", "bookmark", "-o", "name,guid", "-s", "createtxg"];
        let marks = self.zfs(&[&list[..], &["-d", "1", dataset]].concat());
        let newest = marks.lines().rfind(|line| line.contains(":confirmed:"));
        let guid = newest.and_then(|line| line.split_once('\t')).map(|(_, guid)| guid);
        let mut known = self.guids(dataset).into_iter();
        known.find(|(_, known)| Some(&**known) == guid).map(|(name, _)| name).unwrap_or_default()
    }

    /// Names and guids of the snapshots below a dataset, without its own name.
    pub(crate) fn guids(&self, root: &str) -> BTreeMap<String, String> {
        let answer = self.zfs(&["get", "-Hp", "-r", "-o", "name,value", "guid", root]);
        let line = |line: &str| {
            let (name, guid) = line.split_once('\t')?;
            let name = name.strip_prefix(root)?;
            name.contains('@').then(|| (name.to_owned(), guid.to_owned()))
        };
        answer.lines().filter_map(line).collect()
    }

    /// Name and guid of a dataset's newest snapshot.
    pub(crate) fn newest(&self, dataset: &str) -> (String, String) {
        let guids = self.guids(dataset);
        let mut own = guids.iter().filter_map(|(name, guid)| Some((name.strip_prefix('@')?, guid)));
        let (name, guid) = own.next_back().unwrap();
        (name.to_owned(), guid.clone())
    }

    /// Runs the sender on `labsrc/NAME` and gives what it queued.
    pub(crate) fn send(
        &self,
        dataset: &str,
        options: &Options,
        to: &[&str],
    ) -> (Vec<Dispatch>, Packets) {
        let taken = Mutex::new(Vec::new());
        let dispatches = self.send_with(
            options,
            to,
            |run, queue| run.send(&Dataset::parse(dataset).unwrap(), queue).unwrap(),
            &taken,
        );
        (dispatches, taken.into_inner().unwrap())
    }

    /// Runs the sender with a base that a person named.
    pub(crate) fn send_from(
        &self,
        dataset: &str,
        options: &Options,
        from: &Source,
    ) -> (Vec<Dispatch>, Packets) {
        let taken = Mutex::new(Vec::new());
        let dispatches = self.send_with(
            options,
            &["vault"],
            |run, queue| run.send_from(&Dataset::parse(dataset).unwrap(), from, queue).unwrap(),
            &taken,
        );
        (dispatches, taken.into_inner().unwrap())
    }

    pub(crate) fn resend(&self, dataset: &str, options: &Options, from: &Source) -> Packets {
        let (dispatches, packets) = self.resend_what_can(dataset, options, from);
        dispatches.iter().for_each(|dispatch| assert!(dispatch.result.is_ok(), "{dispatch:?}"));
        packets
    }

    pub(crate) fn resend_what_can(
        &self,
        dataset: &str,
        options: &Options,
        from: &Source,
    ) -> (Vec<Dispatch>, Packets) {
        let taken = Mutex::new(Vec::new());
        let dispatches = self.send_with(
            options,
            &["vault"],
            |run, queue| run.resend(&Dataset::parse(dataset).unwrap(), from, queue).unwrap(),
            &taken,
        );
        (dispatches, taken.into_inner().unwrap())
    }

    /// How often `zfs send` is run to send a dataset to these.
    pub(crate) fn sends_for(&self, dataset: &str, to: &[&str]) -> usize {
        let log = self.path().join("zfs.log");
        let script = format!("echo \"$2\" >> {}; exec \"$@\"", log.display());
        let words = ["/bin/sh", "-c", &script, "sh"].map(str::to_owned);
        let zfs = Zfs::new(&words, None).unwrap();
        let to: Vec<_> = to.iter().map(|name| (*name).to_owned()).collect();
        let queue = |_: &str, _: &Dataset, stream: &mut (dyn Read + Send)| {
            std::io::copy(stream, &mut std::io::sink())?;
            Ok(())
        };
        let options = options();
        let run = Run::new(&zfs, &options, &to, &self.locks()).unwrap();
        run.send(&Dataset::parse(dataset).unwrap(), &queue).unwrap();
        fs::read_to_string(log).unwrap().lines().filter(|word| *word == "send").count()
    }

    fn send_with(
        &self,
        options: &Options,
        to: &[&str],
        send: impl Fn(&Run<'_>, &packmule::internal::zfs::send::Queue<'_>) -> Vec<Dispatch>,
        taken: &Mutex<Packets>,
    ) -> Vec<Dispatch> {
        let to: Vec<String> = to.iter().map(|name| (*name).to_owned()).collect();
        let run = Run::new(&self.zfs, options, &to, &self.locks()).unwrap();
        let queue = |to: &str, dataset: &Dataset, stream: &mut (dyn Read + Send)| {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            if self.kind == Kind::Open {
                super::dump::keep(&bytes);
            }
            if to == "broken" {
                return Err(QueueError::from("the disk is full"));
            }
            if to == "thief" {
                let _ = self.zfs.ask(&["destroy", "-r", "labsrc/home/b"]);
            }
            taken.lock().unwrap().push((to.to_owned(), dataset.to_string(), bytes));
            Ok(())
        };
        send(&run, &queue)
    }

    pub(crate) fn policy(&self, more: &[&str]) -> Policy {
        let words = ["--into", "labdst/b/laptop"].iter().chain(more);
        let words: Vec<String> = words.map(|word| (*word).to_owned()).collect();
        Policy::parse(&words, "laptop").unwrap()
    }

    /// One toss: everything that waits is looked at and applied in the receiver's order. What is
    /// done or a duplicate goes; the rest stays in `waiting`, in order.
    pub(crate) fn toss(&self, waiting: &mut Packets, more: &[&str]) -> Vec<(String, Outcome)> {
        let policy = self.policy(more);
        let mut session = Session::new(policy, self.locks()).unwrap();
        let opener = |bytes: &Vec<u8>| {
            let bytes = bytes.clone();
            move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>)
        };
        for (key, (_, dataset, bytes)) in waiting.iter().enumerate() {
            let asked = dataset.strip_prefix("labsrc/");
            session.add(key, asked, SystemTime::now(), &opener(bytes));
        }
        let mut outcomes = Vec::new();
        let mut gone = Vec::new();
        while let Some(step) = session.step() {
            let (key, outcome) = match step {
                Next::Answer(key, outcome) => (key, outcome),
                Next::Apply(key) => (key, session.apply(key, &opener(&waiting[key].2)).unwrap()),
            };
            if matches!(outcome, Outcome::Done(_) | Outcome::Duplicate(_)) {
                gone.push(key);
            }
            outcomes.push((waiting[key].1.clone(), outcome));
        }
        let mut key = 0;
        waiting.retain(|_| {
            key += 1;
            !gone.contains(&(key - 1))
        });
        outcomes
    }

    /// The snapshots below the source dataset are all below its backup, with the same guids.
    pub(crate) fn same(&self, dataset: &str) {
        let backup = dataset.replace("labsrc/", "labdst/b/laptop/");
        assert_eq!(self.guids(&backup), self.guids(dataset), "{dataset} and its backup");
    }

    /// The files of a backup's newest state, by path.
    pub(crate) fn content(&self, dataset: &str) -> BTreeMap<String, Vec<u8>> {
        let name = dataset.replace("labsrc/", "labdst/b/laptop/");
        let place = self.path().join("look");
        let old = self.zfs(&["get", "-H", "-o", "value", "mountpoint", &name]);
        self.zfs(&["set", &format!("mountpoint={}", place.display()), &name]);
        let _ = self.zfs.ask(&["mount", &name]);
        let files = files(&place);
        self.zfs(&["set", &format!("mountpoint={}", old.trim()), &name]);
        files
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.kind == Kind::Fuse {
            self.down();
        }
    }
}

/// Runs a program, and gives what it wrote.
pub(crate) fn run(program: &str, words: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {said}");
    output.stdout
}

pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        path.is_file().then(|| (name, fs::read(&path).unwrap()))
    };
    fs::read_dir(directory).unwrap().filter_map(entry).collect()
}

pub(crate) fn options() -> Options {
    Options {
        set: "main".parse().unwrap(),
        naming: Naming::Packmule,
        recursive: false,
        raw: false,
        compressed: false,
        large_blocks: false,
        embedded: false,
        skip_unchanged: false,
        keep: None,
        keep_marks: Duration::from_secs(90 * 86400),
        flow: Flow::default(),
        apart: Vec::new(),
        spool: BTreeSet::new(),
    }
}
