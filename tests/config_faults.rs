//! What is said to a configuration with one fault: the reference's words, and the key at fault.

#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use packmule::internal::config::{self, hjson};
use serde::Deserialize;
use serde_json::Value;

/// A row of `testvectors/config/faults.json`.
#[derive(Deserialize)]
struct Row {
    at: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    error: Option<String>,
    #[serde(default, deserialize_with = "present")]
    ours: Option<Option<String>>,
}

/// Tells `null` from absent.
fn present<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// The configuration with the value at `keys` set, or removed.
fn changed(keys: &[String], value: Option<Value>) -> Value {
    let mut config: Value =
        serde_json::from_str(include_str!("../testvectors/config/alice.hjson")).unwrap();
    let (last, path) = keys.split_last().unwrap();
    let under = path.iter().fold(&mut config, |under, key| &mut under[key]);
    let under = under.as_object_mut().unwrap();
    match value {
        Some(value) => drop(under.insert(last.clone(), value)),
        None => drop(under.remove(last)),
    }
    config
}

fn complaint(config: Value) -> Option<String> {
    config::checked(&hjson::Tree::new(config)).err().map(|error| error.to_string())
}

#[test]
fn faults_are_told_in_the_reference_s_words_and_with_the_key() {
    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../testvectors/config/faults.json")).unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let key = row.at.last().unwrap().clone();
        let ours = complaint(changed(&row.at, row.value.clone()));
        let want = row.ours.unwrap_or(row.error);
        let fits = match (&ours, &want) {
            (None, None) => true,
            (Some(ours), Some(want)) => {
                // Go names the function that failed.
                let want = want.trim_start_matches("strconv.ParseUint: ");
                ours.contains(want) && ours.contains(&key)
            }
            _ => false,
        };
        if !fits {
            wrong.push(format!("{:?} {:?}: {ours:?}, not {want:?}", row.at, row.value));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_names_the_path_the_value_and_what_is_allowed() {
    let check = |keys: &[&str], value: Value, want: &str| {
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        assert_eq!(complaint(changed(&keys, Some(value))).unwrap(), want);
    };
    check(
        &["neigh", "bob", "incoming"],
        "in".into(),
        "Incoming path must be absolute: neigh.bob.incoming is \"in\"",
    );
    check(
        &["neigh", "bob", "calls"],
        serde_json::json!([{"cron": "0 0 * * *"}, {"cron": "0 0 * * *", "nice": "Z"}]),
        "invalid niceness (1 to 255, or F, P, N, B, MAX with a delta): \
         neigh.bob.calls[1].nice is \"Z\"",
    );
    check(&["umask"], 22.into(), "umask is 22, must be a string (quote it)");
    check(
        &["neigh", "bob", "exec"],
        serde_json::json!({"sendmail": "/bin/x"}),
        "neigh.bob.exec.sendmail is \"/bin/x\", must be a list of strings",
    );
    check(
        &["neigh", "bob", "rxrate"],
        1.5.into(),
        "neigh.bob.rxrate is 1.5, must be a whole number",
    );
    check(
        &["neigh", "bob", "freq"],
        serde_json::json!({"chunked": -1}),
        "neigh.bob.freq.chunked is -1, must be a whole number that is not negative",
    );
    check(&["self", "signprv"], "AAAA".into(), "Invalid signPrv size: self.signprv is not shown");
    check(&["self", "signprv"], 5.into(), "self.signprv is not shown, must be a string (quote it)");
}
