//! Checks the options of builtins in the configuration, before a packet arrives.

use super::builtin::Builtin;
use crate::config::{Handle, Node};

/// A handle that cannot run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// Its key in the configuration: `neigh.NAME.exec.HANDLE`.
    pub at: String,
    /// The error in its words.
    pub reason: String,
}

/// The handles of a node whose builtin cannot run. Does not check external commands.
pub(crate) fn unusable(node: &Node) -> impl Iterator<Item = Unusable> {
    node.handles().filter_map(|Handle { at, author, words }| {
        let reason = check(words, &author).err()?;
        Some(Unusable { at, reason })
    })
}

/// The handles of areas whose builtin is to send a reply, which is not possible within an area.
pub(crate) fn unanswered(node: &Node) -> impl Iterator<Item = Unusable> {
    const ANSWERS: [&str; 3] = ["receipt", "report-file", "report-exec"];
    let areas = node.handles().filter(|handle| handle.author.starts_with("area:"));
    areas.filter_map(|Handle { at, words, .. }| {
        let [first, settings @ ..] = words else { return None };
        let builtin = Builtin::of(first.as_bytes()).ok()??;
        let read = builtin.settings().read(settings).ok()?;
        let (name, _) = read.into_iter().find(|(name, _)| ANSWERS.contains(name))?;
        Some(Unusable { at, reason: format!("--{name}: a reply is not possible inside an area") })
    })
}

fn check(words: &[String], author: &str) -> Result<(), String> {
    let [first, settings @ ..] = words else { return Ok(()) };
    let named = Builtin::of(first.as_bytes()).map_err(|error| error.to_string())?;
    let Some(builtin) = named else { return Ok(()) };
    (builtin.check)(settings, author).map_err(|reason| format!("{builtin}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(words: &str) -> String {
        let words: Vec<String> = words.split('|').map(str::to_owned).collect();
        check(&words, "laptop").err().unwrap_or_default()
    }

    #[test]
    fn words_that_a_builtin_does_not_know_are_told() {
        for (words, want) in [
            (
                "builtin:zfs-recieve|--into|tank/b",
                "no builtin is called \"zfs-recieve\": zfs-receive, zfs-receipt, mtree-verify",
            ),
            (
                "builtin:zfs-receive|--zfs|/sbin/zfs",
                "builtin:zfs-receive: --into DATASET is required",
            ),
            (
                "builtin:zfs-receive|--into|tank/b|--force",
                "builtin:zfs-receive: unknown option \"--force\"",
            ),
            ("builtin:zfs-receipt|--into|tank/b", "builtin:zfs-receipt: unknown option \"--into\""),
            ("builtin:mtree-verify", "builtin:mtree-verify: the handler has no --tree"),
        ] {
            assert_eq!(wrong(words), want, "{words}");
        }
    }

    #[test]
    fn words_that_are_right_and_external_commands_are_not_told() {
        for words in [
            "builtin:zfs-receive|--into|tank/b|--zfs|/sbin/zfs",
            "builtin:zfs-receipt|--zfs|/sbin/zfs",
            "builtin:mtree-verify|--tree|home=/home",
            "/usr/sbin/sendmail|--force",
            "",
        ] {
            assert_eq!(wrong(words), "", "{words}");
        }
    }
}
