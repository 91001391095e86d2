//! Extended attributes: `xattr.NAME=VALUE`, the value in base64.

use super::super::escape::{escape_attribute, unescape};
use super::super::facts::{Facts, Xattr};
use super::error::ValueError;
use data_encoding::{BASE64, BASE64_NOPAD, Encoding};
use std::sync::LazyLock;

/// Limit for the number of extended attributes of one object.
const XATTRS: usize = 4096;

/// Stores an extended attribute; `word` is the text after `xattr.`.
pub(in crate::mtree) fn read_xattr(facts: &mut Facts, word: &[u8]) -> Result<(), ValueError> {
    // Names may contain `=`, and base64 values end in up to two of them.
    let body = word.iter().rposition(|byte| *byte != b'=').ok_or(ValueError::Malformed)?;
    let split = match word[..=body].iter().rposition(|byte| *byte == b'=') {
        Some(split) => split,
        // The name ends in `=` signs, so the value is empty.
        None if word.len() > body + 1 => body + 1,
        None => return Err(ValueError::Missing),
    };
    let name = unescape(&word[..split]).map_err(|_| ValueError::Malformed)?;
    if name.is_empty() || name.contains(&0) {
        return Err(ValueError::Malformed);
    }
    let value = unbase64(&word[split + 1..]).ok_or(ValueError::Malformed)?;
    let xattrs = &mut facts.rare_mut().xattrs;
    let xattr = Xattr { name: name.into(), value: value.into() };
    match xattrs.binary_search_by(|one| one.name.cmp(&xattr.name)) {
        Ok(place) => xattrs[place] = xattr,
        Err(_) if xattrs.len() >= XATTRS => return Err(ValueError::OutOfRange),
        Err(place) => xattrs.insert(place, xattr),
    }
    Ok(())
}

/// Appends `xattr.NAME=VALUE`, in the format of go-mtree.
pub(in crate::mtree) fn write_xattr(xattr: &Xattr, text: &mut Vec<u8>) {
    text.extend_from_slice(b"xattr.");
    escape_attribute(&xattr.name, text);
    text.push(b'=');
    text.extend_from_slice(BASE64.encode(&xattr.value).as_bytes());
}

/// Standard base64. Accepts missing padding, which some writers omit, and ignores the unused bits
/// of the last letter.
static UNBASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut letters = BASE64_NOPAD.specification();
    letters.check_trailing_bits = false;
    letters.encoding().expect("standard letters")
});

fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    UNBASE64.decode(&text[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_with_equals_signs_in_the_name_and_in_the_padding() {
        for (name, value) in [("user.a", "x"), ("user.a=b", "xy"), ("user.a", ""), ("u=", "abc")] {
            let xattr = Xattr { name: name.as_bytes().into(), value: value.as_bytes().into() };
            let mut word = Vec::new();
            write_xattr(&xattr, &mut word);
            let mut facts = Facts::default();
            read_xattr(&mut facts, &word[b"xattr.".len()..]).unwrap();
            assert_eq!(facts.rare().xattrs, [xattr], "{name}={value}");
        }
        let mut facts = Facts::default();
        read_xattr(&mut facts, b"user.a=b=eHk=").unwrap();
        assert_eq!(&*facts.rare().xattrs[0].name, b"user.a=b");
        for word in ["", "=", "user.a", "=eHk=", "user.a=e", "user.a=e*k"] {
            assert!(read_xattr(&mut facts, word.as_bytes()).is_err(), "{word}");
        }
    }

    #[test]
    fn base64_is_the_standard_one() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(BASE64.encode(bytes.as_bytes()), text);
            assert_eq!(unbase64(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn base64_is_read_without_padding_and_with_stray_bits() {
        for text in ["Zg==", "Zg=", "Zg", "Zh", "Zv==", "Zg===="] {
            assert_eq!(unbase64(text.as_bytes()).unwrap(), b"f", "{text}");
        }
        for text in ["Z", "Z===", "Zm9vY", "Zg==Zg==", "Z-8=", "Zg\n", " Zg"] {
            assert_eq!(unbase64(text.as_bytes()), None, "{text:?}");
        }
    }
}
