//! A set: datasets, destinations and how they are sent, from flags or from the configuration.

use crate::cli::{
    command::WrongUsage,
    flag::{Nice, flags},
    lookup::{self, Name},
    session::Session,
    stdio,
};
use crate::log::sentence;
use crate::outbound::ExecOptions;
use crate::zfs::command::Zfs;
use crate::zfs::lock::Locks;
use crate::zfs::name::Dataset;
use crate::zfs::receive::seconds;
use crate::zfs::send::{Flow, Job, Naming, Options, QueueError, Report, SendError, Source};
use anyhow::{Context, bail};
use packmule_protocol::niceness::Niceness;
use serde::Deserialize;
use std::{collections::BTreeMap, ffi::OsString, io::Read, time::Duration};

flags! {
    /// The flags of commands that send.
    pub(super) struct Sending {
        /// Set: what is sent together and does not share its bases with other sets
        "set" set: Option<String> = Some("main".into());
        /// Snapshot names: packmule, or simplesnap to go on with a chain it began
        "naming" naming: Option<String> = Some("packmule".into());
        /// Children too, but those with org.complete.simplesnap:exclude=on or packmule:exclude=on
        "r" recursive: bool;
        /// Raw: encrypted as on disk
        "w" raw: bool;
        /// Blocks as they are compressed on disk
        "c" compressed: bool;
        /// Blocks over 128 KiB
        "L" large_blocks: bool;
        /// Blocks that live in their pointers
        "e" embedded: bool;
        /// Level of zstd compression, 0 for none
        "zstd" zstd: i64 = 3;
        /// A filter that encrypts (words, no shell)
        "encrypt" encrypt: Option<String>;
        /// Handle at the destination
        "handle" handle: Option<String> = Some("zfsreceive".into());
        /// Put before the dataset's name, for a receiver with --host
        "host" host: Option<String>;
        /// Send nothing when nothing was written
        "skip-unchanged" skip_unchanged: bool;
        /// Snapshots of the set to keep, 0 for all; a base is never removed
        "keep" keep: u64;
        /// How long marks of sent snapshots are kept
        "keep-marks" keep_marks: Option<String> = Some("90d".into());
        /// Words before zfs, such as sudo -n
        "prefix" prefix: Option<String>;
        /// The zfs to run
        "zfs" zfs: Option<String>;
        /// Outbound packet niceness
        "nice" nice: Nice = Nice::of(Niceness::BULK);
    }
}

/// A set of the configuration, `packmule: { zfs: { sets: { NAME: … } } }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Set {
    /// Destinations.
    pub(super) to: Vec<String>,
    /// Datasets.
    pub(super) datasets: Vec<String>,
    naming: String,
    pub(super) recursive: bool,
    raw: bool,
    compressed: bool,
    large_blocks: bool,
    embedded: bool,
    zstd: i32,
    encrypt: Vec<String>,
    handle: String,
    host: Option<String>,
    skip_unchanged: bool,
    keep: usize,
    keep_marks: String,
    prefix: Vec<String>,
    zfs: Option<String>,
    nice: String,
}

/// What the configuration says under `packmule`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Own {
    zfs: Sets,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sets {
    sets: BTreeMap<String, Set>,
}

/// The sets of the configuration.
pub(super) fn configured(session: &Session) -> anyhow::Result<BTreeMap<String, Set>> {
    let own: Option<Own> = serde_json::from_value(session.node.packmule.clone())
        .context("configuration: packmule.zfs.sets")?;
    Ok(own.unwrap_or_default().zfs.sets)
}

impl Default for Set {
    fn default() -> Self {
        Self::from(&Sending::default())
    }
}

