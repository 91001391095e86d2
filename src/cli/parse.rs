//! Command lines in the syntax of Go's `flag` package.

use super::command::Face;
use super::flag::{Flag, Flags, flags};
use super::value::{Kind, ValueError};
use crate::nearest::meant;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

flags! {
    /// The flags of every command.
    pub(crate) struct Standard {
        /// Print version information
        "version" version: bool;
        /// Print warranty information
        "warranty" warranty: bool;
    }
}

/// A parsed command line.
#[derive(Debug, Default)]
pub(crate) struct Parsed<A> {
    /// The command's own flags.
    pub flags: A,
    /// The flags that every command has.
    pub standard: Standard,
    /// The arguments after the flags.
    pub operands: Vec<OsString>,
}

/// Why a command line cannot be parsed, in the words of Go's `flag` package.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    /// `-h` or `-help`: not an error, but parsing stops there.
    #[error("help requested")]
    Help,
    /// There is no flag with this name.
    #[error("flag provided but not defined: -{0}")]
    Unknown(String),
    /// Three dashes, or no name.
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    /// The value is missing: the command line ends after the flag.
    #[error("flag needs an argument: -{0}")]
    Missing(String),
    /// A value after `=` that is neither true nor false.
    #[error("invalid boolean value {value:?} for -{name}: {reason}")]
    Switch {
        /// The flag.
        name: String,
        /// The text.
        value: String,
        /// Why it is invalid.
        reason: ValueError,
    },
    /// A value of the wrong type.
    #[error("invalid value {value:?} for flag -{name}: {reason}")]
    Value {
        /// The flag.
        name: String,
        /// The text.
        value: String,
        /// Why it is invalid.
        reason: ValueError,
    },
}

impl ParseError {
    /// A suggestion to append to the error; empty if no flag has a similar name.
    pub(crate) fn meant(&self, flags: &[Flag]) -> String {
        let Self::Unknown(name) = self else { return String::new() };
        match meant(name, flags.iter().map(|flag| &*flag.name)) {
            Some(flag) => format!(" (did you mean -{flag}?)"),
            None => String::new(),
        }
    }
}

