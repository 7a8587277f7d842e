//! Protocol Buffers as they are written, which is all that event files and ONNX need of them: a message is its fields one after
//! the other, each a number with a wire type, and what it holds (<https://protobuf.dev/programming-guides/encoding>). The
//! schemas would bring a compiler and a runtime into the build for two dozen fields.

/// A message, or part of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

/// How long a field is.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    EightBytes = 1,
    Counted = 2,
    FourBytes = 5,
}

impl Message {
    /// Without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// An integer or an enumerator.
    pub fn int(self, field: u32, value: i64) -> Self {
        self.tag(field, Wire::Varint).varint(value.cast_unsigned())
    }

    pub fn float(self, field: u32, value: f32) -> Self {
        self.tag(field, Wire::FourBytes).raw(&value.to_le_bytes())
    }

    pub fn double(self, field: u32, value: f64) -> Self {
        self.tag(field, Wire::EightBytes).raw(&value.to_le_bytes())
    }

    pub fn bytes(self, field: u32, value: &[u8]) -> Self {
        self.tag(field, Wire::Counted).varint(value.len() as u64).raw(value)
    }

    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn message(self, field: u32, value: Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// A field that is there once for each of its messages.
    pub fn messages(self, field: u32, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, value))
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn tag(self, field: u32, wire: Wire) -> Self {
        self.varint(u64::from(field) << 3 | wire as u64)
    }

    /// Seven bits a byte, the lowest first; all bytes but the last have the eighth set.
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_encoding_guide() {
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().text(2, "testing").into_bytes(), *b"\x12\x07testing");
        let inner = Message::new().int(1, 150);
        assert_eq!(Message::new().message(3, inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        // "-2 [as int64] is encoded as" ten bytes.
        let minus_two = [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Message::new().int(1, -2).into_bytes(), minus_two);
    }

    #[test]
    fn fields_above_fifteen_have_two_bytes_of_number() {
        assert_eq!(Message::new().float(20, 1.0).into_bytes(), [0xa5, 0x01, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::new().double(1, 1.0).into_bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
}
