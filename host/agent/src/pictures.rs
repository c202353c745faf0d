//! Pictures of tool results: the model sees them while their turn runs; the history keeps a line of text.

use crate::wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::Arc;

/// Most pictures that one turn shows.
const MOST: usize = 8;
/// Most bytes of all pictures of one turn.
const MOST_BYTES: usize = 6 << 20;

/// A picture of a tool result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The tool.
    pub(crate) tool: String,
    /// Media type.
    pub(crate) mime: String,
    /// Encoded bytes.
    pub(crate) data: Vec<u8>,
}

/// What a turn has shown so far.
#[derive(Default)]
pub(crate) struct Pictures {
    /// Places among the turn's messages, and the messages that stand there for the model.
    shown: Vec<(usize, Arc<str>)>,
    count: usize,
    bytes: usize,
}

impl Pictures {
    /// Takes pictures that shall stand at `place`; the message that is kept there, if any fits.
    pub(crate) fn show(&mut self, place: usize, pictures: Vec<Picture>) -> Option<Arc<str>> {
        let mut parts = Vec::new();
        let mut tools = Vec::new();
        for picture in pictures {
            if self.count == MOST || self.bytes + picture.data.len() > MOST_BYTES {
                break;
            }
            self.count += 1;
            self.bytes += picture.data.len();
            let url = format!("data:{};base64,{}", picture.mime, STANDARD.encode(&picture.data));
            parts.push(json!({"type": "image_url", "image_url": {"url": url}}));
            tools.push(picture.tool);
        }
        if parts.is_empty() {
            return None;
        }
        let line = format!("[Chiton shows {} of {} here.]", count(parts.len()), tools.join(", "));
        parts.insert(0, json!({"type": "text", "text": line}));
        self.shown.push((place, json!({"role": "user", "content": parts}).to_string().into()));
        Some(wire::user(&line))
    }

    /// Whether any are shown.
    pub(crate) fn any(&self) -> bool {
        !self.shown.is_empty()
    }

    /// The message to send in the place of the one that is kept.
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<str>> {
        self.shown.iter().find(|(shown, _)| *shown == place).map(|(_, message)| message)
    }

    /// Shows none any more; false if there were none.
    pub(crate) fn withdraw(&mut self) -> bool {
        !std::mem::take(&mut self.shown).is_empty()
    }
}

fn count(pictures: usize) -> String {
    match pictures {
        1 => "the picture".to_owned(),
        more => format!("{more} pictures"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(bytes: usize) -> Picture {
        Picture { tool: "read_file".into(), mime: "image/png".into(), data: vec![1; bytes] }
    }

    #[test]
    fn the_model_sees_the_picture_and_the_history_keeps_a_line() {
        let mut pictures = Pictures::default();
        let kept = pictures.show(3, vec![picture(3)]).unwrap();
        assert_eq!(&*kept, r#"{"role":"user","content":"[Chiton shows the picture of read_file here.]"}"#);
        assert!(pictures.at(3).unwrap().contains("data:image/png;base64,AQEB"));
        assert!(pictures.at(2).is_none());
        assert!(pictures.withdraw() && pictures.at(3).is_none());
    }

    #[test]
    fn agt_17_a_turn_shows_only_so_many_pictures_and_bytes() {
        let mut pictures = Pictures::default();
        assert!(pictures.show(0, vec![picture(MOST_BYTES + 1)]).is_none());
        pictures.show(0, (0..20).map(|_| picture(1)).collect());
        assert_eq!(pictures.count, MOST);
        assert!(pictures.show(1, vec![picture(1)]).is_none());
    }
}
