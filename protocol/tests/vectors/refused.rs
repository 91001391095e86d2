//! Every refusal gives the error that its list names, and the packet's content does not come out.

use crate::keys::{known, node};
use crate::{file, json, list, text};
use packmule_protocol::magic::MagicError;
use packmule_protocol::packet::open::open_whole;
use packmule_protocol::packet::{
    Header, HeaderError, Kind, OpenError, Opener, PLAIN_LEN, PlainError, PlainHeader,
};

fn of_header(error: &HeaderError) -> &'static str {
    match error {
        HeaderError::Field(_) => "BadField",
        HeaderError::Magic(MagicError::Unknown) => "UnknownMagic",
        HeaderError::Magic(MagicError::Obsolete(..)) => "ObsoleteMagic",
        HeaderError::BadSignature => "BadSignature",
        HeaderError::SenderKey => "SenderKey",
        other => panic!("{other}"),
    }
}

fn of_body(error: &OpenError) -> &'static str {
    match error {
        OpenError::NotForUs(_) => "NotForUs",
        OpenError::LowOrderKey => "LowOrderKey",
        OpenError::Forged(_) => "Forged",
        OpenError::Truncated => "Truncated",
        OpenError::BadSize(_) => "BadSize",
        OpenError::UnexpectedPad => "UnexpectedPad",
        OpenError::NonZeroPad => "NonZeroPad",
        OpenError::WrongPad => "WrongPad",
        OpenError::TrailingBytes => "TrailingBytes",
        other => panic!("{other}"),
    }
}

fn of_plain(error: &PlainError) -> &'static str {
    match error {
        PlainError::Magic(MagicError::Unknown) => "PlainUnknownMagic",
        PlainError::Magic(MagicError::Obsolete(..)) => "PlainObsoleteMagic",
        PlainError::Field(_) => "PlainBadField",
        PlainError::UnknownKind(_) => "UnknownKind",
        PlainError::NotAnId(_) => "NotAnId",
        other => panic!("{other}"),
    }
}

/// What bob says to `packet`, in the order in which a reader checks.
fn verdict(packet: &[u8]) -> &'static str {
    let bob = node("bob");
    let header = match Header::parse(packet) {
        Ok(header) if header.recipient != bob.id => return "NotForUs",
        Ok(header) => header,
        Err(error) => return of_header(&error),
    };
    let Some(sender) = known(header.sender) else { return "UnknownSender" };
    let verified = match header.verify(&sender) {
        Ok(verified) => verified,
        Err(error) => return of_header(&error),
    };
    let opener = match Opener::new(&verified, &bob.id, &bob.exchange) {
        Ok(opener) => opener,
        Err(error) => return of_body(&error),
    };
    let plain = match open_whole(&opener, packet) {
        Ok(plain) => plain,
        Err(error) => return of_body(&error),
    };
    let header = match PlainHeader::from_bytes(&plain[..PLAIN_LEN.min(plain.len())]) {
        Ok(header) => header,
        Err(error) => return of_plain(&error),
    };
    match header.kind {
        Kind::Trns | Kind::Area | Kind::Ack => {
            header.id().err().map_or("opened", |error| of_plain(&error))
        }
        _ => "opened",
    }
}

#[test]
fn every_refusal_gives_its_error() {
    let manifest = json("refusals/manifest.json");
    let wrong: Vec<String> = list(&manifest)
        .iter()
        .filter_map(|told| {
            let (case, want) = (text(told, "file"), text(told, "error"));
            let got = verdict(&file(&format!("refusals/{case}")));
            (got != want).then(|| format!("{case}: {got} instead of {want}: {}", text(told, "why")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
