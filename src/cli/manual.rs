//! Manual pages, made of hand-written texts and the table of commands.

use super::command::{Command, Face};
use super::flag::Flag;
use super::kinds::{OfCalls, Wording};
use super::table::COMMANDS;
use super::value::Kind;
use super::{roff, usage};
use crate::settings::Settings;
use packmule_protocol::packet::kind::Row;
use std::fmt::Write;

/// A page in the format of `man`.
#[derive(Debug)]
pub struct Page {
    /// Its file name: `nncp-toss.1`.
    pub file: String,
    /// Its text.
    pub roff: String,
}

/// All pages. `read` returns a hand-written text: `toss.md` for a command, `None` if it has no text,
/// and `NAME.N.md` for a whole page. The first line of a whole page is its summary.
pub fn pages(read: impl Fn(&str) -> Option<String>) -> Vec<Page> {
    let text = |name: &str| read(&format!("{name}.md")).unwrap_or_default();
    let mut pages = vec![overview_page(&text("packmule"))];
    for command in COMMANDS.iter().filter(|command| command.face != Face::Hidden) {
        pages.push(command_page(command, &text(command.name)));
    }
    for (name, section) in [("nncp.hjson", 5), ("packmule-airgap", 7), ("packmule-json", 7)] {
        let text = text(&format!("{name}.{section}"));
        let (about, text) = text.split_once('\n').unwrap_or_default();
        pages.push(text_page(name, section, about, text));
    }
    pages
}

/// The page of a command; `text` is its hand-written part.
fn command_page(command: &Command, text: &str) -> Page {
    let name = usage::full_name(command).replace(' ', "-");
    let mut roff = title(&name, 1);
    let _ = write!(roff, ".SH NAME\n{}\n", roff::line(&format!("{name} - {}", command.about)));
    roff.push_str(".SH SYNOPSIS\n");
    for form in command.usage {
        let shown = usage::full_name(command);
        let _ = writeln!(roff, "{}\n.br", roff::line(&format!("`{shown}` {form}")));
    }
    let text = usage::with_settings(text, Settings::manual);
    let notes = usage::with_settings(command.notes, Settings::help);
    let (description, more) = split(&text);
    let description = if description.is_empty() { &notes } else { description };
    let _ = write!(roff, ".SH DESCRIPTION\n{}", roff::body(description));
    roff.push_str(".SH OPTIONS\n");
    for flag in usage::all_flags(command) {
        roff.push_str(&option(&flag));
    }
    roff.push_str(&roff::body(more));
    if command.face == Face::Reference {
        roff.push_str(&roff::body(NOTES));
    }
    if !more.contains("## Exit status") {
        roff.push_str(&roff::body(EXIT_STATUS));
    }
    roff.push_str(&roff::body(SEE_ALSO));
    Page { file: format!("{name}.1"), roff }
}

/// `packmule.1`: the list of commands.
fn overview_page(text: &str) -> Page {
    let mut roff = title("packmule", 1);
    roff.push_str(
        ".SH NAME\npackmule \\- NNCP store\\-and\\-forward for airgapped and asynchronous backups\n\
         .SH SYNOPSIS\n\\fBpackmule\\fR COMMAND [options] [arguments]\n.br\n\
         \\fBnncp\\-COMMAND\\fR [options] [arguments]\n",
    );
    let (description, more) = split(text);
    let _ = write!(roff, ".SH DESCRIPTION\n{}", roff::body(description));
    for (face, title) in
        [(Face::Reference, "COMMANDS OF NNCP"), (Face::Own, "PACKMULE'S OWN COMMANDS")]
    {
        let _ = writeln!(roff, ".SH {}", roff::line(title));
        for command in COMMANDS.iter().filter(|command| command.face == face) {
            let page = usage::full_name(command).replace(' ', "-");
            roff.push_str(&roff::term(&format!("`{page}`(1)"), command.about));
        }
    }
    roff.push_str(&roff::body(more));
    Page { file: "packmule.1".into(), roff }
}

/// A page that is entirely hand-written, such as nncp.hjson(5).
fn text_page(name: &str, section: u8, about: &str, text: &str) -> Page {
    let mut roff = title(name, section);
    let _ = write!(roff, ".SH NAME\n{}\n", roff::line(&format!("{name} - {about}")));
    let text = with_kinds(text);
    let (description, more) = split(&text);
    let _ = write!(roff, ".SH DESCRIPTION\n{}{}", roff::body(description), roff::body(more));
    Page { file: format!("{name}.{section}"), roff }
}

/// Replaces `{autotoss-no}` with a key for each name in the table of kinds.
fn with_kinds(text: &str) -> String {
    let keys: Vec<_> =
        Row::named().map(|row| format!("`{}{}`", OfCalls::PREFIX, row.name)).collect();
    text.replace("{autotoss-no}", &keys.join(", "))
}

/// The text before the first heading, and the rest.
fn split(text: &str) -> (&str, &str) {
    match text.find("## ") {
        Some(0) => ("", text),
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

fn title(name: &str, section: u8) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".TH {} {section} \"\" \"packmule {version}\" \"NNCP\"\n.nh\n.ad l\n",
        roff::line(&name.to_uppercase())
    )
}

fn option(flag: &Flag) -> String {
    let value = match flag.kind {
        Kind::Switch => "",
        Kind::Path => " *PATH*",
        Kind::Node => " *NODE*",
        Kind::Niceness => " *NICE*",
        Kind::Text => " *TEXT*",
        Kind::Integer | Kind::Unsigned => " *N*",
    };
    let mut text = flag.summary() + ".";
    if !flag.default.is_empty() {
        let _ = write!(text, " Default: {}.", flag.default.trim_matches('"'));
    }
    if flag.own {
        text.push_str(" Not available under the `nncp-` name.");
    }
    roff::term(&format!("`-{}`{value}", flag.name), &text)
}

const NOTES: &str = "\
## Notes

Options follow the rules of Go: one dash or two, `-name value` or `-name=value`, and none after the
first argument that is not an option. `NNCPCFG` overrides `-cfg`; see `nncp.hjson`(5) for the other
environment variables and for what a niceness is.
";

/// The section of commands whose text has none.
const EXIT_STATUS: &str = "\
## Exit status

`0`
: Success, or there was nothing to do.

`1`
: Something failed or was rejected; standard error names it.

`2`
: The command line is wrong.
";

const SEE_ALSO: &str = "\
## See also

`packmule`(1), `nncp.hjson`(5), `packmule-airgap`(7)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_every_flag_and_the_hand_written_text_in_its_places() {
        let links = COMMANDS.iter().find(|command| command.name == "links").unwrap();
        let page = command_page(links, "What it does.\n\n## Examples\n\n    run it");
        assert_eq!(page.file, "packmule-links.1");
        let order =
            ["WHAT", "What it does.", "\\fB\\-force\\fR", ".SH EXAMPLES", ".SH EXIT STATUS"];
        let places: Vec<_> = order[1..].iter().map(|part| page.roff.find(part).unwrap()).collect();
        assert!(places.is_sorted(), "{}", page.roff);
    }
}
