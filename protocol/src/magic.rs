//! The first eight bytes of every NNCP structure: `NNCP`, a letter, two zeros, a version.

/// A structure's first eight bytes.
pub type Magic = [u8; 8];

/// Multicast discovery announcement.
pub const DISCOVERY: Magic = *b"NNCPD\0\0\x01";
/// Passphrase-encrypted blob.
pub const EBLOB: Magic = *b"NNCPB\0\0\x03";
/// Encrypted packet.
pub const ENCRYPTED: Magic = *b"NNCPE\0\0\x06";
/// Meta file of a chunked file.
pub const CHUNKED: Magic = *b"NNCPM\0\0\x02";
/// Plain packet.
pub const PLAIN: Magic = *b"NNCPP\0\0\x03";
/// Online protocol.
pub const SYNC: Magic = *b"NNCPS\0\0\x01";

/// Why the bytes are not the expected magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MagicError {
    /// An obsolete version; the second field names the last release that wrote it.
    #[error("{0} format is unsupported (used till {1})")]
    Obsolete(&'static str, &'static str),
    /// Not the magic of any known version.
    #[error("Unknown magic number")]
    Unknown,
}

/// Obsolete versions: magic, name, last release that wrote it.
const OBSOLETE: [(Magic, &str, &str); 10] = [
    (*b"NNCPB\0\0\x01", "NNCPBv1 (EBlob v1)", "1.0"),
    (*b"NNCPB\0\0\x02", "NNCPBv2 (EBlob v2)", "3.4"),
    (*b"NNCPE\0\0\x01", "NNCPEv1 (encrypted packet v1)", "0.12"),
    (*b"NNCPE\0\0\x02", "NNCPEv2 (encrypted packet v2)", "1.0"),
    (*b"NNCPE\0\0\x03", "NNCPEv3 (encrypted packet v3)", "3.4"),
    (*b"NNCPE\0\0\x04", "NNCPEv4 (encrypted packet v4)", "6.6.0"),
    (*b"NNCPE\0\0\x05", "NNCPEv5 (encrypted packet v5)", "7.7.0"),
    (*b"NNCPM\0\0\x01", "NNCPMv1 (chunked .meta v1)", "6.6.0"),
    (*b"NNCPP\0\0\x01", "NNCPPv1 (plain packet v1)", "2.0"),
    (*b"NNCPP\0\0\x02", "NNCPPv2 (plain packet v2)", "4.1"),
];

/// Checks that `found` is `wanted`.
///
/// # Errors
/// Distinguishes an obsolete version of the same structure from anything else.
pub fn check(found: &Magic, wanted: &Magic) -> Result<(), MagicError> {
    if found == wanted {
        return Ok(());
    }
    Err(OBSOLETE
        .iter()
        .find(|(magic, _, _)| magic == found && magic[4] == wanted[4])
        .map_or(MagicError::Unknown, |(_, name, till)| MagicError::Obsolete(name, till)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obsolete_version_is_named() {
        let error = check(b"NNCPE\0\0\x05", &ENCRYPTED).unwrap_err();
        assert_eq!(
            error.to_string(),
            "NNCPEv5 (encrypted packet v5) format is unsupported (used till 7.7.0)"
        );
    }

    #[test]
    fn another_kind_or_version_is_unknown() {
        assert_eq!(check(&PLAIN, &ENCRYPTED), Err(MagicError::Unknown));
        assert_eq!(check(b"NNCPE\0\0\x07", &ENCRYPTED), Err(MagicError::Unknown));
        assert_eq!(check(&ENCRYPTED, &ENCRYPTED), Ok(()));
    }
}
