//! Budgets: what a turn, a session and a day may cost, looked at before each request.

use crate::agent::Room;
use crate::turn::Course;
use chiton_providers::{Reply, Usage};
use chiton_store::{Spend, StoreError};
use jiff::{Timestamp, ToSpan as _};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What may be spent; `None` is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub microdollars: Option<u64>,
}

/// All budgets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budgets {
    /// Of one turn.
    pub turn: Budget,
    /// Of one session, since it began.
    pub session: Budget,
    /// Of all sessions, from midnight in the owner's zone.
    pub day: Budget,
    /// Tool calls of one turn.
    pub calls: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        let turn = Budget { tokens: Some(5_000_000), microdollars: None };
        Self { turn, session: Budget::default(), day: Budget::default(), calls: 200 }
    }
}

/// What was spent, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) tokens: u64,
    pub(crate) microdollars: u64,
}

impl Budget {
    /// Why `spent` and `next` together are too much, if so.
    fn refusal(&self, what: &str, spent: Sum, next: Sum) -> Option<String> {
        let over = |most: Option<u64>, spent: u64, next: u64| most.filter(|most| spent.saturating_add(next) > *most);
        if let Some(most) = over(self.tokens, spent.tokens, next.tokens) {
            return Some(format!(
                "the budget of {what} is {most} tokens; {} are spent and the next request may need {}",
                spent.tokens, next.tokens
            ));
        }
        let most = over(self.microdollars, spent.microdollars, next.microdollars)?;
        Some(format!(
            "the budget of {what} is {}; {} are spent and the next request may cost {}",
            dollars(most),
            dollars(spent.microdollars),
            dollars(next.microdollars)
        ))
    }

    fn is_bounded(&self) -> bool {
        self.tokens.is_some() || self.microdollars.is_some()
    }
}

/// An amount as people read it.
pub(crate) fn dollars(microdollars: u64) -> String {
    let digits = if microdollars < 1_000_000 { 4 } else { 2 };
    format!("${:.digits$}", microdollars as f64 / 1e6)
}

/// Bytes of a token, by model, corrected by what its server reports.
#[derive(Default)]
pub(crate) struct Estimates(Mutex<HashMap<String, f64>>);

/// Low for prose and about right for code and JSON, so that a window is filled safely rather than fully.
const BYTES_PER_TOKEN: f64 = 3.0;

impl Estimates {
    pub(crate) fn bytes_per_token(&self, model: &str) -> f64 {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(model).copied().unwrap_or(BYTES_PER_TOKEN)
    }

    /// Learns from a request of `bytes` that the server counted as `tokens`. Short ones say little.
    fn learn(&self, model: &str, bytes: usize, tokens: u64) {
        if tokens < 500 {
            return;
        }
        let seen = (bytes as f64 / tokens as f64).clamp(1.0, 6.0);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = known.entry(model.to_owned()).or_insert(seen.min(BYTES_PER_TOKEN));
        // Down at once, since too long a request fails; up slowly.
        *kept = if seen < *kept { seen } else { *kept + (seen - *kept) * 0.2 };
    }
}

impl Room {
    /// When the owner's day began, in milliseconds since 1970.
    fn midnight(&self) -> i64 {
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let begin = now.start_of_day().or_else(|_| now.checked_sub(24.hours()));
        begin.map_or(0, |begin| begin.timestamp().as_millisecond())
    }

    pub(crate) async fn spent(&self, session: Option<&str>, since: i64) -> Result<Sum, StoreError> {
        let spent = self.store.spent(session, since).await?;
        Ok(Sum { tokens: spent.input + spent.output, microdollars: spent.microdollars })
    }

    /// What was spent since midnight.
    pub(crate) async fn spent_today(&self) -> Result<Sum, StoreError> {
        self.spent(None, self.midnight()).await
    }
}

impl Course<'_> {
    /// Why the next request, of `bytes`, must not be sent.
    pub(crate) async fn over_budget(&self, bytes: usize) -> Result<Option<String>, StoreError> {
        let (room, model) = (self.room, &self.model);
        let budgets = &room.settings.budgets;
        let input = (bytes as f64 / room.estimates.bytes_per_token(&model.title)) as u64;
        let output = u64::from(self.max_tokens().unwrap_or(4_096));
        let usage = Usage { input_tokens: input, output_tokens: output, ..Usage::default() };
        let next = Sum { tokens: input + output, microdollars: model.price.map_or(0, |price| price.of(&usage)) };
        let unpriced = |budget: &Budget| budget.microdollars.is_some() && model.price.is_none();
        if [budgets.turn, budgets.session, budgets.day].iter().any(unpriced) {
            return Ok(Some(format!(
                "there is a budget in dollars, and the price of {} is not known; set it under `prices` in the configuration",
                model.title
            )));
        }
        let (session, day) = (&self.rights.session, room.midnight());
        for (what, budget) in [("one turn", budgets.turn), ("this session", budgets.session), ("one day", budgets.day)]
        {
            if !budget.is_bounded() {
                continue;
            }
            let spent = match what {
                "one turn" => self.spent,
                "this session" => room.spent(Some(session), 0).await?,
                _ => room.spent(None, day).await?,
            };
            if let Some(reason) = budget.refusal(what, spent, next) {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// Takes note of what a reply to a request of `bytes` has cost. Another model than the one that was asked may
    /// have answered.
    pub(crate) async fn note_spent(&mut self, bytes: usize, reply: &Reply) -> Result<(), StoreError> {
        let (title, usage) = (&reply.model, &reply.usage);
        if !self.pictures.any() {
            self.room.estimates.learn(title, bytes, usage.input_tokens);
        }
        let price = self.room.models.price(title).or(self.model.price);
        let microdollars = price.map(|price| price.of(usage));
        self.spent.tokens += usage.input_tokens + usage.output_tokens;
        self.spent.microdollars += microdollars.unwrap_or_default();
        let spend = Spend {
            model: title.clone(),
            input: usage.input_tokens,
            cached: usage.cached_tokens,
            output: usage.output_tokens,
            reasoning: usage.reasoning_tokens,
            microdollars,
        };
        self.room.store.spend(self.id, spend).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn res_16_a_budget_refuses_what_would_exceed_it() {
        let budget = Budget { tokens: Some(100), microdollars: Some(1_000_000) };
        let sum = |tokens, microdollars| Sum { tokens, microdollars };
        assert_eq!(budget.refusal("one day", sum(60, 0), sum(40, 0)), None);
        let reason = budget.refusal("one day", sum(61, 0), sum(40, 0)).unwrap();
        assert!(reason.contains("one day") && reason.contains("100 tokens"), "{reason}");
        let reason = budget.refusal("one turn", sum(0, 999_999), sum(0, 2)).unwrap();
        assert!(reason.contains("$1.00") && reason.contains("$0.0000"), "{reason}");
        assert_eq!(Budget::default().refusal("one turn", sum(u64::MAX, 0), sum(u64::MAX, 0)), None);
    }

    #[test]
    fn an_estimate_falls_at_once_and_rises_slowly() {
        let estimates = Estimates::default();
        assert_eq!(estimates.bytes_per_token("m"), BYTES_PER_TOKEN);
        estimates.learn("m", 8_000, 4_000);
        assert_eq!(estimates.bytes_per_token("m"), 2.0);
        estimates.learn("m", 16_000, 4_000);
        assert!((2.0..3.0).contains(&estimates.bytes_per_token("m")));
        estimates.learn("m", 100, 100);
        assert_eq!(estimates.bytes_per_token("other"), BYTES_PER_TOKEN);
    }
}
