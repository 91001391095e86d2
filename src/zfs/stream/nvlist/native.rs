//! nvlists in native encoding: structures as in memory, in units of eight bytes.

use super::super::order::ByteOrder;
use super::packed::{DEPTH, Input, PAIR_HEAD as PAIR, check_count, name_end, pair_len, text};
use super::value::{List, NvError, Value};

/// A list with its version and flags.
pub(super) fn list(input: &mut Input<'_>, order: ByteOrder) -> Result<List, NvError> {
    let head = input.take(8)?;
    if order.u32(head, 0) != 0 {
        return Err(NvError::Version);
    }
    pairs(input, order, DEPTH)
}

/// The pairs up to their end mark. The pairs of a nested list follow the pair that names it.
fn pairs(input: &mut Input<'_>, order: ByteOrder, depth: usize) -> Result<List, NvError> {
    let depth = depth.checked_sub(1).ok_or(NvError::Depth)?;
    let mut pairs = Vec::new();
    loop {
        let size = order.u32(input.rest.get(..4).ok_or(NvError::Short)?, 0);
        if size == 0 {
            input.take(4)?;
            return Ok(List(pairs));
        }
        let bytes = input.take(usize::try_from(size).map_err(|_| NvError::Size)?)?;
        let pair = Pair::cut(bytes, order)?;
        check_count(pair.kind, pair.count)?;
        if pair_len(pair.name_len, pair.kind, pair.count, pair.texts()?) != Some(bytes.len()) {
            return Err(NvError::Size);
        }
        let value = match pair.kind {
            19 => Value::List(self::pairs(input, order, depth)?),
            20 => Value::Lists(
                (0..pair.count)
                    .map(|_| self::pairs(input, order, depth))
                    .collect::<Result<_, _>>()?,
            ),
            _ => pair.value()?,
        };
        pairs.push((pair.name, value));
    }
}

/// One pair, split into its parts.
struct Pair<'a> {
    order: ByteOrder,
    name: String,
    /// Without its NUL.
    name_len: usize,
    count: usize,
    kind: u32,
    data: &'a [u8],
}

impl<'a> Pair<'a> {
    fn cut(bytes: &'a [u8], order: ByteOrder) -> Result<Self, NvError> {
        let (head, _) = bytes.split_at_checked(PAIR).ok_or(NvError::Size)?;
        let name_len = match order {
            ByteOrder::Little => u16::from_le_bytes([head[4], head[5]]),
            ByteOrder::Big => u16::from_be_bytes([head[4], head[5]]),
        };
        let name = bytes.get(PAIR..PAIR + usize::from(name_len)).ok_or(NvError::Size)?;
        let (0, name) = name.split_last().ok_or(NvError::Size)? else {
            return Err(NvError::Size);
        };
        if name.contains(&0) {
            return Err(NvError::Size);
        }
        Ok(Self {
            order,
            name: text(name),
            name_len: name.len(),
            count: usize::try_from(order.u32(head, 8)).map_err(|_| NvError::Size)?,
            kind: order.u32(head, 12),
            data: bytes.get(name_end(name.len())..).unwrap_or_default(),
        })
    }

    fn value(&self) -> Result<Value, NvError> {
        Ok(match self.kind {
            1 => Value::Present,
            2 | 23 => Value::Uint(u64::from(self.one::<1>()?[0])),
            22 => Value::Int(i64::from(i8::from_le_bytes(self.one()?))),
            3 => Value::Int(i64::from(self.i16(self.one()?))),
            4 => Value::Uint(u64::from(self.u16(self.one()?))),
            5 => Value::Int(i64::from(self.u32(self.one()?).cast_signed())),
            6 => Value::Uint(u64::from(self.u32(self.one()?))),
            7 | 18 => Value::Int(self.u64(self.one()?).cast_signed()),
            8 => Value::Uint(self.u64(self.one()?)),
            9 => Value::Text(text(self.strings(0, 1)?[0])),
            10 => Value::Bytes(self.data.get(..self.count).ok_or(NvError::Short)?.to_vec()),
            25 => self.ints(|word: [u8; 1]| i64::from(i8::from_le_bytes(word)))?,
            26 => self.uints(|word: [u8; 1]| u64::from(word[0]))?,
            11 => self.ints(|word| i64::from(self.i16(word)))?,
            12 => self.uints(|word| u64::from(self.u16(word)))?,
            13 => self.ints(|word| i64::from(self.u32(word).cast_signed()))?,
            14 => self.uints(|word| u64::from(self.u32(word)))?,
            15 => self.ints(|word| self.u64(word).cast_signed())?,
            16 => self.uints(|word| self.u64(word))?,
            17 => Value::Texts(self.string_array()?.into_iter().map(text).collect()),
            21 => Value::Flag(self.u32(self.one()?) != 0),
            24 => Value::Flags(self.elements(|word| self.u32(word) != 0)?),
            27 => Value::Double(f64::from_bits(self.u64(self.one()?))),
            other => return Err(NvError::Type(other)),
        })
    }

    fn one<const N: usize>(&self) -> Result<[u8; N], NvError> {
        self.data.first_chunk::<N>().copied().ok_or(NvError::Short)
    }

    fn elements<const N: usize, T>(&self, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>, NvError> {
        let (words, _) = self.data.as_chunks::<N>();
        Ok(words.get(..self.count).ok_or(NvError::Short)?.iter().map(|word| read(*word)).collect())
    }

    fn ints<const N: usize>(&self, read: impl Fn([u8; N]) -> i64) -> Result<Value, NvError> {
        self.elements(read).map(Value::Ints)
    }

    fn uints<const N: usize>(&self, read: impl Fn([u8; N]) -> u64) -> Result<Value, NvError> {
        self.elements(read).map(Value::Uints)
    }

    /// Total length of the strings in the value, each with its NUL.
    fn texts(&self) -> Result<usize, NvError> {
        let strings = match self.kind {
            9 => self.strings(0, 1)?,
            17 => self.string_array()?,
            _ => Vec::new(),
        };
        Ok(strings.iter().map(|string| string.len() + 1).sum())
    }

    /// The strings follow an array of pointers, which is as long as in memory.
    fn string_array(&self) -> Result<Vec<&'a [u8]>, NvError> {
        let pointers = self.count.checked_mul(8).ok_or(NvError::Size)?;
        self.strings(pointers, self.count)
    }

    /// `count` strings, each with its NUL, from `offset`.
    fn strings(&self, offset: usize, count: usize) -> Result<Vec<&'a [u8]>, NvError> {
        let mut rest = self.data.get(offset..).ok_or(NvError::Short)?;
        let mut strings = Vec::new();
        for _ in 0..count {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(NvError::Short)?;
            strings.push(&rest[..end]);
            rest = &rest[end + 1..];
        }
        Ok(strings)
    }

    fn i16(&self, word: [u8; 2]) -> i16 {
        self.u16(word).cast_signed()
    }

    fn u16(&self, word: [u8; 2]) -> u16 {
        match self.order {
            ByteOrder::Little => u16::from_le_bytes(word),
            ByteOrder::Big => u16::from_be_bytes(word),
        }
    }

    fn u32(&self, word: [u8; 4]) -> u32 {
        self.order.u32(&word, 0)
    }

    fn u64(&self, word: [u8; 8]) -> u64 {
        self.order.u64(&word, 0)
    }
}
