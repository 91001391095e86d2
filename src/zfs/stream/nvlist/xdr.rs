//! nvlists in XDR encoding: big-endian, in units of four bytes.

use super::packed::{Input, check_count, pair_len, text};
use super::value::{List, NvError, Value};

/// A list with its version and flags.
pub(super) fn list(input: &mut Input<'_>, depth: usize) -> Result<List, NvError> {
    let depth = depth.checked_sub(1).ok_or(NvError::Depth)?;
    if word(input)? != 0 {
        return Err(NvError::Version);
    }
    let _flags = word(input)?;
    let mut pairs = Vec::new();
    loop {
        let before = input.rest.len();
        let (encoded, decoded) = (word(input)?, word(input)?);
        if encoded == 0 && decoded == 0 {
            return Ok(List(pairs));
        }
        let name = string(input)?;
        let (kind, count) = (word(input)?, size(word(input)?)?);
        check_count(kind, count)?;
        let mut texts = 0;
        let value = value(input, kind, count, depth, &mut texts)?;
        let in_memory = pair_len(name.len(), kind, count, texts);
        if before - input.rest.len() != size(encoded)? || in_memory != Some(size(decoded)?) {
            return Err(NvError::Size);
        }
        pairs.push((text(name), value));
    }
}

/// Reads a value. Adds to `texts` the lengths of its strings, each with the NUL that it has in
/// memory.
fn value(
    input: &mut Input<'_>,
    kind: u32,
    count: usize,
    depth: usize,
    texts: &mut usize,
) -> Result<Value, NvError> {
    let mut one_text = |input: &mut Input<'_>| {
        let string = string(input)?;
        *texts += string.len() + 1;
        Ok(text(string))
    };
    Ok(match kind {
        1 => Value::Present,
        2 | 4 | 6 | 23 => Value::Uint(u64::from(word(input)?)),
        3 | 5 | 22 => Value::Int(i64::from(signed(input)?)),
        7 | 18 => Value::Int(i64::from_be_bytes(input.array()?)),
        8 => Value::Uint(u64::from_be_bytes(input.array()?)),
        9 => Value::Text(one_text(input)?),
        10 => Value::Bytes(padded(input, count)?.to_vec()),
        11 | 13 | 25 => Value::Ints(counted(input, count, |input| Ok(i64::from(signed(input)?)))?),
        12 | 14 | 26 => Value::Uints(counted(input, count, |input| Ok(u64::from(word(input)?)))?),
        15 => Value::Ints(counted(input, count, |input| Ok(i64::from_be_bytes(input.array()?)))?),
        16 => Value::Uints(counted(input, count, |input| Ok(u64::from_be_bytes(input.array()?)))?),
        17 => Value::Texts(many(input, count, one_text)?),
        19 => Value::List(list(input, depth)?),
        20 => Value::Lists(many(input, count, |input| list(input, depth))?),
        21 => Value::Flag(word(input)? != 0),
        24 => Value::Flags(counted(input, count, |input| Ok(word(input)? != 0))?),
        27 => Value::Double(f64::from_be_bytes(input.array()?)),
        other => return Err(NvError::Type(other)),
    })
}

/// Elements without a count of their own; the pair has the count.
fn many<T>(
    input: &mut Input<'_>,
    count: usize,
    mut read: impl FnMut(&mut Input<'_>) -> Result<T, NvError>,
) -> Result<Vec<T>, NvError> {
    // Every element takes at least one word, so the input's length limits the memory.
    (0..count).map(|_| read(input)).collect()
}

/// Elements after a count that repeats the pair's.
fn counted<T>(
    input: &mut Input<'_>,
    count: usize,
    read: impl Fn(&mut Input<'_>) -> Result<T, NvError>,
) -> Result<Vec<T>, NvError> {
    if size(word(input)?)? != count {
        return Err(NvError::Size);
    }
    many(input, count, read)
}

/// A name or a string; in memory it ends at its first NUL.
fn string<'a>(input: &mut Input<'a>) -> Result<&'a [u8], NvError> {
    let len = size(word(input)?)?;
    let bytes = padded(input, len)?;
    if bytes.contains(&0) { Err(NvError::Size) } else { Ok(bytes) }
}

fn padded<'a>(input: &mut Input<'a>, len: usize) -> Result<&'a [u8], NvError> {
    let with_fill = len.checked_next_multiple_of(4).ok_or(NvError::Short)?;
    Ok(&input.take(with_fill)?[..len])
}

fn word(input: &mut Input<'_>) -> Result<u32, NvError> {
    Ok(u32::from_be_bytes(input.array()?))
}

fn signed(input: &mut Input<'_>) -> Result<i32, NvError> {
    Ok(i32::from_be_bytes(input.array()?))
}

fn size(word: u32) -> Result<usize, NvError> {
    usize::try_from(word).map_err(|_| NvError::Size)
}
