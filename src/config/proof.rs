//! `packmule: { proof: … }` in a neighbour's section: whether its statements are asked for, and what
//! follows from them.

use super::error::Fault;
use crate::age;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Seconds after which a packet of which nobody said anything is offered again.
const RETRY: u64 = 14 * 24 * 60 * 60;

/// Whether a neighbour is asked for proof of what it gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Proof {
    /// It is not, but it gets statements if it sends some.
    #[default]
    Unset,
    /// Neither: it gets no statements.
    Never,
    /// Packets for it are followed.
    Asked(Terms),
}

/// A value that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Its path below `proof`; empty for that itself.
    pub(super) below: String,
    pub(super) value: String,
    pub(super) fault: Fault,
}

/// How packets are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Seconds after which a packet of which nobody said anything is offered again.
    pub(crate) retry: u64,
    /// Seconds after which a backup is too old.
    max_age: Option<u64>,
    /// The same for backups by name; `None` is never.
    backups: BTreeMap<String, Option<u64>>,
    /// An acknowledgement ends the keeping of a packet. It proves nothing.
    pub(crate) accepts_ack: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { retry: RETRY, max_age: None, backups: BTreeMap::new(), accepts_ack: false }
    }
}

impl Terms {
    /// Seconds after which the backup of this name is too old, if it ever is.
    pub(crate) fn limit(&self, backup: &str) -> Option<u64> {
        self.backups.get(backup).copied().unwrap_or(self.max_age)
    }
}

impl Proof {
    /// Reads the value of the key `proof`.
    ///
    /// # Errors
    /// What is wrong with which value.
    pub(super) fn parse(value: Option<&Value>) -> Result<Self, Box<Wrong>> {
        match value {
            None | Some(Value::Null) => Ok(Self::Unset),
            Some(Value::Bool(false)) => Ok(Self::Never),
            Some(Value::Bool(true)) => Ok(Self::Asked(Terms::default())),
            Some(Value::Object(keys)) => terms(keys).map(Self::Asked),
            Some(other) => Err(wrong("", other, Fault::Proof)),
        }
    }

    /// The terms, if the neighbour is asked.
    pub(crate) fn asked(&self) -> Option<&Terms> {
        if let Self::Asked(terms) = self { Some(terms) } else { None }
    }
}

fn wrong(below: &str, value: &Value, fault: Fault) -> Box<Wrong> {
    Box::new(Wrong { below: below.to_owned(), value: value.to_string(), fault })
}

fn terms(keys: &Map<String, Value>) -> Result<Terms, Box<Wrong>> {
    let mut terms = Terms::default();
    for (key, value) in keys {
        let wrong = |fault| wrong(key, value, fault);
        match key.as_str() {
            "retry" => terms.retry = seconds(value).ok_or_else(|| wrong(Fault::Age))?,
            "max-age" => terms.max_age = Some(seconds(value).ok_or_else(|| wrong(Fault::Age))?),
            "backups" => {
                let limits = value.as_object().ok_or_else(|| wrong(Fault::Limits))?;
                for (name, value) in limits {
                    let wrong = || self::wrong(&format!("backups.{name}"), value, Fault::Age);
                    let limit = match value {
                        Value::Null => None,
                        _ => Some(seconds(value).ok_or_else(wrong)?),
                    };
                    terms.backups.insert(name.clone(), limit);
                }
            }
            "accept" => {
                terms.accepts_ack = match value.as_str() {
                    Some("ack") => true,
                    Some("done") => false,
                    _ => return Err(wrong(Fault::Accept)),
                }
            }
            _ => return Err(wrong(Fault::ProofKey)),
        }
    }
    Ok(terms)
}

fn seconds(value: &Value) -> Option<u64> {
    age::parse(value.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: &Value) -> Result<Proof, String> {
        Proof::parse(Some(value))
            .map_err(|wrong| format!("{}: {} is {}", wrong.fault, wrong.below, wrong.value))
    }

    #[test]
    fn a_neighbour_is_asked_or_not() {
        assert_eq!(Proof::parse(None).unwrap(), Proof::Unset);
        assert_eq!(parse(&Value::Null), Ok(Proof::Unset));
        assert_eq!(parse(&json!(false)), Ok(Proof::Never));
        assert_eq!(parse(&json!(true)), Ok(Proof::Asked(Terms::default())));
        assert_eq!(parse(&json!({})), Ok(Proof::Asked(Terms::default())));
    }

    #[test]
    fn limits_are_by_name_or_for_all() {
        let value = json!({
            "retry": "30d", "max-age": "36h", "accept": "ack",
            "backups": {"mail": "14d", "photos": null},
        });
        let Ok(Proof::Asked(terms)) = parse(&value) else { panic!("refused") };
        assert_eq!((terms.retry, terms.accepts_ack), (30 * 86_400, true));
        assert_eq!(terms.limit("mail"), Some(14 * 86_400));
        assert_eq!(terms.limit("photos"), None);
        assert_eq!(terms.limit("tank/home"), Some(36 * 3600));
        assert_eq!(Terms::default().limit("mail"), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (value, want) in [
            (json!("yes"), r#"must be true, false or an object:  is "yes""#),
            (json!({"retri": "1d"}), "is no key"),
            (json!({"retry": "2 weeks"}), "a number and s, m, h or d"),
            (json!({"retry": 14}), "retry is 14"),
            (json!({"backups": []}), "backups is []"),
            (json!({"backups": {"mail": true}}), "backups.mail is true"),
            (json!({"accept": "got"}), "done or ack"),
        ] {
            let error = parse(&value).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
