//! What the bot may spend, and what it does by itself.

use chiton_agent::Budget;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be spent by a turn, a session and a day. What is not set is not bounded.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Budgets {
    /// The answer to one message.
    pub turn: TurnBudget,
    /// One session, since it began.
    pub session: SpendBudget,
    /// All sessions, from midnight on.
    pub day: SpendBudget,
}

/// What one answer may take.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TurnBudget {
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// US dollars; needs the price of the model under `prices`.
    pub dollars: Option<f64>,
    /// Calls of tools.
    pub calls: u32,
    /// Seconds.
    pub seconds: u64,
}

impl Default for TurnBudget {
    fn default() -> Self {
        Self { tokens: Some(5_000_000), dollars: None, calls: 200, seconds: 3_600 }
    }
}

/// What may be spent.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SpendBudget {
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// US dollars; needs the price of the model under `prices`.
    pub dollars: Option<f64>,
}

impl Budgets {
    /// Whether each amount of dollars can be one.
    pub fn are_sound(&self) -> bool {
        let amounts = [self.turn.dollars, self.session.dollars, self.day.dollars];
        amounts.into_iter().flatten().all(|dollars| dollars.is_finite() && dollars >= 0.0)
    }

    /// For the agent.
    pub fn given(&self) -> chiton_agent::Budgets {
        let budget = |tokens, dollars: Option<f64>| {
            let microdollars = dollars.map(|dollars| (dollars.max(0.0) * 1e6) as u64);
            Budget { tokens, microdollars }
        };
        chiton_agent::Budgets {
            turn: budget(self.turn.tokens, self.turn.dollars),
            session: budget(self.session.tokens, self.session.dollars),
            day: budget(self.day.tokens, self.day.dollars),
            calls: self.turn.calls,
        }
    }
}

/// What the bot does by itself.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Gateway {
    /// Looking at HEARTBEAT.md from time to time.
    pub heartbeat: Heartbeat,
}

/// How often the bot looks at HEARTBEAT.md. Without tasks there, nothing is asked of the model.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Heartbeat {
    /// Whether it looks at all.
    pub enabled: bool,
    /// Seconds between two looks, at least 60.
    #[schemars(range(min = 60))]
    pub interval_s: u64,
    /// The chat that hears of news.
    pub chat: String,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { enabled: true, interval_s: 1_800, chat: "terminal:default".to_owned() }
    }
}
