//! What both encodings share: sizes, counts, and the input.

use super::value::NvError;

/// Deepest nesting, as in the kernel.
pub(super) const DEPTH: usize = 20;

/// Size in memory of a pair before its name, and of a list without its pairs.
pub(super) const PAIR_HEAD: usize = 16;
pub(super) const LIST_HEAD: usize = 24;

/// Checks the number of elements for a value of this type. Like `libnvpair`, requires 1 for a type
/// that is no array.
pub(super) fn check_count(kind: u32, count: usize) -> Result<(), NvError> {
    let is_right = match kind {
        1 => count == 0,
        10..=17 | 20 | 24..=26 => true,
        _ => count == 1,
    };
    if is_right { Ok(()) } else { Err(NvError::Size) }
}

/// Size of a pair in memory. Both encodings contain it, and `libnvpair` compares it. `texts` is the
/// total length of the strings in its value, each with its NUL.
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
        // In memory, an array of strings begins with pointers.
        17 => count.checked_mul(8)?.checked_add(texts)?,
        19 => LIST_HEAD,
        20 => count.checked_mul(8 + LIST_HEAD)?,
        _ => 0,
    };
    name_end(name).checked_add(value.checked_next_multiple_of(8)?)
}

/// Offset of the value of a pair in memory.
pub(super) fn name_end(name: usize) -> usize {
    (PAIR_HEAD + name + 1).next_multiple_of(8)
}

/// The packed bytes that are not read yet.
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
