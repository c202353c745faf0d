//! What the owner can set about turns.

use crate::budget::Budgets;
use crate::heartbeat::Heartbeat;
use crate::skills::SkillSettings;
use chiton_store::Retention;
use std::path::PathBuf;
use std::time::Duration;

/// Most rounds that a turn may ever have, whatever the configuration says.
pub const MOST_ROUNDS: u32 = 200;

/// The settings of all turns of an [`crate::Agent`].
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// The bot's own folder with `SOUL.md`, `AGENTS.md`, `USER.md` and `memory/MEMORY.md`.
    pub workspace: PathBuf,
    /// The folder of the sessions' scratch directories; without one there are none.
    pub scratch: Option<PathBuf>,
    /// The folder of the sessions' journals, by which files are undone; without one nothing can be.
    pub undo: Option<PathBuf>,
    /// The channels that messages can be sent to.
    pub channels: Vec<String>,
    /// Who may use the commands that show or change what is the owner's: channels, or `CHANNEL:SENDER`.
    pub owners: Vec<String>,
    /// Which skills are used, and what they can count on.
    pub skills: SkillSettings,
    /// What may be spent.
    pub budgets: Budgets,
    /// When a session begins anew by itself.
    pub reset: Reset,
    /// Which sessions are kept; `None`: all.
    pub retention: Option<Retention>,
    /// How long a session rests before what was said is gone through for lasting facts; `None`: never.
    pub consolidate_after: Option<Duration>,
    /// How often the bot looks at HEARTBEAT.md; `None`: never.
    pub heartbeat: Option<Heartbeat>,
    /// Most tokens of one reply; `None` leaves it to the server.
    pub max_tokens: Option<u32>,
    /// Sampling temperature; `None` leaves it to the server.
    pub temperature: Option<f32>,
    /// Tokens that the model can read at once, its reply included.
    pub context_window_tokens: usize,
    /// Rounds of tool calls in one turn, 1 to [`MOST_ROUNDS`].
    pub max_tool_iterations: u32,
    /// Characters of one tool result that the model is shown.
    pub max_tool_result_chars: usize,
    /// IANA name of the owner's time zone; `None` is the machine's.
    pub timezone: Option<String>,
    /// Turns that run at the same time, over all sessions.
    pub max_concurrent_turns: usize,
    /// Wall clock of one turn; at its end the turn fails with what it has recorded.
    pub max_turn_time: Duration,
}

/// When a session begins anew by itself; what it says is kept and can be searched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reset {
    /// After so long without a message.
    pub idle: Option<Duration>,
    /// At this hour of the owner's day, 0 to 23.
    pub daily_at: Option<i8>,
}

impl AgentSettings {
    /// The defaults for a workspace.
    pub fn new(workspace: impl Into<PathBuf>) -> Self {
        Self {
            workspace: workspace.into(),
            scratch: None,
            undo: None,
            channels: Vec::new(),
            owners: vec!["terminal".to_owned()],
            skills: SkillSettings::default(),
            budgets: Budgets::default(),
            reset: Reset::default(),
            retention: None,
            consolidate_after: None,
            heartbeat: None,
            max_tokens: Some(8_192),
            temperature: None,
            context_window_tokens: 200_000,
            max_tool_iterations: 20,
            max_tool_result_chars: 16_000,
            timezone: None,
            max_concurrent_turns: 8,
            max_turn_time: Duration::from_secs(3_600),
        }
    }

    /// Rounds of one turn, inside the bounds that hold for everybody.
    pub(crate) fn rounds(&self) -> u32 {
        self.max_tool_iterations.clamp(1, MOST_ROUNDS)
    }
}
