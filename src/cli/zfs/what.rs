//! Which snapshot a command sends (new, newest or existing), and from which base.

use crate::zfs::name::Dataset;
use crate::zfs::send::{Dispatch, Queue, Run, SendError, Source};
use anyhow::Context;

/// The snapshot to send, and its base.
pub(super) enum What {
    /// Make a new snapshot.
    New(Source),
    /// Send the newest snapshot of the set again.
    Again(Source),
    /// Send the existing snapshot with this name.
    Existing(String, Source),
}

impl What {
    /// Sends this snapshot of a dataset.
    ///
    /// # Errors
    /// Those of [`Run`].
    pub(super) fn send(
        &self,
        run: &Run<'_>,
        dataset: &Dataset,
        queue: &Queue<'_>,
    ) -> Result<Vec<Dispatch>, SendError> {
        match self {
            Self::New(from) => run.send_from(dataset, from, queue),
            Self::Again(from) => run.resend(dataset, from, queue),
            Self::Existing(name, from) => run.send_existing(dataset, name, from, queue),
        }
    }
}

/// Parses the base of `-from`: guids separated by commas, `last-applied` or `nothing`.
///
/// # Errors
/// The text is none of these.
pub(super) fn source(text: &str) -> anyhow::Result<Source> {
    match text {
        "last-applied" => Ok(Source::Confirmed),
        "nothing" => Ok(Source::Nothing),
        guids => {
            let guids = guids.split(',').map(|guid| guid.trim().parse());
            let guids = guids.collect::<Result<_, _>>().with_context(|| {
                format!("-from {text:?} is not a list of guids separated by commas, last-applied or nothing")
            })?;
            Ok(Source::Guids(guids))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_guids_or_one_of_two_words() {
        assert_eq!(source("last-applied").unwrap(), Source::Confirmed);
        assert_eq!(source("nothing").unwrap(), Source::Nothing);
        assert_eq!(source("18446744073709551615").unwrap(), Source::Guids(vec![u64::MAX]));
        assert_eq!(source("1,2, 3").unwrap(), Source::Guids(vec![1, 2, 3]));
        for text in ["", ",", "1,", "-1", "x", "0x10", "Nothing"] {
            assert!(source(text).is_err(), "{text:?}");
        }
    }
}
