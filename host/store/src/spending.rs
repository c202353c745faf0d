//! What requests to models cost, as sums that stay small however old the store is.

use crate::error::StoreError;
use crate::records::TurnId;
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

/// One sum covers so many milliseconds.
const QUARTER: i64 = 15 * 60 * 1000;

pub(crate) const OF_TURN: &str = "SELECT session_id FROM turns WHERE id = ?1";
pub(crate) const ADD: &str = "
    INSERT INTO spending
        (session_id, quarter, model, requests, input, cached, output, reasoning, microdollars, unpriced)
    VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, coalesce(?8, 0), ?8 IS NULL)
    ON CONFLICT DO UPDATE SET requests = requests + 1, input = input + excluded.input,
        cached = cached + excluded.cached, output = output + excluded.output,
        reasoning = reasoning + excluded.reasoning, microdollars = microdollars + excluded.microdollars,
        unpriced = unpriced + excluded.unpriced";
pub(crate) const SUM: &str = "
    SELECT coalesce(sum(requests), 0), coalesce(sum(input), 0), coalesce(sum(cached), 0), coalesce(sum(output), 0),
        coalesce(sum(microdollars), 0), coalesce(sum(unpriced), 0)
    FROM spending WHERE coalesce(session_id, 0) = coalesce((SELECT id FROM sessions WHERE key = ?1), ?2)
    AND quarter >= ?3";

/// What one request to a model took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// The model's name.
    pub model: String,
    /// Tokens that were sent, those from a cache included.
    pub input: u64,
    /// Tokens among them that came from a cache.
    pub cached: u64,
    /// Tokens that came back, those of reasoning included.
    pub output: u64,
    /// Tokens among them that were reasoning.
    pub reasoning: u64,
    /// The price; none when it is not known.
    pub microdollars: Option<u64>,
}

/// What several requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// How many requests.
    pub requests: u64,
    /// Tokens that were sent.
    pub input: u64,
    /// Tokens among them that came from a cache.
    pub cached: u64,
    /// Tokens that came back.
    pub output: u64,
    /// The price of those requests whose price is known.
    pub microdollars: u64,
    /// How many requests have no known price.
    pub unpriced: u64,
}

fn add(connection: &Connection, turn: TurnId, spend: &Spend) -> rusqlite::Result<()> {
    let mut of_turn = connection.prepare_cached(OF_TURN)?;
    let session = of_turn.query_row([turn.0], |row| row.get::<_, i64>(0)).optional()?;
    // once for the session, as long as there is one, and once for all
    for session in session.map(Some).into_iter().chain([None]) {
        connection.prepare_cached(ADD)?.execute(params![
            session,
            now() / QUARTER,
            spend.model,
            spend.input.cast_signed(),
            spend.cached.cast_signed(),
            spend.output.cast_signed(),
            spend.reasoning.cast_signed(),
            spend.microdollars.map(u64::cast_signed)
        ])?;
    }
    Ok(())
}

impl Store {
    /// Counts what a request of `turn` took, for its session and for all.
    pub async fn spend(&self, turn: TurnId, spend: Spend) -> Result<(), StoreError> {
        self.write("spend", Promise::Committed, move |connection| Ok(add(connection, turn, &spend)?)).await
    }

    /// What was spent by a session, or by all and those deleted meanwhile, since the quarter of an hour in which
    /// `since_ms` (milliseconds since 1970) lies.
    pub async fn spent(&self, session: Option<&str>, since_ms: i64) -> Result<Spent, StoreError> {
        // -1 is no session: one that is not there has spent nothing
        let (session, otherwise) = (session.map(str::to_owned), if session.is_some() { -1 } else { 0 });
        self.read(move |connection| {
            let mut sum = connection.prepare_cached(SUM)?;
            sum.query_row(params![session, otherwise, since_ms.div_euclid(QUARTER)], |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                Ok(Spent {
                    requests: number(0)?,
                    input: number(1)?,
                    cached: number(2)?,
                    output: number(3)?,
                    microdollars: number(4)?,
                    unpriced: number(5)?,
                })
            })
        })
        .await
    }
}
