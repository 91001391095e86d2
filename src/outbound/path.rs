//! Paths in packets: bytes, with components separated by `/`.

use std::path::Path;

/// Removes empty, `.` and inner `..` components; a leading `..` stays. An empty result becomes `.`.
/// The reference does the same before sending.
pub(crate) fn clean(path: &[u8]) -> Vec<u8> {
    let absolute = path.first() == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match kept.last() {
                Some(&last) if last != b".." => {
                    kept.pop();
                }
                _ if absolute => {}
                _ => kept.push(component),
            },
            _ => kept.push(component),
        }
    }
    let joined = kept.join(&b'/');
    match (absolute, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// The path's last component, like basename(1).
pub(crate) fn base_name(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    match (path.is_empty(), end) {
        (true, _) => b".".to_vec(),
        (false, 0) => b"/".to_vec(),
        _ => path[..end].rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec(),
    }
}

/// The path for people: bytes that are not UTF-8 are replaced.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The bytes of a local path.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_lexical() {
        for (path, want) in [
            ("a/b/../c/./d", "a/c/d"),
            ("x/", "x"),
            ("x/../y//z", "y/z"),
            ("", "."),
            ("./", "."),
            ("a/..", "."),
            ("../a", "../a"),
            ("a/../../b", "../b"),
            ("../../x/..", "../.."),
            ("/a/../../b", "/b"),
            ("/", "/"),
            ("..hidden/...", "..hidden/..."),
        ] {
            assert_eq!(shown(&clean(path.as_bytes())), want, "{path:?}");
        }
    }

    #[test]
    fn the_last_component_is_the_default_name() {
        for (path, want) in
            [("a/b", "b"), ("a/b/", "b"), ("b", "b"), ("/", "/"), ("", "."), ("a//", "a")]
        {
            assert_eq!(shown(&base_name(path.as_bytes())), want, "{path:?}");
        }
    }
}
