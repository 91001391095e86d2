//! Two halves of a job at the same time: one batch is made while the one before it is used.

use std::io::{self, Read};

/// What a producer has left after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Perhaps more.
    More,
    /// Nothing: this batch was the last.
    Nothing,
}

/// Hands every batch that `produce` puts into its buffer to `consume`, in order, the next being
/// made meanwhile. A job of one batch starts no thread.
pub(super) fn pump<E: Send>(
    mut produce: impl FnMut(&mut Vec<u8>) -> Result<Left, E> + Send,
    mut consume: impl FnMut(&[u8]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let (mut ready, mut next) = (Vec::new(), Vec::new());
    let mut left = produce(&mut ready)?;
    while left == Left::More {
        next.clear();
        let (produced, consumed) = rayon::join(|| produce(&mut next), || consume(&ready));
        consumed?;
        left = produced?;
        std::mem::swap(&mut ready, &mut next);
    }
    consume(&ready)
}

/// Appends up to `limit` bytes of `source` to `buffer`.
pub(super) fn fill(source: &mut impl Read, limit: usize, buffer: &mut Vec<u8>) -> io::Result<Left> {
    buffer.reserve(limit);
    let read = source.take(limit as u64).read_to_end(buffer)?;
    Ok(if read < limit { Left::Nothing } else { Left::More })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_arrive_in_order_and_the_last_is_not_lost() {
        let mut made = 0_u8;
        let mut used = Vec::new();
        pump(
            |buffer| {
                made += 1;
                buffer.push(made);
                Ok::<_, ()>(if made == 9 { Left::Nothing } else { Left::More })
            },
            |batch| {
                used.extend_from_slice(batch);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(used, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn an_error_of_either_side_ends_it() {
        assert_eq!(pump(|_| Err::<Left, _>("made"), |_| Ok(())), Err("made"));
        assert_eq!(pump(|_| Ok(Left::More), |_| Err("used")), Err("used"));
    }
}
