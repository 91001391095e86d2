//! Runs the stages of a job in parallel: one batch is produced while the previous one is consumed.

use super::buffer::{Buffer, Left};

/// Passes each batch of `produce` to `consume`, in order, and produces the next one meanwhile.
/// Starts no thread for a job of one batch.
pub(super) fn pump<E: Send>(
    mut produce: impl FnMut(&mut Buffer) -> Result<Left, E> + Send,
    mut consume: impl FnMut(&[u8]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let (mut ready, mut next) = (Buffer::new(), Buffer::new());
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

/// [`pump`] with three stages: while one batch is read, the previous one is worked on in place, and
/// the one before that is consumed. `work` also gets whether there is more after its batch.
pub(super) fn pump_worked<E: Send>(
    mut read: impl FnMut(&mut Buffer) -> Result<Left, E> + Send,
    mut work: impl FnMut(&mut Buffer, Left) -> Result<(), E> + Send,
    mut consume: impl FnMut(&[u8]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let (mut ready, mut raw, mut next) = (None, Buffer::new(), Buffer::new());
    let mut left = read(&mut raw)?;
    while left == Left::More {
        next.clear();
        let (following, (worked, consumed)) = rayon::join(
            || read(&mut next),
            || {
                rayon::join(
                    || work(&mut raw, left),
                    || ready.as_deref().map_or(Ok(()), &mut consume),
                )
            },
        );
        consumed?;
        worked?;
        left = following?;
        let used = ready.replace(raw).unwrap_or_default();
        raw = std::mem::replace(&mut next, used);
    }
    work(&mut raw, left)?;
    ready.as_deref().map_or(Ok(()), &mut consume)?;
    consume(&raw)
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
                buffer.extend(&[made]);
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
    fn batches_are_worked_on_once_in_order() {
        for count in 1..6 {
            let (mut made, mut worked, mut used) = (0_u8, Vec::new(), Vec::new());
            pump_worked(
                |buffer| {
                    made += 1;
                    buffer.extend(&[made]);
                    Ok::<_, ()>(if made == count { Left::Nothing } else { Left::More })
                },
                |buffer, left| {
                    worked.push((buffer.to_vec(), left == Left::Nothing));
                    buffer[0] += 100;
                    Ok(())
                },
                |batch| {
                    used.extend_from_slice(batch);
                    Ok(())
                },
            )
            .unwrap();
            let want: Vec<_> = (1..=count).map(|number| (vec![number], number == count)).collect();
            assert_eq!(worked, want);
            assert_eq!(used, (101..=100 + count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_of_either_side_ends_it() {
        assert_eq!(pump(|_| Err::<Left, _>("made"), |_| Ok(())), Err("made"));
        assert_eq!(pump(|_| Ok(Left::More), |_| Err("used")), Err("used"));
        let more = |_: &mut Buffer| Ok(Left::More);
        assert_eq!(pump_worked(|_| Err("read"), |_, _| Ok(()), |_| Ok(())), Err("read"));
        assert_eq!(pump_worked(more, |_, _| Err("worked"), |_| Ok(())), Err("worked"));
        assert_eq!(pump_worked(more, |_, _| Ok(()), |_| Err("used")), Err("used"));
    }
}
