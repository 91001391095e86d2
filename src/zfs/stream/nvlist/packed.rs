//! What both encodings share: sizes, counts, and what is left to be read.

use super::value::NvError;

/// Deepest nesting that is read, as in the kernel.
pub(super) const DEPTH: usize = 20;

/// What stands before the name of a pair in memory, and what a list takes beside its pairs.
pub(super) const PAIR_HEAD: usize = 16;
pub(super) const LIST_HEAD: usize = 24;

/// Whether a value of this type may have so many elements. `libnvpair` takes no other count than one
/// where there is no array.
pub(super) fn check_count(kind: u32, count: usize) -> Result<(), NvError> {
    let is_right = match kind {
        1 => count == 0,
        10..=17 | 20 | 24..=26 => true,
        _ => count == 1,
    };
    if is_right { Ok(()) } else { Err(NvError::Size) }
}

/// Length of a pair in memory, which both encodings tell and `libnvpair` compares. `texts` is that of
/// the strings in its value, each with its NUL.
pub(super) fn pair_len(name: usize, kind: u32, count: usize, texts: usize) -> Option<usize> {
    let value = match kind {
        2 | 22 | 23 => 1,
        3 | 4 => 2,
        5 | 6 | 21 => 4,
        7 | 8 | 18 | 27 => 8,
        9 => texts,
        10 | 25 | 26 => count,
        11 | 12 => count.checked_mul(2)?,
        13 | 14 | 24 => count.checked_mul(4)?,
        15 | 16 => count.checked_mul(8)?,
        // Pointers come first.
        17 => count.checked_mul(8)?.checked_add(texts)?,
        19 => LIST_HEAD,
        20 => count.checked_mul(8 + LIST_HEAD)?,
        _ => 0,
    };
    name_end(name).checked_add(value.checked_next_multiple_of(8)?)
}

/// Where the value of a pair in memory begins.
pub(super) fn name_end(name: usize) -> usize {
    (PAIR_HEAD + name + 1).next_multiple_of(8)
}

/// What is left of the packed bytes.
pub(super) struct Input<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], NvError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(NvError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], NvError> {
        Ok(self.take(N)?.try_into().expect("N bytes were taken"))
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
