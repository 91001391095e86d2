//! Prints values as Hjson. Both packmule and the reference read the same values back.

use super::read::unquoted_reads_as_text;
use serde_json::Value;
use zeroize::Zeroizing;

/// The text of an object, with root braces, two blanks for each level, and one line for each member
/// or element. Strings are unquoted if they are unambiguous. Ends with a line break.
pub fn print(root: &Value) -> Zeroizing<String> {
    // The text holds private keys. Allocate enough at once: growing would leave a copy in freed memory.
    let mut out = Zeroizing::new(String::with_capacity(64 * 1024));
    value(root, 0, &mut out);
    out.push('\n');
    out
}

/// `name` as the key of an object, quoted if necessary.
pub fn key(name: &str) -> String {
    match is_plain(name) && !name.contains(':') {
        true => name.to_owned(),
        false => Value::from(name).to_string(),
    }
}

fn value(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::String(text) => self::text(text, out),
        Value::Array(list) if list.is_empty() => out.push_str("[]"),
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Array(list) => {
            out.push('[');
            for element in list {
                line(depth + 1, out);
                self::value(element, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (name, member) in map {
                line(depth + 1, out);
                out.push_str(&key(name));
                out.push_str(": ");
                self::value(member, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn text(text: &str, out: &mut String) {
    match is_plain(text) && unquoted_reads_as_text(text) {
        true => out.push_str(text),
        // Hjson has the same quotes and escapes as JSON.
        false => out.push_str(&Zeroizing::new(Value::from(text).to_string())),
    }
}

/// True if no character of the text is special to any Hjson parser.
fn is_plain(text: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./+*@=~%:".contains(c);
    !text.is_empty()
        && text.chars().all(harmless)
        && !text.starts_with(':')
        && !text.contains("//")
        && !text.contains("/*")
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn scripts_find_one_key_and_value_a_line() {
        let root = json!({
            "spool": "/var/spool/nncp", "umask": "022", "id": "2222", "nice": 5, "none": {},
            "via": ["a", "b c"], ".*": {"em[0-3]": "true"},
        });
        let want = "{\n  spool: /var/spool/nncp\n  umask: 022\n  id: \"2222\"\n  nice: 5\n  none: {}\n  \
            via: [\n    a\n    \"b c\"\n  ]\n  .*: {\n    \"em[0-3]\": \"true\"\n  }\n}\n";
        assert_eq!(*print(&root), want);
    }

    /// Found by fuzzing: `a: 1/*` is a number and a comment.
    #[test]
    fn what_could_be_a_comment_is_quoted() {
        let root = json!({"a": "1/*", "b": "true//x", "c": "/*", "1//": "x"});
        assert_eq!(*read(print(&root).as_bytes()).unwrap(), root);
    }

    fn tree() -> impl Strategy<Value = Value> {
        let text =
            prop_oneof!["[^\0]*", "[-0-9.eE+]{1,6}", "(true|false|null)", "[/*#:,'\" a]{0,5}"];
        let leaf = prop_oneof![
            text.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(members in proptest::collection::vec(("[^\0]*", tree()), 0..4)) {
            let root = Value::Object(members.into_iter().collect());
            prop_assert_eq!(&*read(print(&root).as_bytes()).unwrap(), &root);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: Vec<u8>) {
            let _ = read(&text);
        }

        #[test]
        fn no_punctuation_makes_the_reader_panic(text in "[{}\\[\\],:'\"\\\\/*#\n\r a0-]*") {
            let _ = read(text.as_bytes());
        }
    }
}
