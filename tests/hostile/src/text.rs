//! The text of the smallest valid tool component, and how to make it hostile.

use std::fmt::Write as _;

const VALID: &str = include_str!("../wat/valid.wat");
/// Where the strings of the definitions start in the guest's memory.
const STRINGS: usize = 1024;
/// Bytes of one definition in the guest's memory.
const DEFINITION: usize = 28;

/// A component as text, in which each region of `wat/valid.wat` can be replaced.
#[derive(Clone, Debug)]
pub struct Text(String);

/// One tool as a component lists it.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its schema.
    pub parameters: String,
    /// Its effects, one bit each in the order of the contract.
    pub effects: u8,
}

impl Tool {
    /// A tool of this name that takes any object and declares no effect.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: "Answers at once.".to_owned(),
            parameters: r#"{"type":"object"}"#.to_owned(),
            effects: 0,
        }
    }
}

impl Text {
    /// The valid component, whose tool `valid` answers `done`.
    pub fn valid() -> Self {
        Self(VALID.to_owned())
    }

    /// Replaces a region.
    ///
    /// # Panics
    /// When there is no such region: the caller is misspelt.
    #[must_use]
    pub fn with(mut self, region: &str, text: &str) -> Self {
        let marker = format!(";;? {region}\n");
        let start = self.0.find(&marker).map(|at| at + marker.len());
        let start = start.unwrap_or_else(|| panic!("no region '{region}' in valid.wat"));
        let end = start + self.0[start..].find(";;.").unwrap_or(0);
        self.0.replace_range(start..end, &format!("{text}\n"));
        self
    }

    /// Lists these tools in place of `valid`.
    #[must_use]
    pub fn tools(self, tools: &[Tool]) -> Self {
        let mut strings: Vec<u8> = Vec::new();
        let mut records = Vec::new();
        for tool in tools {
            for field in [&tool.name, &tool.description, &tool.parameters] {
                let at = STRINGS + tools.len() * DEFINITION + strings.len();
                records.extend((at as u32).to_le_bytes());
                records.extend((field.len() as u32).to_le_bytes());
                strings.extend(field.as_bytes());
            }
            records.extend([tool.effects, 0, 0, 0]);
        }
        let end = STRINGS + records.len() + strings.len();
        let header = [(STRINGS as u32).to_le_bytes(), (tools.len() as u32).to_le_bytes()].concat();
        records.extend(strings);
        let pages = end.div_ceil(1 << 16).max(2) + 2;
        self.with("memory", &format!("(memory (export \"memory\") {pages})"))
            .with("heap", &format!("(global $heap (mut i32) (i32.const {}))", (pages - 2) << 16))
            .with("definition", &data(STRINGS, &records))
            .with("list", &data(16, &header))
    }

    /// The component's bytes.
    ///
    /// # Panics
    /// When the text does not parse: an edit is misspelt.
    pub fn component(&self) -> Vec<u8> {
        assemble(&self.0)
    }
}

/// Turns text into bytes without validating them.
pub(crate) fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A data segment.
pub(crate) fn data(at: usize, bytes: &[u8]) -> String {
    let mut text = format!("(data (i32.const {at}) \"");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\{byte:02x}");
    }
    text.push_str("\")");
    text
}
