//! Bytes as text and back without loss: sed works on characters, but what is not UTF-8 must come out as it went in.

/// Where the characters are that stand for bytes that are not UTF-8: private, at the very end of Unicode.
const FIRST: u32 = 0x10_FF00;

/// Text for these bytes.
pub fn decode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(FIRST + u32::from(*byte))));
    }
    text
}

/// The bytes that this text was made of.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        match u32::from(character).checked_sub(FIRST).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(character.encode_utf8(&mut buffer).bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_that_are_no_text_come_out_as_they_went_in() {
        let bytes = b"a\xff\xc3\xa9\x80";
        assert_eq!(super::encode(&super::decode(bytes)), bytes);
    }
}
