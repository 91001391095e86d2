//! Permissions: octal digits, or clauses as in chmod(1).

use super::error::ValueError;
use std::fmt;

/// Permissions in octal, in the format of C's `%#o`, because other tools compare the text.
pub struct Mode(pub u16);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            mode => write!(f, "0{mode:o}"),
        }
    }
}

/// Parses octal digits, or clauses as in chmod(1) applied to mode 0.
pub(super) fn mode(value: &[u8]) -> Result<u16, ValueError> {
    if value.first().is_some_and(u8::is_ascii_digit) {
        if !value.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
            return Err(ValueError::Malformed);
        }
        let significant = value.iter().skip_while(|byte| **byte == b'0');
        let text: String = significant.map(|byte| char::from(*byte)).collect();
        return match u16::from_str_radix(if text.is_empty() { "0" } else { &text }, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(mode),
            _ => Err(ValueError::OutOfRange),
        };
    }
    value.split(|byte| *byte == b',').try_fold(0, symbolic_clause)
}

/// Applies a clause such as `u=rw`, `go-w` or `+x` to `mode`.
fn symbolic_clause(mut mode: u16, clause: &[u8]) -> Result<u16, ValueError> {
    let who_ends = clause.iter().position(|byte| !matches!(byte, b'u' | b'g' | b'o' | b'a'));
    let (who, actions) = clause.split_at(who_ends.ok_or(ValueError::Malformed)?);
    let class = |letter| who.is_empty() || who.contains(&letter) || who.contains(&b'a');
    let mut allowed = if class(b'u') { 0o4700 } else { 0 }
        | if class(b'g') { 0o2070 } else { 0 }
        | if class(b'o') { 0o0007 } else { 0 }
        | 0o1000;
    if who.is_empty() {
        // The umask applies to a clause without u, g, o or a. The usual one is 022.
        allowed &= !0o022;
    }
    let mut operator = *actions.first().ok_or(ValueError::Malformed)?;
    if !matches!(operator, b'+' | b'-' | b'=') {
        return Err(ValueError::Malformed);
    }
    let mut bits = 0;
    let apply = |mode: u16, operator, bits: u16| match operator {
        b'+' => mode | bits & allowed,
        b'-' => mode & !(bits & allowed),
        _ => mode & !allowed | bits & allowed,
    };
    for letter in &actions[1..] {
        bits |= match letter {
            b'r' => 0o444,
            b'w' => 0o222,
            b'x' => 0o111,
            b'X' if mode & 0o111 != 0 => 0o111,
            b'X' => 0,
            b's' => 0o6000,
            b't' => 0o1000,
            b'+' | b'-' | b'=' => {
                mode = apply(mode, operator, bits);
                operator = *letter;
                bits = 0;
                continue;
            }
            _ => return Err(ValueError::Malformed),
        };
    }
    Ok(apply(mode, operator, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_in_octal_and_as_chmod_writes_them() {
        for (text, want) in [
            ("0644", 0o644),
            ("644", 0o644),
            ("04755", 0o4755),
            ("0", 0),
            ("000000000000000644", 0o644),
            ("u=rw,go=r", 0o644),
            ("a=rwx,o-w", 0o775),
            ("+w", 0o200),
            ("u=rwxs,g=rx", 0o4750),
            ("u=rwx,a+X", 0o711),
        ] {
            assert_eq!(mode(text.as_bytes()), Ok(want), "{text}");
        }
        for text in ["", "8", "0648", "u", "u=q", "rw"] {
            assert_eq!(mode(text.as_bytes()), Err(ValueError::Malformed), "{text}");
        }
        assert_eq!(mode(b"100644"), Err(ValueError::OutOfRange));
        assert_eq!((Mode(0).to_string(), Mode(0o4755).to_string()), ("0".into(), "04755".into()));
    }
}
