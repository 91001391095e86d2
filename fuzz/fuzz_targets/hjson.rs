//! The reader of the configuration against `serde_hjson`, a second opinion, where both read the
//! same dialect: what packmule prints, and texts without what only the reference knows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule::internal::config::hjson::{self, Fault};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let ours = hjson::read(bytes);
    match &ours {
        Ok(tree) => {
            let printed = hjson::print(tree);
            if !has_odd_number(&printed) {
                assert_eq!(second(&printed).as_ref(), Ok(&**tree), "{}", *printed);
            }
        }
        // The other reads a break in quotes as itself, and without a limit of depth.
        Err(error) if matches!(error.fault, Fault::LineBreak | Fault::Depth) => return,
        Err(_) => {}
    }
    if is_shared(text) {
        assert_eq!(second(text).ok(), ours.ok().as_deref().cloned(), "{text:?}");
    }
});

/// What `serde_hjson` reads, with whole numbers as integers.
fn second(text: &str) -> Result<Value, String> {
    let mut value = serde_hjson::from_str(text).map_err(|error| error.to_string())?;
    make_whole(&mut value);
    Ok(value)
}

fn make_whole(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|_| number.is_f64());
            if let Some(whole) = float.filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)
            {
                *number = (whole as i64).into();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(make_whole),
        Value::Object(map) => map.values_mut().for_each(make_whole),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A text with nothing in it that the two are known to read differently: an object in braces, no
/// single quotes, escapes, block comments, control characters or odd numbers.
fn is_shared(text: &str) -> bool {
    let is_alike = |c: char| c == '\n' || (c >= ' ' && !"'\\".contains(c));
    text.starts_with('{')
        && text.chars().all(is_alike)
        && !text.contains("/*")
        && !has_odd_number(text)
}

/// Whether a point or exponent follows a digit, or digits are too many for an integer.
fn has_odd_number(text: &str) -> bool {
    let digits = |run: &[u8]| run.iter().all(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    bytes.windows(19).any(digits)
        || bytes.windows(2).any(|two| two[0].is_ascii_digit() && b".eE".contains(&two[1]))
}
