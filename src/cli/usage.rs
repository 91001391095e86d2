//! Usage texts, in the layout of Go's `flag` package.

use super::command::{Command, Face};
use super::flag::{Flag, Flags};
use super::parse::Standard;
use super::value::Kind;
use crate::handler::Builtin;
use crate::settings::Settings;
use std::fmt::Write;

/// The usage text of a command; `program` is the name that the caller used.
pub(crate) fn text(command: &Command, program: &str) -> String {
    let mut out = format!("{} -- {}\n\n", full_name(command), command.about);
    for (number, form) in command.usage.iter().enumerate() {
        let label = if number == 0 { "Usage:" } else { "      " };
        let _ = writeln!(out, "{label} {program} {form}");
    }
    if !command.notes.is_empty() {
        let notes = with_settings(command.notes, Settings::help);
        let _ = write!(out, "\n{}\n\n", notes.trim_end());
    }
    out.push_str("Options:\n");
    for flag in flags_of(command, Face::of(program)) {
        out.push_str(&option(&flag));
    }
    out
}

/// Replaces lines such as `{settings:zfs-receive}` with the settings of that builtin.
pub(crate) fn with_settings(text: &str, shown: fn(Settings) -> String) -> String {
    let line = |line: &str| {
        let name = line.trim().strip_prefix("{settings:").and_then(|rest| rest.strip_suffix('}'));
        match name.and_then(Builtin::called) {
            Some(builtin) => shown(builtin.settings()),
            None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The name in titles and manuals: `nncp-toss`, or `packmule links`.
pub(crate) fn full_name(command: &Command) -> String {
    match command.face {
        Face::Reference => format!("nncp-{}", command.name),
        _ => format!("packmule {}", command.name),
    }
}

/// The flags that a command has under this face.
pub(crate) fn flags_of(command: &Command, face: Face) -> Vec<Flag> {
    let mut flags = all_flags(command);
    flags.retain(|flag| !flag.own || face == Face::Own);
    flags
}

/// All flags of a command, also the standard ones, in byte order of their names.
pub(crate) fn all_flags(command: &Command) -> Vec<Flag> {
    let mut flags = (command.flags)();
    flags.extend(Standard::declared());
    flags.sort_by(|one, other| one.name.cmp(&other.name));
    flags
}

fn option(flag: &Flag) -> String {
    let mut out = format!("  -{}", flag.name);
    if flag.kind != Kind::Switch {
        let _ = write!(out, " {}", flag.kind.word());
    }
    // Go prints the help of a one-letter switch on the same line.
    out.push_str(if out.len() <= 4 { "\t" } else { "\n    \t" });
    out.push_str(&flag.summary());
    if !flag.default.is_empty() {
        let _ = write!(out, " (default {})", flag.default);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &'static str, kind: Kind, default: &str, want: &str) {
        let flag = Flag {
            name: name.into(),
            kind,
            help: " Do it\n".into(),
            default: default.into(),
            own: false,
        };
        assert_eq!(option(&flag), want);
    }

    #[test]
    fn help_of_handlers_lists_every_setting() {
        let help = text(&super::super::handle::COMMAND, "x");
        for name in ["mtree-verify", "zfs-receive", "zfs-receipt"] {
            for setting in Builtin::called(name).unwrap().settings().0 {
                assert!(help.contains(&format!("\n  {setting}")), "{name}: {setting}");
            }
        }
        assert!(!help.contains("{settings:"), "{help}");
    }

    #[test]
    fn the_layout_is_gos() {
        check("d", Kind::Switch, "", "  -d\tDo it\n");
        check("s", Kind::Integer, "32768", "  -s int\n    \tDo it (default 32768)\n");
        check("quiet", Kind::Switch, "", "  -quiet\n    \tDo it\n");
        check("nice", Kind::Niceness, "\"MAX\"", "  -nice string\n    \tDo it (default \"MAX\")\n");
    }
}
