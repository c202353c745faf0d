//! Slash commands: what a person asks of the bot itself. The model sees none of them.
//!
//! Those that only look, and `/stop`, are answered at once, also while a turn runs. Those that change the session
//! wait for their place in it, like messages.

use crate::agent::{Room, Submitted};
use crate::budget::{Sum, dollars};
use crate::turn::{Course, End};
use crate::{Agent, AgentError, TurnEvent, rights, wire};
use async_trait::async_trait;
use chiton_store::{NewMessage, StoreError};
use std::fmt::Write as _;
use std::sync::PoisonError;
use tokio::sync::mpsc;

/// Bytes of a window that stay when the owner asks for a summary.
const LEFT: usize = 4_000;
/// Messages that `/history` shows.
const SHOWN: u32 = 10;

/// What the host knows and does for its owner beside the agent.
#[async_trait]
pub trait OwnerDesk: Send + Sync {
    /// What tools may touch, as Markdown.
    async fn grants(&self) -> Result<String, String>;
    /// Each thing that waits: its number, and what it is.
    async fn waiting(&self) -> Result<Vec<(String, String)>, String>;
    /// Lets it be, as the words after the number say; answers with what holds now.
    async fn approve(&self, number: &str, words: &str, session: &str) -> Result<String, String>;
    /// Refuses it for good.
    async fn deny(&self, number: &str) -> Result<String, String>;
}

/// Who may use a command.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Everybody,
    Owner,
}

/// When a command is answered.
#[derive(Clone, Copy, PartialEq)]
enum When {
    AtOnce,
    /// At once without an argument, which only shows; else in its turn.
    InTurnWithArgument,
    InTurn,
}

struct Row {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    by: For,
    when: When,
}

const fn row(name: &'static str, arguments: &'static str, help: &'static str, by: For, when: When) -> Row {
    Row { name, arguments, help, by, when }
}

#[rustfmt::skip]
const COMMANDS: &[Row] = &[
    row("new", "", "begin anew; what was said stays searchable", For::Everybody, When::InTurn),
    row("stop", "", "end what is being worked on", For::Everybody, When::AtOnce),
    row("undo", "", "put the files back as they were before the last turn that changed any", For::Owner, When::InTurn),
    row("status", "", "the model, the session and what runs", For::Everybody, When::AtOnce),
    row("model", "[NAME]", "show the models, or choose one for this session", For::Everybody, When::InTurnWithArgument),
    row("compact", "", "summarise what was said so far", For::Everybody, When::InTurn),
    row("history", "", "the last messages of this session", For::Everybody, When::AtOnce),
    row("memory", "[accept|undo]", "what the bot keeps in mind, and changes that wait", For::Owner, When::InTurnWithArgument),
    row("skills", "", "the skills", For::Owner, When::AtOnce),
    row("tools", "", "what the bot can do", For::Owner, When::AtOnce),
    row("grants", "", "what its tools may touch", For::Owner, When::AtOnce),
    row("approve", "[NUMBER [session|once]]", "what waits for your word, or let it be", For::Owner, When::AtOnce),
    row("deny", "NUMBER", "refuse what waits for your word", For::Owner, When::AtOnce),
    row("cost", "", "what was spent", For::Everybody, When::AtOnce),
    row("help", "", "this list", For::Everybody, When::AtOnce),
];

/// A command as it was written.
pub(crate) struct Command {
    /// Without the slash, in small letters; it may be unknown.
    name: String,
    argument: String,
}

impl Command {
    /// Reads a message that begins with `/word`. A path is none.
    pub(crate) fn of(message: &NewMessage) -> Option<Self> {
        let text = crate::without_facts(&message.text).trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        // Telegram writes `/new@botname` in groups.
        let name = first.strip_prefix('/')?.split('@').next()?;
        let plain = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphabetic());
        plain.then(|| Self { name: name.to_ascii_lowercase(), argument: rest.trim().to_owned() })
    }

    /// The command that [`Agent::submit`] took a message for. Only what a person sent is one, never a message that a
    /// job or another turn made.
    pub(crate) fn taken(message: &NewMessage) -> Option<Self> {
        rights::is_command(message.metadata.as_deref()).then(|| Self::of(message)).flatten()
    }

    fn row(&self) -> Option<&'static Row> {
        COMMANDS.iter().find(|row| row.name == self.name)
    }

    /// Whether it waits for its place in the session.
    pub(crate) fn is_in_turn(&self) -> bool {
        self.row().is_some_and(|row| match row.when {
            When::AtOnce => false,
            When::InTurnWithArgument => !self.argument.is_empty(),
            When::InTurn => true,
        })
    }
}

/// The names of all commands, each with its slash.
pub fn command_names() -> impl Iterator<Item = String> {
    COMMANDS.iter().map(|row| format!("/{}", row.name))
}

