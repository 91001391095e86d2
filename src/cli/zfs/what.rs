//! What a command sends: a new snapshot, the newest again, or one that exists, and from which base.

use crate::zfs::name::Dataset;
use crate::zfs::send::{Dispatch, Queue, Run, SendError, Source};
use anyhow::Context;

/// What is sent.
pub(super) enum What {
    /// A snapshot that is made now.
    New(Source),
    /// The newest snapshot of the set, once more.
    Again(Source),
    /// The snapshot of this name.
    Existing(String, Source),
}

impl What {
    /// Sends it of a dataset.
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

/// The base that `-from` names: guids with commas between, `last-applied` or `nothing`.
///
/// # Errors
/// When it is none of these.
pub(super) fn source(text: &str) -> anyhow::Result<Source> {
    match text {
        "last-applied" => Ok(Source::Confirmed),
        "nothing" => Ok(Source::Nothing),
        guids => {
            let guids = guids.split(',').map(|guid| guid.trim().parse());
            let guids = guids.collect::<Result<_, _>>().with_context(|| {
                format!("-from {text:?} is not a guid, guids with commas between, last-applied or nothing")
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
