//! Suggests names that are similar to a mistyped one.

/// Maximal number of names to show.
const SHOWN: usize = 8;

/// The names on one line, the most similar first: `vault, self, spooler`.
pub(crate) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| (distance(typed, name), name)).collect();
    names.sort_unstable();
    names.dedup();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    let shown: Vec<_> = names.iter().take(SHOWN).map(|(_, name)| *name).collect();
    format!("{}{more}", shown.join(", "))
}

/// The most similar name, if it is similar enough.
pub(crate) fn meant<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rated = names.into_iter().map(|name| (distance(typed, name), name));
    let (distance, name) = rated.min()?;
    let is_beginning = typed.len() >= 2 && name.starts_with(typed);
    let letters = typed.chars().count();
    // A distance of all letters means that no typed letter matches.
    let is_similar = distance < letters && distance <= 1 + letters / 4;
    (is_beginning || is_similar).then_some(name)
}

/// The number of edits between two names: letters replaced, inserted, removed or swapped with the
/// next one (optimal string alignment). Compares only the beginning of long texts.
fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| -> Vec<char> { text.chars().take(64).collect() };
    let (one, other) = (letters(one), letters(other));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        for (one, other, want) in [
            ("", "", 0),
            ("", "abc", 3),
            ("vualt", "vault", 1),
            ("recieve", "receive", 1),
            ("kitten", "sitting", 3),
            ("bob", "bob", 0),
        ] {
            assert_eq!(distance(one, other), want, "{one} {other}");
            assert_eq!(distance(other, one), want, "{other} {one}");
        }
    }

    #[test]
    fn the_nearest_name_is_first_and_only_a_near_one_was_meant() {
        let names = ["self", "spooler", "vault"];
        assert_eq!(nearest("vualt", names), "vault, self, spooler");
        assert_eq!(meant("vualt", names), Some("vault"));
        assert_eq!(meant("spool", names), Some("spooler"));
        assert_eq!(meant("carol", names), None);
        assert_eq!(meant("", ["o"]), None);
        assert_eq!(meant("x", ["o"]), None);
        assert_eq!(nearest("x", []), "");
        let many: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        assert!(nearest("1", many.iter().map(String::as_str)).ends_with(", ..."));
    }
}