impl Agent {
    /// Answers a command that does not wait.
    pub(crate) async fn answer_at_once(&self, message: NewMessage, command: &Command) -> Result<Submitted, AgentError> {
        let text = match self.room.refusal(&message, command) {
            Some(refusal) => refusal,
            None => self.said_at_once(&message, command).await?,
        };
        let (sender, events) = mpsc::channel(2);
        let (inbox, outbox) = self.room.store.answer_at_once(message, &text).await?;
        if let Some(outbox) = outbox {
            // The channel has room for exactly these events.
            let _ = sender.try_send(TurnEvent::Text { delta: text.clone() });
            let _ = sender.try_send(TurnEvent::Finished { text, outbox: Some(outbox.0) });
            self.outbox_grew();
        }
        Ok(Submitted { inbox, duplicate: outbox.is_none(), events })
    }

    async fn said_at_once(&self, message: &NewMessage, command: &Command) -> Result<String, StoreError> {
        let (room, session) = (&self.room, message.session());
        Ok(match command.name.as_str() {
            "stop" if self.cancel(&session) => "Stopped.".to_owned(),
            "stop" => "Nothing runs here.".to_owned(),
            "status" => room.status(&session).await?,
            "model" => room.models_told(&session).await?,
            "history" => room.history_told(&session).await?,
            "memory" => room.memory_told().await?,
            "skills" => room.skills_told(&session).await?,
            "tools" => room.tools_told(&session),
            "cost" => room.cost_told(&session).await?,
            "grants" | "approve" | "deny" => room.asked_of_desk(command, &session).await,
            _ => help(room.is_owner(message)),
        })
    }
}

fn help(owner: bool) -> String {
    let mut text = String::new();
    for row in COMMANDS.iter().filter(|row| owner || row.by == For::Everybody) {
        let _ = writeln!(text, "- `/{}`: {}", [row.name, row.arguments].join(" ").trim(), row.help);
    }
    text
}

impl Room {
    fn is_owner(&self, message: &NewMessage) -> bool {
        self.is_owners(&message.channel, &message.sender)
    }

    /// Whether the owner of the bot is who writes there.
    pub(crate) fn is_owners(&self, channel: &str, sender: &str) -> bool {
        let person = format!("{channel}:{sender}");
        self.settings.owners.iter().any(|owner| *owner == channel || *owner == person)
    }

    /// Why a command is not done, if so.
    fn refusal(&self, message: &NewMessage, command: &Command) -> Option<String> {
        let Some(row) = command.row() else {
            let distance = |row: &Row| strsim::osa_distance(row.name, &command.name);
            let near = COMMANDS.iter().filter(|row| distance(row) <= 2).min_by_key(|row| distance(row));
            let near = near.map(|row| format!("did you mean `/{}`?", row.name));
            let advice = near.unwrap_or_else(|| "`/help` shows all.".to_owned());
            return Some(format!("There is no command `/{}`; {advice}", command.name));
        };
        let refused = row.by == For::Owner && !self.is_owner(message);
        refused.then(|| format!("`/{}` is for the owner of the bot only.", row.name))
    }

    async fn status(&self, session: &str) -> Result<String, StoreError> {
        let model = self.model_of(session).await?;
        let state = self.store.session(session).await?;
        let (turns, waiting) = state.map_or((0, 0), |state| (state.turns, state.waiting));
        let running = if self.bus.is_running(session) { "a turn runs" } else { "nothing runs" };
        Ok(format!(
            "- model: {}\n- session: {session}, {turns} turns, {waiting} messages wait, {running}\n- tools: {}\n- today: {}\n- version: {}",
            model.title,
            self.sandbox.snapshot().iter().count(),
            told(self.spent_today().await?),
            env!("CARGO_PKG_VERSION"),
        ))
    }

    async fn models_told(&self, session: &str) -> Result<String, StoreError> {
        let now = self.model_of(session).await?;
        let names = self.models.names().into_iter();
        let lines: String = names.map(|name| format!("- `{name}`\n")).collect();
        Ok(format!("This session uses {}. `/model NAME` chooses another one:\n{lines}", now.title))
    }

    async fn history_told(&self, session: &str) -> Result<String, StoreError> {
        let messages = self.store.read_messages(session, None, SHOWN).await?;
        let line = |text: &str| crate::clip::line(crate::without_facts(text), 300);
        let lines: String =
            messages.iter().map(|message| format!("- **{}**: {}\n", message.role, line(&message.text))).collect();
        Ok(if lines.is_empty() { "Nothing was said here yet.".to_owned() } else { lines })
    }

    async fn skills_told(&self, session: &str) -> Result<String, StoreError> {
        self.look(false).await?;
        let prompt = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<String> = prompt.skills().all(session).map(|(name, skill)| skill.told(name)).collect();
        Ok(if lines.is_empty() { "There are no skills.".to_owned() } else { lines.join("\n") })
    }

