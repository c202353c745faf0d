//! The agent: takes messages in, wakes sessions, tells how their turns go.

use crate::budget::Estimates;
use crate::bus::{Bus, Listener, MessageKey};
use crate::commands::{Command, OwnerDesk};
use crate::event::WAITING;
use crate::prompt::Prompt;
use crate::recall::THIS_CHAT;
use crate::subagents::{self, Waiting, is_task};
use crate::tool_list::ToolList;
use crate::{AgentSettings, TurnEvent, prompt, rights, scratch, undo};
use chiton_providers::{Model, Models};
use chiton_sandbox::{Capability, Effects, Sandbox, SessionRights};
use chiton_store::{Accepted, CallRow, InboxId, NewMessage, Store, StoreError, TurnId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What an agent works with.
pub struct AgentOptions {
    /// Runs the tools.
    pub sandbox: Sandbox,
    /// Keeps messages and steps.
    pub store: Store,
    /// Answer requests.
    pub models: Arc<dyn Models>,
    /// What the host does for its owner; without it there is nothing to approve.
    pub desk: Option<Arc<dyn OwnerDesk>>,
    /// What the owner set.
    pub settings: AgentSettings,
}

/// A message that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is nothing to answer.
    #[error("the message is empty; write what you want")]
    Empty,
    /// The model could not read it.
    #[error(
        "the message has {size} bytes and the model's window has room for {most}; put long texts into a file in the workspace and name it"
    )]
    TooLong {
        /// Bytes of the message.
        size: usize,
        /// Most bytes of one message.
        most: usize,
    },
    /// No model can answer.
    #[error("{0}")]
    NoModel(String),
    /// The host is being stopped.
    #[error("Chiton is stopping and takes no more messages; send it again after the start")]
    Closing,
    /// It could not be made durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A message that was taken: it is durable and will be answered.
#[derive(Debug)]
pub struct Submitted {
    /// Its row in the inbox.
    pub inbox: InboxId,
    /// Whether the same message had been taken before; then no events come.
    pub duplicate: bool,
    /// How its turn goes. Dropping this does not end the turn.
    pub events: mpsc::Receiver<TurnEvent>,
}

/// Answers messages. Clones are handles of the same agent.
#[derive(Clone)]
pub struct Agent {
    pub(crate) room: Arc<Room>,
}

/// What all turns share.
pub(crate) struct Room {
    pub(crate) sandbox: Sandbox,
    pub(crate) store: Store,
    pub(crate) models: Arc<dyn Models>,
    /// The model where none is chosen.
    pub(crate) model: Arc<Model>,
    pub(crate) desk: Option<Arc<dyn OwnerDesk>>,
    pub(crate) settings: AgentSettings,
    pub(crate) estimates: Estimates,
    /// Held by who looks at the bot's own files.
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// Texts that wait and that the owner was shown last, by file.
    pub(crate) seen_memory: Mutex<HashMap<String, String>>,
    /// Turns that run and have read words of strangers.
    pub(crate) tainted_turns: AtomicUsize,
    pub(crate) prompt: Mutex<Prompt>,
    pub(crate) tool_list: Mutex<ToolList>,
    pub(crate) zone: TimeZone,
    pub(crate) bus: Bus,
    /// Bounds how many turns of chats run at the same time.
    pub(crate) places: Semaphore,
    /// The same for sub-agents, so that chats that wait for them do not hold their places.
    pub(crate) task_places: Semaphore,
    pub(crate) waiting: Waiting,
    /// Cancelled when no further step may begin.
    pub(crate) closing: CancellationToken,
    /// Moves when something was put into the outbox.
    pub(crate) outbox: watch::Sender<()>,
    pub(crate) workers: TaskTracker,
}

