//! FNV-1a, 64 bits: short fingerprints of configs, checkpoints and parameters, the same wherever the bytes are.

/// The hash of all bytes in order. Every step is a bijection of the hash, so a change of a single byte always changes
/// it.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_answers() {
        // Test vectors of the FNV page of Landon Curt Noll.
        assert_eq!(super::fnv1a(*b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::fnv1a(*b"foobar"), 0x8594_4171_f739_67e8);
    }
}
