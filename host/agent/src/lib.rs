//! Sessions, context and the turn loop: a message in, tools in the sandbox, an answer out.
//!
//! A message is committed before [`Agent::submit`] returns. Each session (`channel:chat_id`) answers its messages
//! one after another, sessions beside each other. Every step of a turn is committed as it happens, so a turn that
//! was interrupted goes on from its last recorded result.

mod agent;
mod ask;
mod budget;
mod bus;
mod calls;
mod cast;
mod clip;
mod commands;
mod compaction;
mod event;
mod heartbeat;
mod housekeeping;
mod messaging;
mod pictures;
mod prompt;
mod recall;
mod repetition;
mod result;
mod revisions;
mod rights;
mod scratch;
mod settings;
mod skills;
mod subagents;
mod text_file;
mod tool_list;
mod turn;
mod undo;
mod uses;
mod window;
mod wire;
mod workspace;

use chiton_skills::inert;

pub use agent::{Agent, AgentError, AgentOptions, Submitted};
pub use budget::{Budget, Budgets};
pub use chiton_skills::inert::inert;
pub use commands::{OwnerDesk, command_names};
pub use event::TurnEvent;
pub use heartbeat::Heartbeat;
pub use housekeeping::own_sessions;
pub use prompt::{without_facts, zone};
pub use rights::frozen as frozen_rights;
pub use scratch::{forget, scratch};
pub use settings::{AgentSettings, MOST_ROUNDS, Reset};
pub use skills::SkillSettings;
pub use turn::FAILPOINTS;
pub use undo::{UndoError, Undone, journals};
pub use workspace::{WorkspaceError, init_workspace, own_places};
