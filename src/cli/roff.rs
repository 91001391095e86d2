//! Converts manual texts, a small part of Markdown, to roff for `man`.
//!
//! Supports `##` and `###` headings, paragraphs, code indented by four blanks, `- ` lists, terms
//! with their texts (`: ` below the term), and `` `code` `` and `*emphasis*` inside lines. Empty
//! lines separate blocks.

use std::fmt::Write;

/// The body of a page.
pub(crate) fn body(text: &str) -> String {
    let mut out = String::new();
    for block in text.split("\n\n").map(|block| block.trim_matches('\n')) {
        let first = block.lines().next().unwrap_or_default();
        let second = block.lines().nth(1).unwrap_or_default();
        if let Some(title) = first.strip_prefix("## ") {
            let _ = writeln!(out, ".SH {}", escape(&title.to_uppercase()));
            out.push_str(&paragraph(rest(block)));
        } else if let Some(title) = first.strip_prefix("### ") {
            let _ = writeln!(out, ".SS {}", escape(title));
            out.push_str(&paragraph(rest(block)));
        } else if first.starts_with("    ") {
            out.push_str(&code(block));
        } else if first.starts_with("- ") {
            out.push_str(&list(block));
        } else if second.starts_with(": ") {
            out.push_str(&term(first, rest(block)));
        } else if !first.is_empty() {
            out.push_str(".PP\n");
            out.push_str(&paragraph(block));
        }
    }
    out
}

/// A term and its text.
pub(crate) fn term(name: &str, text: &str) -> String {
    let text: Vec<_> =
        text.lines().map(|line| line.strip_prefix(": ").unwrap_or(line).trim()).collect();
    format!(".TP\n{}\n{}", line(name), paragraph(&text.join("\n")))
}

fn rest(block: &str) -> &str {
    block.split_once('\n').map_or("", |(_, rest)| rest)
}

fn paragraph(text: &str) -> String {
    text.lines()
        .filter(|text| !text.is_empty())
        .fold(String::new(), |out, text| out + &line(text) + "\n")
}

fn code(block: &str) -> String {
    let mut out = String::from(".PP\n.RS 4\n.nf\n");
    for text in block.lines() {
        let _ = writeln!(out, "{}", guard(&escape(text.strip_prefix("    ").unwrap_or(text))));
    }
    out + ".fi\n.RE\n"
}

fn list(block: &str) -> String {
    let mut out = String::new();
    for text in block.lines() {
        if let Some(item) = text.strip_prefix("- ") {
            let _ = write!(out, ".IP \\(bu 2\n{}\n", line(item));
        } else {
            let _ = writeln!(out, "{}", line(text.trim_start()));
        }
    }
    out
}

/// A line with its code in bold and its emphasis in italics.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(out, "\\fB{}\\fR", escape(part));
            continue;
        }
        for (number, part) in part.split('*').enumerate() {
            match number % 2 {
                1 => {
                    let _ = write!(out, "\\fI{}\\fR", escape(part));
                }
                _ => out.push_str(&escape(part)),
            }
        }
    }
    guard(&out)
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "\\[u{:04X}]", u32::from(c));
            }
        }
    }
    out
}

/// Protects a line of text that starts with a dot, which roff would read as a request.
fn guard(line: &str) -> String {
    if line.starts_with('.') { format!("\\&{line}") } else { line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(body(text), want);
    }

    #[test]
    fn blocks_become_requests() {
        check("## Exit status\n\nOne\ntwo.", ".SH EXIT STATUS\n.PP\nOne\ntwo.\n");
        check("    a -b\n    .c", ".PP\n.RS 4\n.nf\na \\-b\n\\&.c\n.fi\n.RE\n");
        check("- one\n  more\n- two", ".IP \\(bu 2\none\nmore\n.IP \\(bu 2\ntwo\n");
        check("`-x` *N*\n: It does\n  x.", ".TP\n\\fB\\-x\\fR \\fIN\\fR\nIt does\nx.\n");
    }

    #[test]
    fn text_never_becomes_a_request() {
        check(".so /etc/passwd", ".PP\n\\&.so /etc/passwd\n");
        check("'a\\fB", ".PP\n\\(aqa\\efB\n");
    }
}