/// Parses a command line without the command's name. `face` selects the flags that exist.
///
/// # Errors
/// The first argument that is not Go flag syntax or not one of `A`'s flags; or `-h`.
pub(crate) fn parse<A: Flags>(arguments: &[OsString], face: Face) -> Result<Parsed<A>, ParseError> {
    let declared = A::declared();
    let is_hidden = |name: &str| {
        face == Face::Reference && declared.iter().any(|flag| flag.own && flag.name == name)
    };
    let mut parsed =
        Parsed { flags: A::default(), standard: Standard::default(), operands: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.as_slice().first() {
        let Some(body) = flag_body(argument)? else { break };
        rest.next();
        let Some(body) = body else { break };
        let (name, value) = split(body);
        let name = name.to_string_lossy().into_owned();
        let slot = parsed.flags.value(&name).or_else(|| parsed.standard.value(&name));
        let Some(slot) = slot.filter(|_| !is_hidden(&name)) else {
            let help = name == "h" || name == "help";
            return Err(if help { ParseError::Help } else { ParseError::Unknown(name) });
        };
        let switch = slot.kind() == Kind::Switch;
        let value = match value {
            Some(value) => value,
            None if switch => OsStr::new("true"),
            None => rest.next().ok_or_else(|| ParseError::Missing(name.clone()))?,
        };
        slot.set(value).map_err(|reason| {
            let value = value.to_string_lossy().into_owned();
            if switch {
                ParseError::Switch { name: name.clone(), value, reason }
            } else {
                ParseError::Value { name: name.clone(), value, reason }
            }
        })?;
        parsed.flags.note(&name);
    }
    parsed.operands = rest.as_slice().to_vec();
    Ok(parsed)
}

/// The flag without its dashes. `None`: an operand; `Some(None)`: the `--` that ends the flags.
fn flag_body(argument: &OsStr) -> Result<Option<Option<&OsStr>>, ParseError> {
    let bytes = argument.as_bytes();
    let body = match bytes {
        b"--" => return Ok(Some(None)),
        [b'-', b'-', body @ ..] => body,
        [b'-', _, ..] => &bytes[1..],
        _ => return Ok(None),
    };
    match body.first() {
        None | Some(b'-' | b'=') => {
            Err(ParseError::Syntax(argument.to_string_lossy().into_owned()))
        }
        Some(_) => Ok(Some(Some(OsStr::from_bytes(body)))),
    }
}

/// Name and value of `name=value`.
fn split(body: &OsStr) -> (&OsStr, Option<&OsStr>) {
    let bytes = body.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => (body, None),
        Some(at) => (OsStr::from_bytes(&bytes[..at]), Some(OsStr::from_bytes(&bytes[at + 1..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::given::Given;
    use std::path::PathBuf;

    flags! {
        /// One flag of each type.
        struct Args {
            /// A switch
            "quiet" quiet: bool;
            /// A path
            "cfg" cfg: Option<PathBuf>;
            /// An integer
            "chunked" chunked: i64 = -1;
            /// A natural number
            "num" num: u64;
            /// One of our own
            own "mine" mine: bool;
        }
    }

    fn parsed(line: &[&str]) -> Result<Parsed<Args>, ParseError> {
        parse(&line.iter().map(OsString::from).collect::<Vec<_>>(), Face::Reference)
    }

    #[track_caller]
    fn refused(line: &[&str], want: &str) {
        assert_eq!(parsed(line).map(|p| p.operands).unwrap_err().to_string(), want);
    }

    #[test]
    fn one_dash_or_two_and_the_value_apart_or_joined() {
        for line in [
            &["-cfg", "x", "-num=0x10"][..],
            &["--cfg=x", "--num", "16"],
            &["-num", "1", "-cfg=y", "-num", "16", "-cfg", "x"],
        ] {
            let parsed = parsed(line).unwrap();
            assert_eq!(parsed.flags.cfg, Some(PathBuf::from("x")));
            assert_eq!(parsed.flags.num, 16);
            assert!(parsed.operands.is_empty());
        }
    }

    #[test]
    fn a_switch_takes_its_value_only_after_an_equals_sign() {
        let apart = parsed(&["-quiet", "true"]).unwrap();
        assert!(apart.flags.quiet);
        assert_eq!(apart.operands, ["true"]);
        assert!(!parsed(&["-quiet", "-quiet=F"]).unwrap().flags.quiet);
    }

    #[test]
    fn a_value_may_begin_with_a_dash() {
        assert_eq!(parsed(&["-chunked", "-5"]).unwrap().flags.chunked, -5);
        assert_eq!(parsed(&["-cfg", "-quiet"]).unwrap().flags.cfg, Some("-quiet".into()));
    }

    #[test]
    fn flags_end_at_the_first_operand_at_a_dash_and_after_two() {
        assert_eq!(parsed(&["a", "-bogus"]).unwrap().operands, ["a", "-bogus"]);
        assert_eq!(parsed(&["-", "-bogus"]).unwrap().operands, ["-", "-bogus"]);
        assert_eq!(parsed(&["-quiet", "--", "-bogus"]).unwrap().operands, ["-bogus"]);
        assert_eq!(parsed(&["", "-bogus"]).unwrap().operands, ["", "-bogus"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_gos_words() {
        refused(&["-bogus"], "flag provided but not defined: -bogus");
        refused(&["-ver"], "flag provided but not defined: -ver");
        refused(&["-cfg"], "flag needs an argument: -cfg");
        refused(&["-quiet=maybe"], "invalid boolean value \"maybe\" for -quiet: parse error");
        refused(&["-chunked", "abc"], "invalid value \"abc\" for flag -chunked: parse error");
        refused(&["-num=-1"], "invalid value \"-1\" for flag -num: parse error");
        refused(
            &["-num", "99999999999999999999"],
            "invalid value \"99999999999999999999\" for flag -num: value out of range",
        );
        refused(&["---x"], "bad flag syntax: ---x");
        refused(&["-=x"], "bad flag syntax: -=x");
    }

    #[test]
    fn a_flag_is_given_when_it_equals_its_default() {
        flags! {
            /// A nested group that records which flags were given.
            struct Group {
                use given: Given;
            }
        }
        flags! {
            /// A command's flags.
            struct Knowing {
                use group: Group;
                /// A number
                "num" num: u64 = 3;
                /// A switch
                "quiet" quiet: bool;
            }
        }
        let line = ["-num", "3", "--", "-quiet"].map(OsString::from);
        let given = parse::<Knowing>(&line, Face::Own).unwrap().flags.group.given;
        assert!(given.has("num") && !given.has("quiet"));
    }

    #[test]
    fn a_flag_of_our_own_is_none_of_the_references() {
        refused(&["-mine"], "flag provided but not defined: -mine");
        assert!(parse::<Args>(&["-mine".into()], Face::Own).unwrap().flags.mine);
    }

    #[test]
    fn help_and_version_are_everywhere() {
        assert_eq!(parsed(&["-h", "-bogus"]).unwrap_err(), ParseError::Help);
        assert_eq!(parsed(&["--help"]).unwrap_err(), ParseError::Help);
        let parsed = parsed(&["-version", "-warranty", "x"]).unwrap();
        assert!(parsed.standard.version && parsed.standard.warranty);
    }
}
