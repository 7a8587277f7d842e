//! Protocol Buffers and the records of event files as they are read. It knows nothing of how the library writes them: fields are
//! found by walking the bytes, and the checksum is a division of polynomials, bit by bit.

// Every test file takes from this what it needs.
#![allow(dead_code)]

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Varint(u64),
    Eight([u8; 8]),
    Counted(Vec<u8>),
    Four([u8; 4]),
}

/// A message's fields, in the order of the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(Vec<(u64, Value)>);

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("a whole varint");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a varint of more than ten bytes");
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at_checked(count).expect("a whole field");
    *bytes = rest;
    taken
}

impl Message {
    pub fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let value = match tag & 7 {
                0 => Value::Varint(varint(&mut bytes)),
                1 => Value::Eight(take(&mut bytes, 8).try_into().unwrap()),
                2 => {
                    let count = varint(&mut bytes) as usize;
                    Value::Counted(take(&mut bytes, count).to_vec())
                }
                5 => Value::Four(take(&mut bytes, 4).try_into().unwrap()),
                wire => panic!("wire type {wire}"),
            };
            fields.push((tag >> 3, value));
        }
        Self(fields)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(number, _)| *number == field).map(|(_, value)| value)
    }

    pub fn has(&self, field: u64) -> bool {
        self.all(field).next().is_some()
    }

    pub fn ints(&self, field: u64) -> Vec<i64> {
        let int = |value: &Value| match value {
            Value::Varint(value) => *value as i64,
            other => panic!("field {field} is {other:?}"),
        };
        self.all(field).map(int).collect()
    }

    /// The only one; 0 where there is none, as the format has it.
    pub fn int(&self, field: u64) -> i64 {
        let ints = self.ints(field);
        assert!(ints.len() <= 1, "field {field}: {ints:?}");
        ints.first().copied().unwrap_or(0)
    }

    pub fn float(&self, field: u64) -> f32 {
        match self.all(field).next() {
            Some(Value::Four(bytes)) => f32::from_le_bytes(*bytes),
            other => panic!("field {field} is {other:?}"),
        }
    }

    pub fn double(&self, field: u64) -> f64 {
        match self.all(field).next() {
            Some(Value::Eight(bytes)) => f64::from_le_bytes(*bytes),
            other => panic!("field {field} is {other:?}"),
        }
    }

    pub fn bytes(&self, field: u64) -> Vec<Vec<u8>> {
        let bytes = |value: &Value| match value {
            Value::Counted(bytes) => bytes.clone(),
            other => panic!("field {field} is {other:?}"),
        };
        self.all(field).map(bytes).collect()
    }

    pub fn messages(&self, field: u64) -> Vec<Self> {
        self.bytes(field).iter().map(|bytes| Self::read(bytes)).collect()
    }

    pub fn message(&self, field: u64) -> Self {
        let mut messages = self.messages(field);
        assert_eq!(messages.len(), 1, "messages in field {field}");
        messages.remove(0)
    }

    pub fn texts(&self, field: u64) -> Vec<String> {
        self.bytes(field).into_iter().map(|bytes| String::from_utf8(bytes).expect("text")).collect()
    }

    pub fn text(&self, field: u64) -> String {
        let mut texts = self.texts(field);
        assert_eq!(texts.len(), 1, "texts in field {field}");
        texts.remove(0)
    }
}

/// CRC-32C: the remainder of the bits, each byte's lowest first, by the polynomial as Castagnoli gives it; beginning and end
/// inverted, the result read from its last bit to its first.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let mut remainder: u32 = !0;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1)) {
        let divide = remainder >> 31 != u32::from(bit);
        remainder <<= 1;
        if divide {
            remainder ^= 0x1edc_6f41;
        }
    }
    !remainder.reverse_bits()
}

/// The contents of a file of records, to the last byte.
pub fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    // The check value of CRC-32/ISCSI, and one of RFC 3720.
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    let check = |of: &[u8], masked: &[u8]| {
        let masked = u32::from_le_bytes(masked.try_into().unwrap());
        assert_eq!(masked.wrapping_sub(0xa282_ead8).rotate_left(15), crc32c(of), "checksum");
    };
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = take(&mut bytes, 8);
        check(length, take(&mut bytes, 4));
        let data = take(&mut bytes, u64::from_le_bytes(length.try_into().unwrap()) as usize);
        check(data, take(&mut bytes, 4));
        records.push(data.to_vec());
    }
    records
}