impl Agent {
    /// An agent that waits for messages. [`Agent::resume`] lets it go on with what was interrupted.
    ///
    /// # Errors
    /// [`AgentError::NoModel`] when the usual model cannot be used.
    pub fn new(options: AgentOptions) -> Result<Self, AgentError> {
        let AgentOptions { sandbox, store, models, desk, settings } = options;
        let model = models.named(None).map_err(AgentError::NoModel)?;
        let room = Room {
            prompt: Mutex::new(Prompt::new(&settings)),
            tool_list: Mutex::default(),
            zone: prompt::zone(settings.timezone.as_deref()),
            bus: Bus::default(),
            places: Semaphore::new(settings.max_concurrent_turns.max(1)),
            task_places: Semaphore::new(subagents::LIMITS.in_all as usize),
            waiting: Waiting::default(),
            closing: CancellationToken::new(),
            outbox: watch::Sender::new(()),
            workers: TaskTracker::new(),
            estimates: Estimates::default(),
            looking: tokio::sync::Mutex::default(),
            seen_memory: Mutex::default(),
            tainted_turns: AtomicUsize::new(0),
            sandbox,
            store,
            models,
            model,
            desk,
            settings,
        };
        Ok(Self { room: Arc::new(room) })
    }

    /// Goes on with every session that has an interrupted turn or a waiting message. Returns how many.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self) -> Result<usize, AgentError> {
        let roots = [self.settings().scratch.clone(), self.settings().undo.clone()];
        tokio::task::spawn_blocking(move || roots.iter().flatten().for_each(|root| scratch::sweep(root)));
        self.announce_forgotten().await?;
        let sessions = self.room.store.waiting_sessions().await?;
        // Who changed the bot's files while a turn was interrupted is not known.
        self.room.look(!sessions.is_empty()).await?;
        if let Some(heartbeat) = self.room.settings.heartbeat.clone() {
            self.room.workers.spawn(self.clone().beat(heartbeat));
        }
        self.room.workers.spawn(self.clone().keep_house());
        for session in &sessions {
            self.room.wake(session);
        }
        Ok(sessions.len())
    }

    /// Takes a message. It is committed when this returns; its turn runs when the session is free.
    /// `rights` are kept with the message, so that its turn has the same ones after a crash.
    ///
    /// # Errors
    /// See [`AgentError`]; then the message was not taken.
    pub async fn submit(&self, mut message: NewMessage, rights: SessionRights) -> Result<Submitted, AgentError> {
        self.check(&message)?;
        if let Some(command) = Command::of(&message) {
            if !command.is_in_turn() {
                return self.answer_at_once(message, &command).await;
            }
            message.metadata = rights::mark_command(message.metadata.as_deref());
        } else {
            let directory = rights
                .files
                .as_ref()
                .map_or(Some(&*self.room.settings.workspace), |files| files.first().map(|grant| &*grant.path));
            let text = self.room.with_skills(&message.text, &message.session()).await?;
            message.text = prompt::with_facts(&text, Timestamp::now(), &self.room.zone, directory);
        }
        message.metadata = rights::keep(message.metadata.as_deref(), &rights);
        let (sender, events) = mpsc::channel(WAITING);
        let (key, session) = (MessageKey::of(&message), message.session());
        let listening = self.room.bus.listen(key.clone(), Listener::new(&session, sender));
        let accepted = self.room.store.accept(message).await;
        if listening && !matches!(accepted, Ok(Accepted::New(_))) {
            self.room.bus.forget(&key);
        }
        let (inbox, duplicate) = match accepted? {
            Accepted::New(inbox) => (inbox, false),
            Accepted::Duplicate(inbox) => (inbox, true),
        };
        self.room.wake(&session);
        Ok(Submitted { inbox, duplicate, events })
    }

    fn check(&self, message: &NewMessage) -> Result<(), AgentError> {
        let (size, most) = (message.text.len(), self.room.window_bytes(&self.room.model) / 2);
        if self.room.closing.is_cancelled() {
            return Err(AgentError::Closing);
        }
        if message.text.trim().is_empty() {
            return Err(AgentError::Empty);
        }
        if size > most {
            return Err(AgentError::TooLong { size, most });
        }
        Ok(())
    }

    /// Cancels what `session` is working on, else the next message that waits in it. The turn is recorded as
    /// cancelled; calls that run are ended. False if there was nothing to cancel.
    pub fn cancel(&self, session: &str) -> bool {
        self.room.bus.cancel(session)
    }

    /// Ends what a session is working on and forgets what is remembered of it: it is removed, or was. Without a name:
    /// forgets what is remembered of all.
    pub fn forget(&self, session: Option<&str>) {
        if let Some(session) = session {
            self.room.bus.cancel(session);
        }
        self.room.bus.outdate(session);
    }

    /// Moves whenever an answer was put into the outbox, so that channels deliver at once.
    pub fn outbox_changes(&self) -> watch::Receiver<()> {
        self.room.outbox.subscribe()
    }

    /// A message that nobody wrote just now, with the facts of its moment.
    pub fn with_facts(&self, text: &str) -> String {
        let Room { zone, settings, .. } = &*self.room;
        prompt::with_facts(text, Timestamp::now(), zone, Some(&settings.workspace))
    }

    /// Lets a session look for messages that were put into it.
    pub fn wake(&self, session: &str) {
        self.room.wake(session);
    }

    /// Says that something was put into the outbox.
    pub fn outbox_grew(&self) {
        self.room.outbox.send_replace(());
    }

    /// The store that this agent writes to.
    pub fn store(&self) -> &Store {
        &self.room.store
    }

    /// What the owner set.
    pub fn settings(&self) -> &AgentSettings {
        &self.room.settings
    }

    /// Stops at the next step of every turn: tool calls that run are waited for and recorded, requests to the
    /// model are dropped. Interrupted turns go on at the next start.
    pub async fn shutdown(&self) {
        self.room.closing.cancel();
        self.room.workers.close();
        self.room.workers.wait().await;
    }
}

