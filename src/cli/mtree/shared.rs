//! Code that the subcommands share: flags, reading and writing manifests.

use super::input::{self, Input};
use crate::cli::flag::flags;
use crate::cli::progress::{Screen, Show};
use crate::cli::stdio;
use crate::cli::value::{Kind, Value, ValueError};
use crate::disk::parent;
use crate::mtree::{
    self, Dialect, Excludes, Keyword, Keywords, Layout, Level, Manifest, Rules, Trailer, Trouble,
    WriteOptions,
};
use crate::progress::Progress;
use anyhow::{Context, bail};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

flags! {
    /// Selects the keywords of a manifest.
    pub(super) struct Which {
        /// Keywords to write in addition to type: a list separated by commas, or all (mtree's -k).
        /// Default: uid, gid, mode, nlink, device, link, size, time and sha256.
        /// xattr and acl add extended attributes and access control lists
        "keywords" keywords: Option<String>;
        /// Keywords to add to those (mtree's -K)
        "add" add: Option<String>;
        /// Keywords to remove from those (mtree's -R)
        "remove" remove: Option<String>;
    }
}

impl Which {
    /// The keywords that the user named one by one.
    pub(super) fn named(&self) -> anyhow::Result<Keywords> {
        let lists: Vec<&str> = self.keywords.iter().chain(&self.add).map(String::as_str).collect();
        let words = lists.iter().flat_map(|list| list.split([',', ' ']));
        let words: Vec<&str> = words.filter(|word| *word != "all").collect();
        Ok(words.join(",").parse()?)
    }

    /// The keywords, starting from `default`.
    pub(super) fn keywords(&self, default: Keywords) -> anyhow::Result<Keywords> {
        let mut chosen = match &self.keywords {
            Some(list) => list.parse::<Keywords>()?.with(Keyword::Type),
            None => default,
        };
        if let Some(list) = &self.add {
            chosen = chosen.union(list.parse()?);
        }
        if let Some(list) = &self.remove {
            chosen = chosen.without(list.parse()?);
        }
        Ok(chosen)
    }
}

flags! {
    /// Selects the format of a manifest.
    pub(super) struct How {
        /// Dialect to write: portable, netbsd, freebsd, libarchive or gomtree
        "dialect" dialect: Option<String>;
        /// Layout of entries: full (whole paths), relative (names, and .. to leave a directory) or
        /// path-last
        "layout" layout: Option<String>;
        /// Write to this file instead of standard output; it appears only once it is complete
        "output" output: Option<PathBuf>;
    }
}

impl How {
    pub(super) fn options(&self, keywords: Keywords) -> anyhow::Result<WriteOptions> {
        let dialect: Dialect = self.dialect.as_deref().unwrap_or("portable").parse()?;
        let layout: Layout = match &self.layout {
            Some(name) => name.parse()?,
            None => dialect.layout(),
        };
        Ok(WriteOptions { dialect, layout, keywords, whole: true })
    }

    /// Writes a manifest to the destination that the flags select.
    pub(super) fn write(&self, manifest: &Manifest, keywords: Keywords) -> anyhow::Result<()> {
        self.write_as(manifest, self.options(keywords)?)
    }

    /// Writes a manifest; `options` decides whether its trailer says that it is whole.
    pub(super) fn write_as(
        &self,
        manifest: &Manifest,
        options: WriteOptions,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.output else {
            return mtree::write(manifest, &options, stdio::Stdout::new())
                .context("writing standard output");
        };
        write_file(path, |file| mtree::write(manifest, &options, file))
            .with_context(|| format!("writing {}", path.display()))
    }
}

