//! A niceness of any text is understood or refused, and is shown as it can be read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use packmule_protocol::niceness::Niceness;

fuzz_target!(|text: &str| {
    if let Ok(nice) = text.parse::<Niceness>() {
        assert_eq!(nice.to_string().parse(), Ok(nice));
    }
});
