//! Server-sent events, decoded as they arrive and within bounds.

use memchr::memchr2;

/// The largest event, in bytes.
pub const EVENT_LIMIT: usize = 8 << 20;
/// The largest stream, in bytes.
pub const STREAM_LIMIT: usize = 64 << 20;

/// One event: its type, empty when unnamed, and its data lines joined by `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The `event` field.
    pub name: String,
    /// The `data` fields.
    pub data: String,
}

/// A stream that passed a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseTooLarge {
    /// One event did.
    #[error("one event has more than {} MiB", .0 >> 20)]
    Event(usize),
    /// All events together did.
    #[error("the stream has more than {} MiB", .0 >> 20)]
    Stream(usize),
}

/// Takes bytes cut anywhere and gives the same events. Any line ending ends a line, a blank line ends an event.
#[derive(Debug)]
pub struct SseDecoder {
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    first_line: bool,
    total: usize,
    event_limit: usize,
    stream_limit: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limits(EVENT_LIMIT, STREAM_LIMIT)
    }
}

impl SseDecoder {
    /// A decoder with its own bounds in bytes.
    pub fn with_limits(event_limit: usize, stream_limit: usize) -> Self {
        Self {
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            first_line: true,
            total: 0,
            event_limit,
            stream_limit,
        }
    }

    /// Takes the next bytes and appends the events they complete to `events`.
    ///
    /// # Errors
    /// When a bound is passed; the decoder is of no use after that.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), SseTooLarge> {
        self.total = self.total.saturating_add(bytes.len());
        if self.total > self.stream_limit {
            return Err(SseTooLarge::Stream(self.stream_limit));
        }
        while !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if let Some(rest) = bytes.strip_prefix(b"\n") {
                    bytes = rest;
                    continue;
                }
            }
            let end = memchr2(b'\n', b'\r', bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + self.data.len() + piece.len() > self.event_limit {
                return Err(SseTooLarge::Event(self.event_limit));
            }
            self.line.extend_from_slice(piece);
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    /// Ends the stream: a last event without its blank line counts, since some servers leave that line out.
    pub fn finish(&mut self, events: &mut Vec<SseEvent>) {
        if !self.line.is_empty() {
            self.end_line(events);
        }
        self.end_event(events);
    }

    fn end_line(&mut self, events: &mut Vec<SseEvent>) {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.first_line) && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if line.is_empty() {
            self.end_event(events);
        } else {
            self.take_field(&line);
        }
        // The buffer goes back, so that a stream costs no allocation per line.
        line.clear();
        self.line = line;
    }

    fn take_field(&mut self, line: &[u8]) {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.name = value.to_vec(),
            _ => {}
        }
    }

    fn end_event(&mut self, events: &mut Vec<SseEvent>) {
        let name = std::mem::take(&mut self.name);
        if std::mem::take(&mut self.has_data) {
            events.push(SseEvent { name: text(name), data: text(std::mem::take(&mut self.data)) });
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Vec<SseEvent> {
        let (mut decoder, mut events) = (SseDecoder::default(), Vec::new());
        for piece in pieces {
            decoder.push(piece, &mut events).unwrap();
        }
        decoder.finish(&mut events);
        events
    }

    fn data(pieces: &[&[u8]]) -> Vec<String> {
        decode(pieces).into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn lf_crlf_and_cr_all_end_a_line() {
        assert_eq!(data(&[b"data: a\n\ndata: b\r\n\r\ndata: c\r\r"]), ["a", "b", "c"]);
    }

    #[test]
    fn a_crlf_cut_between_two_chunks_is_one_line_ending() {
        assert_eq!(data(&[b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n"]), ["a\nb"]);
    }

    #[test]
    fn a_byte_order_mark_comments_and_unknown_fields_are_skipped() {
        assert_eq!(data(&[b"\xEF\xBB", b"\xBFdata: a\n: ping\nid: 7\nretry: 1\n\n: only a comment\n\n"]), ["a"]);
    }

    #[test]
    fn several_data_lines_are_joined_and_one_space_is_dropped() {
        assert_eq!(data(&[b"data:  a\ndata:b\ndata\n\n"]), [" a\nb\n"]);
    }

    #[test]
    fn an_event_has_a_name_only_until_it_ends() {
        let events = decode(&[b"event: error\ndata: x\n\ndata: y\n\n"]);
        assert_eq!((events[0].name.as_str(), events[1].name.as_str()), ("error", ""));
    }

    #[test]
    fn a_last_event_without_its_blank_line_counts() {
        assert_eq!(data(&[b"data: a\n\ndata: [DONE]"]), ["a", "[DONE]"]);
    }

    #[test]
    fn an_event_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
        let mut events = Vec::new();
        assert_eq!(
            SseDecoder::with_limits(16, 100).push(b"data: 12345678901", &mut events),
            Err(SseTooLarge::Event(16))
        );
        assert_eq!(
            SseDecoder::with_limits(16, 100)
                .push(b"data: 1\ndata: 2\ndata: 3\ndata: 4\ndata: 5\ndata: 6\ndata: 7\n", &mut events),
            Err(SseTooLarge::Event(16))
        );
        assert_eq!(SseDecoder::with_limits(16, 100).push(b"data: 1234567890\n\n", &mut events), Ok(()));
        assert_eq!(events.len(), 1);
    }

    #[test]
    fn a_stream_over_the_limit_is_refused() {
        let mut decoder = SseDecoder::with_limits(16, 20);
        let mut events = Vec::new();
        assert_eq!(decoder.push(b"data: 1\n\n", &mut events), Ok(()));
        assert_eq!(decoder.push(b"data: 2\n\ndata: 3\n\n", &mut events), Err(SseTooLarge::Stream(20)));
    }

    proptest! {
        #[test]
        fn the_place_where_a_stream_is_cut_does_not_matter(
            lines in prop::collection::vec(prop_oneof!["data: ?[a-zé😀:]{0,12}", "event: [a-z]{0,5}", ": [a-z]{0,5}", "", "[a-z]{0,8}"], 0..30),
            endings in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\r"]), 30),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let stream: String = lines.iter().zip(&endings).flat_map(|(line, ending)| [line.as_str(), ending]).collect();
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&pieces), decode(&[bytes]));
        }

        #[test]
        fn no_bytes_make_the_decoder_fail_within_its_bounds(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&[&bytes]);
        }
    }
}