impl Room {
    /// The rights that a message was taken with, and what its turn has come to since.
    pub(crate) fn rights(
        &self,
        turn: TurnId,
        session: &str,
        metadata: Option<&str>,
        calls: &[CallRow],
    ) -> SessionRights {
        let scratch = self.settings.scratch.as_ref().and_then(|root| {
            let made = scratch::scratch(root, session);
            made.inspect_err(|error| tracing::warn!(session, "there is no scratch directory: {error}")).ok()
        });
        let kept = rights::kept(session, metadata);
        let tainted = kept.tainted || calls.iter().any(|call| self.brings_in(&call.tool, &call.arguments));
        // What a sub-agent changes is undone with the turn that gave it its task.
        let journal = match (&self.settings.undo, is_task(session)) {
            (_, true) => kept.journal.clone(),
            (root, false) => root.as_ref().map(|root| undo::journal(root, session, turn.0)),
        };
        SessionRights { scratch, tainted, journal, ..kept }
    }

    /// Whether the results of a tool may hold what strangers wrote: it is of a skill, or it reaches the network, a
    /// sub-agent that may, or other chats than its own.
    pub(crate) fn brings_in(&self, tool: &str, arguments: &str) -> bool {
        const WAYS: [(Effects, Capability); 2] =
            [(Effects::USES_NETWORK, Capability::Network), (Effects::SPAWNS, Capability::Agents)];
        let snapshot = self.sandbox.snapshot();
        let arguments = serde_json::from_str(arguments).unwrap_or_default();
        let used = snapshot.get(tool).and_then(|tool| snapshot.acting(tool, &arguments).ok());
        used.is_some_and(|tool| {
            tool.grants.of_skill()
                || WAYS.iter().any(|(effect, capability)| {
                    tool.definition.effects.contains(*effect) && tool.grants.capabilities.contains_key(capability)
                })
                || tool.grants.capabilities.get(&Capability::Memory).is_some_and(|chats| {
                    chats.iter().any(|chat| chat != THIS_CHAT)
                        || arguments.get("chat").is_some_and(|chat| !chat.is_null())
                })
        })
    }

    /// A message with the bodies of the skills that it names.
    async fn with_skills(&self, text: &str, session: &str) -> Result<String, StoreError> {
        if !text.contains('$') {
            return Ok(text.to_owned());
        }
        self.look(false).await?;
        Ok(self.prompt.lock().unwrap_or_else(PoisonError::into_inner).skills().with_named(text, session))
    }

    /// The system message and the list of tools, as they are now for a conversation that uses so much of skills.
    pub(crate) fn preamble<'a>(
        &self,
        session: &str,
        uses: impl Iterator<Item = &'a str>,
    ) -> (Arc<str>, Option<Arc<str>>) {
        let mut prompt = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tools = self.tool_list.lock().unwrap_or_else(PoisonError::into_inner);
        let deferred = tools.look(&self.sandbox.snapshot(), prompt.crowded());
        (prompt.message(&deferred, session), tools.json(session, uses))
    }
}