impl From<&Sending> for Set {
    fn from(flags: &Sending) -> Self {
        let words = |text: &Option<String>| {
            text.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()
        };
        Self {
            to: Vec::new(),
            datasets: Vec::new(),
            naming: flags.naming.clone().unwrap_or_default(),
            recursive: flags.recursive,
            raw: flags.raw,
            compressed: flags.compressed,
            large_blocks: flags.large_blocks,
            embedded: flags.embedded,
            zstd: i32::try_from(flags.zstd).unwrap_or(i32::MAX),
            encrypt: words(&flags.encrypt),
            handle: flags.handle.clone().unwrap_or_default(),
            host: flags.host.clone(),
            skip_unchanged: flags.skip_unchanged,
            keep: usize::try_from(flags.keep).unwrap_or(usize::MAX),
            keep_marks: flags.keep_marks.clone().unwrap_or_default(),
            prefix: words(&flags.prefix),
            zfs: flags.zfs.clone(),
            nice: flags.nice.text().to_owned(),
        }
    }
}

impl Set {
    /// The set that flags and operands (`NODE,… DATASET…`) describe. What no flag says is as the
    /// configuration's set of that name has it, if there is one.
    pub(super) fn from_flags(
        flags: &Sending,
        operands: &[OsString],
        session: &Session,
    ) -> anyhow::Result<Self> {
        let [to, datasets @ ..] = operands else { return Err(WrongUsage.into()) };
        let text = |word: &OsString| word.to_string_lossy().into_owned();
        let name = flags.set.as_deref().unwrap_or_default();
        Ok(Self {
            to: text(to).split(',').map(str::to_owned).collect(),
            datasets: datasets.iter().map(text).collect(),
            ..Self::from(flags).over(configured(session)?.remove(name).unwrap_or_default())
        })
    }

    /// These options, and where they are the usual ones those of `other`.
    fn over(self, other: Self) -> Self {
        fn given<T: PartialEq>(value: T, usual: &T, other: T) -> T {
            if value == *usual { other } else { value }
        }
        let usual = Self::default();
        Self {
            to: given(self.to, &usual.to, other.to),
            datasets: given(self.datasets, &usual.datasets, other.datasets),
            naming: given(self.naming, &usual.naming, other.naming),
            recursive: given(self.recursive, &usual.recursive, other.recursive),
            raw: given(self.raw, &usual.raw, other.raw),
            compressed: given(self.compressed, &usual.compressed, other.compressed),
            large_blocks: given(self.large_blocks, &usual.large_blocks, other.large_blocks),
            embedded: given(self.embedded, &usual.embedded, other.embedded),
            zstd: given(self.zstd, &usual.zstd, other.zstd),
            encrypt: given(self.encrypt, &usual.encrypt, other.encrypt),
            handle: given(self.handle, &usual.handle, other.handle),
            host: given(self.host, &usual.host, other.host),
            skip_unchanged: given(self.skip_unchanged, &usual.skip_unchanged, other.skip_unchanged),
            keep: given(self.keep, &usual.keep, other.keep),
            keep_marks: given(self.keep_marks, &usual.keep_marks, other.keep_marks),
            prefix: given(self.prefix, &usual.prefix, other.prefix),
            zfs: given(self.zfs, &usual.zfs, other.zfs),
            nice: given(self.nice, &usual.nice, other.nice),
        }
    }

    fn options(&self, name: &str) -> anyhow::Result<Options> {
        let naming = match self.naming.as_str() {
            "packmule" => Naming::Packmule,
            "simplesnap" => Naming::Simplesnap,
            other => bail!("naming: {other:?} is neither packmule nor simplesnap"),
        };
        if !(0..=22).contains(&self.zstd) {
            bail!("zstd: {} is not a level from 0 to 22", self.zstd);
        }
        let keep_marks = seconds(&self.keep_marks)
            .with_context(|| format!("keep-marks: {:?} is not a duration", self.keep_marks))?;
        Ok(Options {
            set: name.parse()?,
            naming,
            recursive: self.recursive,
            raw: self.raw,
            compressed: self.compressed,
            large_blocks: self.large_blocks,
            embedded: self.embedded,
            skip_unchanged: self.skip_unchanged,
            keep: (self.keep > 0).then_some(self.keep),
            keep_marks: Duration::from_secs(keep_marks),
            flow: Flow {
                zstd: (self.zstd > 0).then_some(self.zstd),
                encrypt: self.encrypt.clone(),
            },
        })
    }

