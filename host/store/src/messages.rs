//! The messages of sessions: kept together with their index, and read page by page.

use crate::error::StoreError;
use crate::store::Store;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most bytes of a message that the index holds.
const MOST_INDEXED: usize = 16 << 10;

pub(crate) const KEEP: &str = "INSERT INTO messages (session_id, body, at) VALUES (?1, ?2, ?3)";
pub(crate) const INDEX: &str = "INSERT INTO recall (rowid, text, session) VALUES (?1, ?2, ?3)";
const ALL: &str = "SELECT id, session_id, body FROM messages";
pub(crate) const PAGE: &str = "
    SELECT id, body, at FROM messages WHERE session_id = (SELECT id FROM sessions WHERE key = ?1) AND id < ?2
    ORDER BY id DESC LIMIT ?3";

/// A message as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageRow {
    /// Rises within a session.
    pub id: i64,
    /// Who says it: `user`, `assistant` or `tool`.
    pub role: String,
    /// Its text.
    pub text: String,
    /// When it was kept, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Who says what in a message; the default when it is not one.
#[derive(Default, Deserialize)]
pub(crate) struct Said {
    pub(crate) role: String,
    #[serde(default)]
    content: Value,
}

impl Said {
    pub(crate) fn of(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }

    /// The text, also that between pictures.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        }
    }
}

/// Adds a message to a session and to the index; returns its id.
pub(crate) fn keep(connection: &Connection, session: i64, body: &str, at: i64) -> rusqlite::Result<i64> {
    connection.prepare_cached(KEEP)?.execute(params![session, body, at])?;
    let id = connection.last_insert_rowid();
    index(connection, id, session, body)?;
    Ok(id)
}

fn index(connection: &Connection, id: i64, session: i64, body: &str) -> rusqlite::Result<()> {
    let said = Said::of(body);
    if !matches!(said.role.as_str(), "user" | "assistant") {
        return Ok(());
    }
    let text = said.text();
    if text.is_empty() {
        return Ok(());
    }
    let text = apart(&text[..text.floor_char_boundary(MOST_INDEXED)]);
    connection.prepare_cached(INDEX)?.execute(params![id, text, session_word(session)]).map(drop)
}

/// Brings messages of before there was an index into it.
pub(crate) fn index_all(connection: &Connection) -> rusqlite::Result<()> {
    let mut messages = connection.prepare(ALL)?;
    let mut messages = messages.query([])?;
    while let Some(message) = messages.next()? {
        index(connection, message.get(0)?, message.get(1)?, message.get_ref(2)?.as_str()?)?;
    }
    Ok(())
}

/// The word of the index by which a search stays in a session.
pub(crate) fn session_word(session: i64) -> String {
    format!("s{session}")
}

/// Writing without spaces, character by character: each is a word of the index, and several in a row are a phrase.
pub(crate) fn apart(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => words.extend([' ', character, ' ']),
            _ if character.is_control() => words.push(' '),
            _ => words.push(character),
        }
    }
    words
}

impl Store {
    /// At most `limit` messages of a session, oldest first: the newest, or the newest that are older than `before`.
    pub async fn read_messages(
        &self,
        session: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let session = session.to_owned();
        self.read(move |connection| {
            let mut page = connection.prepare_cached(PAGE)?;
            let page = page.query_map(params![session, before.unwrap_or(i64::MAX), limit], |row| {
                let said = Said::of(row.get_ref(1)?.as_str()?);
                Ok(MessageRow { id: row.get(0)?, text: said.text(), role: said.role, at_ms: row.get(2)? })
            })?;
            let mut page = page.collect::<rusqlite::Result<Vec<_>>>()?;
            page.reverse();
            Ok(page)
        })
        .await
    }
}
