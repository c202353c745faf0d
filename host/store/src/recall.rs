//! Finding what was said by its words, however long ago.

use crate::error::StoreError;
use crate::messages::{Said, apart, session_word};
use crate::store::Store;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

/// Most words of a query that count.
const MOST_WORDS: usize = 16;
/// How many messages with all the words are ranked, the newest: the cost of words that are everywhere ends there.
const MOST_RANKED: u32 = 2_000;
/// Most messages of one answer.
const MOST_FOUND: u32 = 100;
/// Most characters of a snippet, and how many of them stand before its first word.
const SNIPPET: usize = 300;
const LEAD: usize = 80;

pub(crate) const SEARCH: &str = "
    SELECT rowid FROM (SELECT rowid, rank AS relevance FROM recall WHERE recall MATCH ?1 ORDER BY rowid DESC LIMIT ?2)
    ORDER BY relevance, rowid DESC LIMIT ?3";
pub(crate) const FOUND: &str = "
    SELECT sessions.key, body, at FROM messages JOIN sessions ON sessions.id = session_id WHERE messages.id = ?1";
pub(crate) const SESSION: &str = "SELECT id FROM sessions WHERE key = ?1";

/// Where to search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In one session.
    Session(String),
    /// In several sessions.
    Sessions(Vec<String>),
    /// In every session.
    All,
}

/// A message that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The session it was said in.
    pub session: String,
    /// Its id, for [`Store::read_messages`].
    pub message: i64,
    /// Who said it: `user` or `assistant`.
    pub role: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its text around the words, in one line of at most 300 characters.
    pub snippet: String,
}

/// The words and quoted phrases of a query that can be looked for.
fn words(query: &str) -> Vec<&str> {
    let parts: Vec<&str> = query.split('"').collect();
    let closed = parts.len() - 1;
    let words = parts.into_iter().enumerate().flat_map(|(number, part)| {
        let phrase = number % 2 == 1 && number < closed;
        if phrase { vec![part] } else { part.split_whitespace().collect() }
    });
    words.filter(|word| word.contains(char::is_alphanumeric)).take(MOST_WORDS).collect()
}

/// What the index is asked: only quoted text comes from outside. None when nothing can be found.
fn expression(connection: &Connection, words: &[&str], scope: &Scope) -> rusqlite::Result<Option<String>> {
    let words: Vec<String> = words.iter().map(|word| format!("\"{}\"", apart(word))).collect();
    let text = format!("{{text}} : ({})", words.join(" AND "));
    let keys = match scope {
        Scope::All => return Ok((!words.is_empty()).then_some(text)),
        Scope::Session(key) => std::slice::from_ref(key),
        Scope::Sessions(keys) => keys,
    };
    let mut session = connection.prepare_cached(SESSION)?;
    let mut sessions = Vec::new();
    for key in keys {
        sessions.extend(session.query_row([key], |row| row.get(0)).optional()?.map(session_word));
    }
    let found = !words.is_empty() && !sessions.is_empty();
    Ok(found.then(|| format!("{{session}} : ({}) AND {text}", sessions.join(" OR "))))
}

/// The text around the first word that is met, in one line.
fn snippet(text: &str, words: &[&str]) -> String {
    let line: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    let lower = |character: &char| character.to_lowercase().next().unwrap_or(*character);
    let folded: Vec<char> = line.iter().map(lower).collect();
    let place = |word: &&str| {
        let word = word.split(|letter: char| !letter.is_alphanumeric()).find(|part| !part.is_empty())?;
        let word: Vec<char> = word.chars().map(|letter| lower(&letter)).collect();
        folded.windows(word.len()).position(|window| window == word)
    };
    let first = words.iter().filter_map(place).min().unwrap_or(0);
    let end = (first.saturating_sub(LEAD) + SNIPPET - 2).min(line.len());
    let start = end.saturating_sub(SNIPPET - 2).min(first.saturating_sub(LEAD));
    let around: String = line[start..end].iter().collect();
    let cut = |is_cut| if is_cut { "…" } else { "" };
    format!("{}{around}{}", cut(start > 0), cut(end < line.len()))
}

fn search(connection: &Connection, query: &str, scope: &Scope, limit: u32) -> rusqlite::Result<Vec<Found>> {
    let words = words(query);
    // one view of the database for all questions
    let view = connection.unchecked_transaction()?;
    let Some(expression) = expression(&view, &words, scope)? else { return Ok(Vec::new()) };
    let mut ranked = view.prepare_cached(SEARCH)?;
    let ranked =
        ranked.query_map(params![expression, MOST_RANKED, limit.min(MOST_FOUND)], |row| row.get::<_, i64>(0))?;
    let mut found = view.prepare_cached(FOUND)?;
    let found = ranked.map(|message| {
        let message = message?;
        found.query_row([message], |row| {
            let said = Said::of(row.get_ref(1)?.as_str()?);
            let (at_ms, snippet) = (row.get(2)?, snippet(&said.text(), &words));
            Ok(Found { session: row.get(0)?, message, role: said.role, at_ms, snippet })
        })
    });
    found.collect()
}

impl Store {
    /// The messages of users and the assistant that hold every word of `query`, the most relevant first, of equal ones
    /// the newest. Quoted words are found side by side; nothing else in `query` has a meaning.
    pub async fn search(&self, query: &str, scope: Scope, limit: u32) -> Result<Vec<Found>, StoreError> {
        let query = query.to_owned();
        self.read(move |connection| search(connection, &query, &scope, limit)).await
    }
}
