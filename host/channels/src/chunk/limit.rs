//! How long a message may be, and how each platform counts.

/// What a platform counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Unicode characters.
    #[default]
    Characters,
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// The length of one character.
    pub fn of(self, c: char) -> usize {
        match self {
            Self::Characters => 1,
            Self::Utf16 => c.len_utf16(),
            Self::Bytes => c.len_utf8(),
        }
    }

    /// The length of a text.
    pub fn count(self, text: &str) -> usize {
        text.chars().map(|c| self.of(c)).sum()
    }
}

/// How long a message may be. A single character goes out even where it is longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// The most units.
    pub most: usize,
    /// What is counted.
    pub unit: Unit,
}

const fn row(name: &'static str, most: usize, unit: Unit) -> (&'static str, Limit) {
    (name, Limit { most, unit })
}

/// The limits of the platforms that say one. Where a platform only says "characters", the longer count is used.
#[rustfmt::skip]
pub const PLATFORMS: &[(&str, Limit)] = &[
    // Bot API, sendMessage: 1-4096 characters after entity parsing, offsets in UTF-16 units.
    row("telegram", 4096, Unit::Utf16),
    // API v10, POST /channels/{id}/messages: content up to 2000 characters.
    row("discord", 2000, Unit::Utf16),
    // chat.postMessage cuts text after 40,000 characters; escapes of & < > count too, so some room is left.
    row("slack", 39_000, Unit::Utf16),
    // Cloud API, text.body: up to 4096 characters.
    row("whatsapp", 4096, Unit::Utf16),
    // im/v1/messages: 30 KB for a post or card.
    row("feishu", 30_000, Unit::Bytes),
    // Client-server API: 65,536 bytes an event, which holds the text twice, once as HTML.
    row("matrix", 24_000, Unit::Bytes),
];

impl Limit {
    /// The limit of a platform, if it has one.
    pub fn of(platform: &str) -> Option<Self> {
        PLATFORMS.iter().find(|(name, _)| *name == platform).map(|(_, limit)| *limit)
    }
}