    fn tools_told(&self, session: &str) -> String {
        let snapshot = self.sandbox.snapshot();
        let line = |text: &str| crate::clip::line(&crate::inert(text), 160);
        snapshot
            .iter()
            .filter(|tool| tool.grants.validity.session().is_none_or(|only| only == session))
            .map(|tool| format!("- `{}`: {}\n", tool.definition.name, line(&tool.definition.description)))
            .collect()
    }

    async fn cost_told(&self, session: &str) -> Result<String, StoreError> {
        let (session, today) = (self.spent(Some(session), 0).await?, self.spent_today().await?);
        Ok(format!("- this session: {}\n- today, all sessions: {}", told(session), told(today)))
    }

    async fn asked_of_desk(&self, command: &Command, session: &str) -> String {
        let Some(desk) = &self.desk else { return "Nothing waits for your word.".to_owned() };
        let done = match (command.name.as_str(), command.argument.as_str()) {
            ("grants", _) => desk.grants().await,
            (_, "") => desk.waiting().await.map(|waiting| {
                let lines: String = waiting.iter().map(|(number, what)| format!("- `{number}`: {what}\n")).collect();
                match lines.is_empty() {
                    true => "Nothing waits for your word.".to_owned(),
                    false => lines + "\n`/approve NUMBER` lets it be, `/deny NUMBER` refuses it.",
                }
            }),
            ("approve", wanted) => {
                let (number, words) = wanted.split_once(char::is_whitespace).unwrap_or((wanted, ""));
                desk.approve(number, words.trim(), session).await
            }
            (_, number) => desk.deny(number).await,
        };
        done.unwrap_or_else(|error| error)
    }
}

fn told(sum: Sum) -> String {
    match sum.microdollars {
        0 => format!("{} tokens", sum.tokens),
        cost => format!("{} tokens, {}", sum.tokens, dollars(cost)),
    }
}

impl Course<'_> {
    /// Does a command that had its place in the session.
    pub(crate) async fn perform(&mut self, command: Command) -> Result<End, StoreError> {
        let session = self.rights.session.clone();
        let text = match (self.room.refusal(&self.message, &command), command.name.as_str()) {
            (Some(refusal), _) => refusal,
            (None, "new") => {
                self.room.store.reset(&session).await?;
                self.fresh = true;
                "We begin anew. What was said before can still be searched.".to_owned()
            }
            (None, "compact") => match self.compact(LEFT).await? {
                true => format!("Summarised; {} bytes of the conversation are sent from now on.", self.window.bytes()),
                false => "There was nothing to summarise, or the model did not do it; nothing has changed.".to_owned(),
            },
            (None, "model") => match self.room.models.named(Some(&command.argument)) {
                Ok(model) => {
                    self.room.store.set_model(&session, Some(&command.argument)).await?;
                    format!("From now on {} answers in this session.", model.title)
                }
                Err(error) => error,
            },
            (None, "memory") => self.judge_memory(&command.argument).await?,
            (None, "undo") => match self.room.undo(&session).await {
                Ok(undone) => undone.told(),
                Err(error) => error.to_string(),
            },
            (None, _) => String::new(),
        };
        self.sink.text(&text);
        Ok(End::Answer { message: wire::assistant(&text), text })
    }

    async fn judge_memory(&self, word: &str) -> Result<String, StoreError> {
        let (done, files) = match word {
            "accept" => ("holds now", self.room.accept_memory().await?),
            "undo" => ("was put back", self.room.undo_memory().await?),
            _ => return Ok("`/memory` shows the memory; `/memory accept` and `/memory undo` judge changes.".to_owned()),
        };
        Ok(match files.is_empty() {
            true => "There was nothing to do; what waits is accepted after `/memory` has shown it.".to_owned(),
            false => format!("{}: {done}.", files.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<(String, String)> {
        let message = NewMessage {
            channel: "test".into(),
            account: String::new(),
            external_id: "1".into(),
            chat_id: "a".into(),
            sender: "ann".into(),
            text: text.into(),
            metadata: None,
        };
        Command::of(&message).map(|command| (command.name, command.argument))
    }

    #[test]
    fn a_command_is_one_word_after_a_slash() {
        let read = |name: &str, argument: &str| Some((name.to_owned(), argument.to_owned()));
        assert_eq!(command("/new"), read("new", ""));
        assert_eq!(command(" /Model@chiton_bot  gpt-5 \n"), read("model", "gpt-5"));
        assert_eq!(command("/nwe"), read("nwe", ""));
        for text in ["/etc/passwd is what?", "hello /new", "/ new", "/2", "//"] {
            assert_eq!(command(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_changes_the_session_waits_for_its_place() {
        let waits =
            |name: &str, argument: &str| Command { name: name.to_owned(), argument: argument.to_owned() }.is_in_turn();
        assert!(waits("new", "") && waits("undo", "") && waits("model", "x") && waits("memory", "undo"));
        assert!(!waits("model", "") && !waits("stop", "") && !waits("status", "") && !waits("unknown", ""));
    }
}