    /// Sends the set, or sends it again from `from`. Tells whether all of it was queued.
    pub(super) fn send(
        &self,
        name: &str,
        session: &Session,
        from: Option<&Source>,
    ) -> anyhow::Result<bool> {
        let options = self.options(name)?;
        let nice = self.nice.parse().with_context(|| format!("nice: {:?}", self.nice))?;
        for (key, listed) in [("to", &self.to), ("datasets", &self.datasets)] {
            if listed.is_empty() {
                bail!("{key}: it is empty, so there is nothing to send");
            }
        }
        let zfs = Zfs::new(&self.prefix, self.zfs.as_deref())?;
        // Names are looked up now, so that a wrong one costs no snapshot.
        let named = |node: &String| session.node.find(node).map(|found| found.name.clone());
        let to = self.to.iter().map(named).collect::<Result<Vec<_>, _>>();
        let to = to.context("Invalid NODE specified")?;
        let job = Job::new(&zfs, &options, &to, &Locks::of_user())?;
        if options.skip_unchanged && !job.knows_written() {
            complain("skip-unchanged: this zfs does not tell what was written, so all is sent");
        }
        let queue = |node: &str, dataset: &Dataset, stream: &mut (dyn Read + Send)| {
            let to = lookup::destination(&session.node, Name::Node(node))
                .map_err(|error| QueueError::from(error.to_string()))?;
            let host = self.host.as_ref().map(|host| format!("{host}/")).unwrap_or_default();
            let command = [self.handle.clone().into_bytes(), format!("{host}{dataset}").into()];
            let options = ExecOptions { nice, uncompressed: true, ..ExecOptions::default() };
            session.outbox().exec(to, &command, stream, &options)?;
            Ok(())
        };
        let mut whole = true;
        for dataset in &self.datasets {
            let send = |dataset| match from {
                None => job.send(&dataset, &queue),
                Some(from) => job.resend(&dataset, from, &queue),
            };
            match Dataset::parse(dataset).map_err(SendError::from).and_then(send) {
                Ok(reports) => whole &= reports.iter().map(tell).fold(true, |all, ok| all & ok),
                Err(error) => {
                    complain(&format!("{dataset}: {error}"));
                    whole = false;
                }
            }
        }
        Ok(whole)
    }
}

fn tell(report: &Report) -> bool {
    let Report { dataset, destination, result } = report;
    match result {
        Ok(None) => {
            stdio::print(&format!("{dataset} to {destination}: it has the newest snapshot\n"));
            true
        }
        Ok(Some(sent)) => {
            let what = if sent.from_guid == 0 { "full" } else { "increment" };
            let (snapshot, bytes) = (&sent.snapshot, sent.bytes);
            stdio::print(&format!(
                "{dataset}@{snapshot} to {destination}: {what}, {bytes} bytes\n"
            ));
            true
        }
        Err(error) => {
            // Many errors name the dataset themselves.
            match &**destination {
                "" => complain(&error.to_string()),
                _ => complain(&format!("{dataset} to {destination}: {error}")),
            }
            false
        }
    }
}

fn complain(text: &str) {
    stdio::complain(&format!("{}\n", sentence::escape(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_goes_before_the_configuration_and_the_configuration_before_what_is_usual() {
        let configured: Set = serde_json::from_str(
            r#"{"host": "laptop", "encrypt": ["age", "-r", "K"], "zstd": 9, "raw": true, "nice": "P"}"#,
        )
        .unwrap();
        let flags = Sending { zstd: 5, nice: Nice::of(Niceness::MAX), ..Sending::default() };
        let set = Set::from(&flags).over(configured);
        assert_eq!((set.host.as_deref(), set.encrypt.len(), set.raw), (Some("laptop"), 3, true));
        assert_eq!((set.zstd, &*set.nice, &*set.handle), (5, "MAX", "zfsreceive"));
    }
}
