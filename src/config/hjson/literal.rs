//! Unquoted words that are not text: numbers, `true`, `false`, `null`.

use serde_json::{Number, Value};

/// The number, boolean or null that `word` spells, if any. Unicode white space may follow a
/// boolean or null; only blanks and control characters may follow a number.
pub(super) fn literal(word: &str) -> Option<Value> {
    match word.trim_end() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => number(word.trim_end_matches(|c: char| c <= ' ')).map(Value::Number),
    }
}

/// A JSON number. Unlike JSON, it allows a point without digits after it.
fn number(word: &str) -> Option<Number> {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = word.strip_prefix('-').unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return None;
    }
    rest = &rest[whole..];
    if rest.is_empty() {
        if let Ok(number) = word.parse::<i64>() {
            return Some(number.into());
        }
        if let Ok(number) = word.parse::<u64>() {
            return Some(number.into());
        }
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = &fraction[digits(fraction)..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() {
            return None;
        }
        rest = &exponent[digits(exponent)..];
    }
    if !rest.is_empty() {
        return None;
    }
    whole_or_fraction(word.parse().ok()?)
}

/// `10.0` and `1e3` are whole numbers.
fn whole_or_fraction(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}
