//! What requests to models cost, as sums that stay small however old the store is.

use crate::error::StoreError;
use crate::records::TurnId;
use crate::store::{Store, now};
use crate::writer::Promise;
use rusqlite::params;
use serde::{Deserialize, Serialize};

/// One sum covers so many milliseconds.
const QUARTER: i64 = 15 * 60 * 1000;

/// Once for the session, as long as there is one, and once for all.
pub(crate) const ADD: &str = "
    INSERT INTO spending (session_id, quarter, model, requests, input, cached, output, reasoning, microdollars, unpriced)
    SELECT session_id, ?2, ?3 ->> 'model', 1, ?3 ->> 'input', ?3 ->> 'cached', ?3 ->> 'output', ?3 ->> 'reasoning',
        coalesce(?3 ->> 'microdollars', 0), ?3 ->> 'microdollars' IS NULL
    FROM (SELECT session_id FROM turns WHERE id = ?1 UNION ALL SELECT NULL) WHERE TRUE
    ON CONFLICT DO UPDATE SET requests = requests + 1, input = input + excluded.input,
        cached = cached + excluded.cached, output = output + excluded.output,
        reasoning = reasoning + excluded.reasoning, microdollars = microdollars + excluded.microdollars,
        unpriced = unpriced + excluded.unpriced";
pub(crate) const SUM: &str = "
    SELECT json_object('requests', sum(requests), 'input', sum(input), 'cached', sum(cached), 'output', sum(output),
        'microdollars', sum(microdollars), 'unpriced', sum(unpriced))
    FROM spending WHERE coalesce(session_id, 0) = coalesce((SELECT id FROM sessions WHERE key = ?1), ?2)
    AND quarter >= ?3";

/// What one request to a model took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Store {
    /// Counts what a request of `turn` took, for its session and for all.
    pub async fn spend(&self, turn: TurnId, spend: Spend) -> Result<(), StoreError> {
        let spend = serde_json::json!(spend).to_string();
        self.change("spend", Promise::Committed, ADD, (turn.0, now() / QUARTER, spend)).await.map(drop)
    }

    /// What was spent by a session, or by all and those deleted meanwhile, since the quarter of an hour in which
    /// `since_ms` (milliseconds since 1970) lies.
    pub async fn spent(&self, session: Option<&str>, since_ms: i64) -> Result<Spent, StoreError> {
        // -1 is no session: one that is not there has spent nothing
        let (session, otherwise) = (session.map(str::to_owned), if session.is_some() { -1 } else { 0 });
        self.read(move |connection| {
            let mut sum = connection.prepare_cached(SUM)?;
            let sum = sum.query_row(params![session, otherwise, since_ms.div_euclid(QUARTER)], |row| row.get(0));
            // the sums of nothing are null
            sum.map(|sum: String| serde_json::from_str(&sum).unwrap_or_default())
        })
        .await
    }
}