/// Writes `PATH.part` and renames it, so that the file at `path` is always complete.
fn write_file(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = File::create(&part).and_then(|mut file| {
        write(&mut file)?;
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(stdio::disk().sync_dir(&parent(path))?)
    });
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

flags! {
    /// Selects the part of a tree to read.
    pub(super) struct Scope {
        /// Skip objects that match this pattern. A pattern with a slash is matched against the path,
        /// any other against the name. Can be given several times
        "exclude" exclude: Patterns;
        /// Skip objects that match the patterns of this file, one on each line
        "exclude-from" exclude_from: Option<PathBuf>;
        /// Do not cross file system boundaries
        "x" one_file_system: bool;
    }
}

impl Scope {
    pub(super) fn excludes(&self) -> anyhow::Result<Excludes> {
        let mut excludes = Excludes::default();
        for pattern in &self.exclude.0 {
            excludes.add(pattern.as_bytes());
        }
        if let Some(path) = &self.exclude_from {
            let text =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            excludes.add_lines(&text);
        }
        Ok(excludes)
    }
}

/// A flag that can be given several times.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Vec<OsString>);

impl Value for Patterns {
    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn set(&mut self, text: &OsStr) -> Result<(), ValueError> {
        self.0.push(text.to_owned());
        Ok(())
    }

    fn shown(&self) -> String {
        String::new()
    }
}

flags! {
    /// Selects how objects are compared and how differences are reported.
    pub(super) struct Comparing {
        /// Fail on every difference, also of nanoseconds, on unknown keywords, on duplicate entries
        /// and if the manifest does not say that it is whole
        "strict" strict: bool;
        /// Fail only on missing and extra objects and on differences of type, content, link target
        /// or device number. Other differences are reported
        "loose" loose: bool;
        /// Ignore differences of times up to this many seconds, such as 2 or 0.001
        "tolerance" tolerance: Option<String>;
        /// Keywords not to compare, such as uid,gid,time
        "ignore" ignore: Option<String>;
        /// Do not report extra objects (mtree's -e)
        "e" ignore_extra: bool;
        /// Allow entries for one path that differ in type; the last one counts (mtree's -M)
        "merge" merge: bool;
        /// Format of the report: text, json (one object on each line) or mtree (as NetBSD's mtree)
        "format" format: Option<String>;
        /// The same as -format json
        "json" json: bool;
        /// Print no warnings and no progress
        "quiet" quiet: bool;
    }
}

impl Comparing {
    pub(super) fn rules(&self) -> anyhow::Result<Rules> {
        let level = match (self.strict, self.loose) {
            (true, true) => bail!("-strict and -loose exclude each other"),
            (true, false) => Level::Strict,
            (false, true) => Level::Loose,
            (false, false) => Level::Normal,
        };
        let tolerance = self.tolerance.as_deref().map_or(Ok(0), nanoseconds)?;
        let ignore = self.ignore.as_deref().unwrap_or_default().parse()?;
        Ok(Rules { level, tolerance, ignore, ignore_extra: self.ignore_extra })
    }

    pub(super) fn format(&self) -> anyhow::Result<mtree::Format> {
        Ok(match self.format.as_deref() {
            None if self.json => mtree::Format::Json,
            Some("json") => mtree::Format::Json,
            None | Some("text") => mtree::Format::Text,
            Some("mtree") => mtree::Format::Mtree,
            Some(other) => bail!("{other:?} is none of text, json, mtree"),
        })
    }

    /// Reads a manifest for a comparison.
    ///
    /// # Errors
    /// The manifest cannot be read, is cut off or altered, or with `-strict` may be so.
    pub(super) fn read(&self, path: &OsStr, command: &str) -> anyhow::Result<Input> {
        let input = input::read(path, self.merge, self.quiet, command)?;
        match input.reading.trailer {
            Trailer::Broken => {
                bail!("{}: not whole, or altered: its trailer differs", path.display())
            }
            Trailer::Absent if self.strict => {
                bail!("{}: it does not say whether it is whole", path.display())
            }
            _ if self.strict && !input.reading.warnings.is_empty() => {
                bail!("{}: there were warnings", path.display())
            }
            _ => Ok(input),
        }
    }
}

/// Decimal seconds.
fn nanoseconds(text: &str) -> anyhow::Result<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<9}");
    match digits.parse() {
        Ok(nanoseconds) if fraction.len() <= 9 => Ok(nanoseconds),
        _ => bail!("{text:?} is not a number of seconds"),
    }
}

/// Reports objects that could not be read. True if there were any.
pub(super) fn report_unread(troubles: &[Trouble]) -> bool {
    for trouble in troubles {
        stdio::complain(&format!("./{trouble}\n"));
    }
    !troubles.is_empty()
}

/// Reports patterns that matched nothing: they are probably wrong.
pub(super) fn report_unused(excludes: &Excludes) {
    for pattern in excludes.unused() {
        let pattern = crate::display::escape(&String::from_utf8_lossy(pattern));
        stdio::complain(&format!("pattern {pattern} matches nothing\n"));
    }
}

/// Reports requested keywords that the new manifest will not have.
pub(super) fn warn_unavailable(keywords: Keywords, why: &str) {
    for keyword in keywords.iter() {
        stdio::complain(&format!("keyword {keyword} is left out: {why}\n"));
    }
}

/// Progress on a terminal.
pub(super) fn progress(quiet: bool) -> Progress {
    let show = if quiet || !io::stderr().is_terminal() { Show::Nothing } else { Show::Slow };
    Screen::new(show).watcher().map(Progress::to).unwrap_or_default()
}

/// Prints the differences that a comparison found. Returns its exit status.
pub(super) fn report(
    found: &mtree::Comparison,
    manifest: &Manifest,
    comparison: &Comparing,
) -> anyhow::Result<crate::cli::command::Exit> {
    use crate::cli::command::Exit;
    let (level, format) = (comparison.rules()?.level, comparison.format()?);
    let verdict = found.verdict(level);
    let is_unchecked = verdict == mtree::Verdict::Unchecked;
    let summary = mtree::summary(found, level, format);
    let mut output = stdio::Stdout::new();
    mtree::show(found, manifest, level, format, &mut output)
        .and_then(|()| match format {
            // NetBSD's mtree prints differences and nothing else.
            mtree::Format::Mtree if comparison.quiet => Ok(()),
            _ => output.write_all(summary.as_bytes()),
        })
        .and_then(|()| output.flush())
        .context("writing standard output")?;
    report_unread(&found.troubles);
    if format == mtree::Format::Mtree && comparison.quiet && is_unchecked {
        stdio::complain(&summary);
    }
    let print_unchecked = format != mtree::Format::Json && (is_unchecked || !comparison.quiet);
    if print_unchecked && !found.unchecked.is_empty() {
        stdio::complain(&format!("not compared: {}\n", found.unchecked));
    }
    Ok(match verdict {
        mtree::Verdict::Equal => Exit::Done,
        mtree::Verdict::Different => Exit::Different,
        mtree::Verdict::Unchecked => Exit::Failed,
    })
}
