//! Sends mails about received packets. NNCP manual, "Configuration", `notify`.

use super::arrival::Arrival;
use super::options::Toss;
use crate::config::Mail;
use crate::display::Size;
use crate::handler::{External, Verdict};
use data_encoding::BASE64;
use std::process::Command;

/// Bytes of a subject in one encoded word: 75 characters minus the frame, in base64.
const ENCODED_WORD: usize = 45;

/// Why the mailer failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotifyError(String);

/// Reports a file.
pub(super) fn file(toss: &Toss<'_>, arrival: &Arrival<'_>, dst: &str) -> Result<(), NotifyError> {
    let size = Size(arrival.rx.inner.or(arrival.rx.size).unwrap_or(0));
    let subject = format!("File from {}: {dst} ({size})", arrival.author.peer.name);
    send(toss, toss.local.node.notify.file.as_ref(), &subject, &[])
}

/// Reports an answered request.
pub(super) fn freq(toss: &Toss<'_>, arrival: &Arrival<'_>, src: &str) -> Result<(), NotifyError> {
    let subject = format!("Freq from {}: {src}", arrival.author.peer.name);
    send(toss, toss.local.node.notify.freq.as_ref(), &subject, &[])
}

/// Reports a command that ran.
pub(super) fn exec(
    toss: &Toss<'_>,
    arrival: &Arrival<'_>,
    handle: &str,
    dst: &str,
    output: &[u8],
) -> Result<(), NotifyError> {
    let name = arrival.author.peer.name;
    let mails = &toss.local.node.notify.exec;
    let mail = mails.get(&format!("{name}.{handle}")).or_else(|| mails.get(&format!("*.{handle}")));
    send(toss, mail, &format!("Exec from {name}: {dst}"), output)
}

fn send(
    toss: &Toss<'_>,
    mail: Option<&Mail>,
    subject: &str,
    output: &[u8],
) -> Result<(), NotifyError> {
    let mailer = toss.local.node.self_neighbour().exec.get("sendmail");
    let (Some(mail), Some([program, arguments @ ..])) = (mail, mailer.map(Vec::as_slice)) else {
        return Ok(());
    };
    if toss.options.dry_run {
        return Ok(());
    }
    let mut command = Command::new(program);
    command.args(arguments).arg(&mail.to);
    let text = message(mail, subject, output);
    match External::feed(&mut command, text.as_bytes()) {
        Verdict::Blocked { reason }
        | Verdict::Failed { reason, .. }
        | Verdict::Defer { reason } => Err(NotifyError(reason)),
        Verdict::Done { .. } | Verdict::Duplicate { .. } => Ok(()),
    }
}

fn message(mail: &Mail, subject: &str, output: &[u8]) -> String {
    let mut lines = vec![
        format!("From: {}", mail.from),
        format!("To: {}", mail.to),
        format!("Subject: {}", encoded(subject)),
    ];
    if !output.is_empty() {
        lines.extend(
            [
                "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: base64",
                "",
            ]
            .map(String::from),
        );
        lines.push(BASE64.encode(output));
    }
    lines.join("\n")
}

/// Leaves a subject in printable ASCII unchanged; encodes any other in encoded words (RFC 2047), so
/// that a hostile name cannot add a header.
fn encoded(subject: &str) -> String {
    if subject.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return subject.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = subject;
    while !rest.is_empty() {
        let end = (0..=rest.len().min(ENCODED_WORD))
            .rev()
            .find(|at| rest.is_char_boundary(*at))
            .unwrap_or(rest.len());
        let (word, later) = rest.split_at(end);
        words.push(format!("=?UTF-8?b?{}?=", BASE64.encode(word.as_bytes())));
        rest = later;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_references() {
        let mail = Mail { from: "a@x".into(), to: "b@y".into() };
        assert_eq!(
            message(&mail, "File from alpha: sub/one (6 B)", &[]),
            "From: a@x\nTo: b@y\nSubject: File from alpha: sub/one (6 B)"
        );
        assert!(
            message(&mail, "s", b"out").ends_with("\nContent-Transfer-Encoding: base64\n\nb3V0")
        );
    }

    /// doc/weaknesses.md W9, in mails.
    #[test]
    fn a_name_can_not_add_a_header() {
        let subject = encoded("File from a: x\nBcc: c@z (6 B)");
        assert!(!subject.contains('\n'));
        assert!(subject.starts_with("=?UTF-8?b?"));
        assert!(encoded(&"ü".repeat(100)).split(' ').all(|word| word.len() <= 75));
    }
}
