//! The host: the one process that changes the state of a home.

mod approvals;
mod desk;
mod develop;
mod inspect;
mod jobs;
mod lifecycle;
mod proposals;
mod received;
mod sessions;
mod watch;

pub use approvals::{keep, unknown_tool};
pub use inspect::{refuse_built_in, waiting};
pub use jobs::described;
pub use sessions::known;

use desk::Desk;

use crate::builtin::BuiltIn;
use crate::exit::{Exit, Failure};
use crate::model::Catalogue;
use crate::ports;
use crate::programs;
use crate::request::{Reply, Request};
use crate::settings::Settings;
use crate::skills::{self, Running};
use crate::terminal::progress::{self, COMPILING};
use crate::tools::{self, Tools};
use chiton_agent::{Agent, AgentError, AgentOptions, AgentSettings, Heartbeat, Reset, TurnEvent};
use chiton_channels::{ChannelError, Terminal};
use chiton_sandbox::{CallError, CallRequest, Grants, Part, Ports, Sandbox, SessionRights};
use chiton_schedule::{Scheduler, SchedulerOptions, SystemClock};
use chiton_store::{HostLock, JobId, OutboxId, Retention, Store, StoreError, failpoint};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

/// The host of a home. Clones are the same host. The sandbox and the agent start when they are
/// first needed.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    store: Store,
    scheduler: Scheduler,
    sandbox: OnceCell<Sandbox>,
    agent: OnceCell<Agent>,
    notices: Mutex<Vec<String>>,
    /// Skills that were approved for a session or a call only.
    temporary: Mutex<BTreeMap<String, Running>>,
    /// Held while skills or what they are given change: what is read, loaded and published belongs together.
    changing: tokio::sync::Mutex<()>,
    /// What the watch has told already.
    said: Mutex<BTreeSet<String>>,
    /// Ends what runs beside requests.
    closing: CancellationToken,
    /// Told when a component was approved, so that its file is watched too.
    approved: Notify,
    _lock: HostLock,
}

impl Host {
    /// Opens the state of the home that `lock` holds.
    pub fn open(settings: Settings, lock: HostLock) -> Result<Self, Failure> {
        let store = Store::open(settings.home.database())?;
        for warning in store.warnings() {
            eprintln!("warning: {warning}");
        }
        let scheduler = Scheduler::new(SchedulerOptions {
            store: store.clone(),
            zone: chiton_agent::zone(settings.config.agents.defaults.timezone.as_deref()),
            clock: Arc::new(SystemClock),
            limits: chiton_schedule::Limits::default(),
        });
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                store,
                scheduler,
                closing: CancellationToken::new(),
                sandbox: OnceCell::new(),
                agent: OnceCell::new(),
                notices: Mutex::default(),
                temporary: Mutex::default(),
                changing: tokio::sync::Mutex::default(),
                said: Mutex::default(),
                approved: Notify::new(),
                _lock: lock,
            }),
        })
    }

    /// The home and its configuration, as they were when the host started.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The durable state.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The sandbox with all tools.
    pub async fn sandbox(&self) -> Result<&Sandbox, Failure> {
        let open = || async {
            let audit = tools::audit_to(self.store().clone());
            let tools = Tools::open(self.settings(), Some(self.store()), audit).await?;
            tools.notices.into_iter().for_each(|notice| self.notice(notice));
            let mut ports = Ports::clone(&tools.sandbox.ports());
            ports.schedule = Some(Arc::new(ports::Schedule(self.inner.scheduler.clone())));
            tools.sandbox.set_ports(ports);
            Ok(tools.sandbox)
        };
        self.inner.sandbox.get_or_try_init(open).await
    }

    /// The sandbox, if it was needed before.
    pub fn started_sandbox(&self) -> Option<&Sandbox> {
        self.inner.sandbox.get()
    }

    /// The agent, which goes on with whatever was interrupted.
    pub async fn agent(&self) -> Result<&Agent, Failure> {
        let start = || async {
            let settings = self.settings();
            let models = Arc::new(Catalogue::new(&settings.config)?);
            settings.prepare_workspace()?;
            let sandbox = self.sandbox().await?;
            let agent = Agent::new(AgentOptions {
                sandbox: sandbox.clone(),
                store: self.store().clone(),
                models,
                desk: Some(Arc::new(Desk(Arc::downgrade(&self.inner)))),
                settings: agent_settings(settings),
            })?;
            sandbox.set_ports(Ports {
                messaging: Some(Arc::new(agent.clone())),
                agents: Some(Arc::new(agent.clone())),
                proposals: Some(Arc::new(Desk(Arc::downgrade(&self.inner)))),
                memory: Some(Arc::new(agent.clone())),
                ..Ports::clone(&sandbox.ports())
            });
            self.schedule(&agent);
            if agent.resume().await? > 0 {
                self.notice("what was interrupted goes on; its answer is shown when it is there".to_owned());
            }
            Ok(agent)
        };
        self.inner.agent.get_or_try_init(start).await
    }

    /// Runs jobs as long as the host does.
    fn schedule(&self, agent: &Agent) {
        let (scheduler, closing) = (self.inner.scheduler.clone(), self.inner.closing.clone());
        let woken = Arc::new(ports::Woken(agent.clone()));
        let (running, ending) = (scheduler.clone(), closing.clone());
        tokio::spawn(async move { running.run(woken, ending).await });
        let mut answers = agent.outbox_changes();
        tokio::spawn(async move {
            // A turn that ended has put its answer into the outbox.
            while let Some(Ok(())) = closing.run_until_cancelled(answers.changed()).await {
                scheduler.turn_ended();
            }
        });
    }

    /// The scheduler of this home.
    pub fn scheduler(&self) -> &Scheduler {
        &self.inner.scheduler
    }

    /// Keeps something that the owner should know until somebody can show it.
    pub fn notice(&self, text: String) {
        self.notices().push(text);
    }

    /// The same, once for each text.
    pub fn notice_once(&self, text: String) {
        if self.inner.said.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            self.notice(text);
        }
    }

    fn notices(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.inner.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is asked and sends replies, of which the last is `Done` or `Failed`.
    pub async fn perform(&self, request: Request, replies: mpsc::Sender<Reply>) {
        let result = match request {
            Request::Chat { chat, id, text, grants } => self.chat(chat, id, text, grants, &replies).await,
            Request::Cancel { chat } => Ok(self.cancel(&chat)),
            Request::Seen { outbox } => self.seen(outbox).await,
            Request::Waiting { chat } => self.waiting(&chat).await,
            Request::Call { tool, arguments, grants } => self.call(tool, arguments, grants, &replies).await,
            Request::Approve { name, file, grants } => self.approve(name, file, grants).await,
            Request::Revoke { name } => self.revoke(&name).await,
            Request::AddSkill { folder, source, downgrade } => self.add_skill(&folder, source, downgrade).await,
            Request::DescribeSkill { name } => self.describe_skill(&name).await,
            Request::DecideSkill { name, digest, decision, grants } => {
                self.decide_skill(&name, &digest, decision, grants).await
            }
            Request::RevokeSkill { name } => self.revoke_skill(&name).await,
            Request::RemoveSkill { name } => self.remove_skill(&name).await,
            Request::RollBackSkill { name, version } => self.roll_back_skill(&name, version.as_deref()).await,
            Request::DevelopSkill { folder, grants } => self.develop(&folder, grants, &replies).await,
            Request::AddProgram { file, names } => self.add_program(&file, names).await,
            Request::RemoveProgram { name } => self.remove_program(&name),
            Request::AddJob { chat, name, message, timing, zone } => {
                self.add_job(chat, name, message, &timing, zone, None).await
            }
            Request::RemoveJob { id } => self.remove_job(JobId(id)).await,
            Request::RunJob { id } => self.run_job(JobId(id), &replies).await,
            Request::ApproveJob { id } => self.approve_job(JobId(id)).await,
            Request::ImportSession { file, key } => self.import_session(&file, key).await,
            Request::ForkSession { key, new } => self.fork_session(&key, &new).await,
            Request::DeleteSession { key } => self.delete_session(&key).await,
            Request::DeletePerson { sender } => self.delete_person(&sender).await,
            Request::AddGrant { tool, grant } => self.add_grant(&tool, grant).await,
            Request::RemoveGrant { tool, grant, base } => self.remove_grant(&tool, &grant, &base).await,
        };
        // Whoever asked may have left; what was asked is done.
        replies.send(result.into()).await.ok();
    }

    /// Ends the host: turns stop at their next step and go on at the next start.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        if let Some(agent) = self.inner.agent.get() {
            agent.shutdown().await;
        }
        if let Err(error) = self.store().flush().await {
            eprintln!("warning: {error}");
        }
    }

    async fn chat(
        &self,
        chat: String,
        id: String,
        text: String,
        grants: Option<Grants>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<Value, Failure> {
        let terminal = Terminal::new(self.agent().await?.clone());
        let mut events = terminal.say(&chat, &id, &text, grants).await?.events;
        while let Some(event) = events.recv().await {
            if replies.send(Reply::Event(event)).await.is_err() {
                break;
            }
        }
        Ok(Value::Null)
    }

    fn cancel(&self, chat: &str) -> Value {
        // Without an agent nothing runs that could be cancelled.
        let agent = self.inner.agent.get();
        agent.is_some_and(|agent| Terminal::new(agent.clone()).cancel(chat)).into()
    }

    async fn seen(&self, outbox: i64) -> Result<Value, Failure> {
        failpoint!("before-delivery");
        let files = self.keep_files(OutboxId(outbox)).await?;
        match self.store().mark_delivered(OutboxId(outbox)).await {
            Ok(()) => Ok(json!({ "files": files })),
            // Another terminal of the same chat was quicker.
            Err(StoreError::NotWaiting(_)) => Ok(Value::Null),
            Err(error) => Err(error.into()),
        }
    }

    async fn waiting(&self, chat: &str) -> Result<Value, Failure> {
        let mut answers = self.store().pending_outbox(Terminal::NAME).await?;
        answers.retain(|answer| answer.chat_id == chat);
        let answers = answers.into_iter().map(|answer| json!({"outbox": answer.id, "text": answer.text}));
        Ok(json!({"answers": answers.collect::<Vec<_>>(), "notices": std::mem::take(&mut *self.notices())}))
    }

    async fn call(
        &self,
        tool: String,
        arguments: Map<String, Value>,
        grants: Option<Grants>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<Value, Failure> {
        let sandbox = progress::while_slow(COMPILING, self.sandbox()).await?;
        let mut session = SessionRights::of("command:tool").with(grants);
        session.tool_was_named = true;
        session.scratch = Some(chiton_agent::scratch(&self.settings().home.scratch(), &session.session)?);
        let (progress, mut lines) = mpsc::channel(16);
        let cancel = CancellationToken::new();
        let calling = sandbox.call(CallRequest {
            tool: tool.clone(),
            arguments: Value::Object(arguments),
            session,
            limits: None,
            cancel: cancel.clone(),
            progress: Some(progress),
        });
        let report = async {
            while let Some(line) = lines.recv().await {
                let line = chiton_agent::inert(&line).into_owned();
                replies.send(Reply::Progress(line)).await.ok();
            }
        };
        let watched = async {
            tokio::select! {
                outcome = calling => Some(outcome),
                () = replies.closed() => None,
            }
        };
        // A caller who left is not waited for: dropping the call ends it.
        let (outcome, ()) = tokio::join!(watched, report);
        let outcome = outcome.ok_or_else(|| Failure::new(Exit::Cancelled, CallError::Cancelled))?;
        let duration = outcome.duration.as_millis();
        let told =
            |error: &&CallError| outcome.result.as_ref().err().is_none_or(|end| end.to_string() != error.to_string());
        let missing: Vec<_> = outcome
            .missing
            .iter()
            .filter(told)
            .map(|error| chiton_agent::inert(&error.to_string()).into_owned())
            .collect();
        let failed = |error| {
            let Failure { exit, message } = call_failure(&error);
            Failure { exit, message: std::iter::once(message).chain(missing.clone()).collect::<Vec<_>>().join("\n") }
        };
        let parts = outcome.result.map_err(failed)?;
        let parts: Vec<_> = parts.into_iter().map(part_json).collect();
        let duration = u64::try_from(duration).unwrap_or(u64::MAX);
        Ok(json!({"tool": tool, "durationMs": duration, "parts": parts, "missing": missing}))
    }
}

impl Host {
    /// Compiles the programs of the shell that were never compiled here, one after another, so that the first command
    /// that starts one need not wait.
    pub async fn compile_ahead(&self) {
        let Some(sandbox) = self.started_sandbox() else { return };
        for program in BuiltIn::programs().filter(|program| !sandbox.is_cached(program.digest)) {
            if let Err(reason) = sandbox.compile_program(program.digest, Arc::new(|| program.bytes())).await {
                self.notice(format!("the program '{}' cannot be compiled: {reason}", program.name));
            }
        }
    }

    async fn add_program(&self, file: &Path, names: Vec<String>) -> Result<Value, Failure> {
        let bytes = tools::read_component(file)?;
        let added = programs::add(self.sandbox().await?, self.settings(), bytes, names).await?;
        Ok(json!({"names": added.names, "digest": added.digest}))
    }

    fn remove_program(&self, name: &str) -> Result<Value, Failure> {
        programs::remove(self.started_sandbox(), self.settings(), name)?;
        Ok(json!({"name": name}))
    }
}

fn agent_settings(settings: &Settings) -> AgentSettings {
    let defaults = &settings.config.agents.defaults;
    let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let minutes = |minutes: u32| (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60));
    let heartbeat = &settings.config.gateway.heartbeat;
    AgentSettings {
        max_tokens: Some(defaults.max_tokens),
        temperature: defaults.temperature,
        context_window_tokens: whole(defaults.context_window_tokens),
        max_tool_iterations: defaults.max_tool_iterations,
        max_tool_result_chars: whole(defaults.max_tool_result_chars),
        max_turn_time: Duration::from_secs(defaults.budgets.turn.seconds),
        timezone: defaults.timezone.clone(),
        scratch: Some(settings.home.scratch()),
        undo: Some(settings.home.undo()),
        channels: vec![Terminal::NAME.to_owned()],
        owners: vec![Terminal::NAME.to_owned()],
        skills: skills::settings(settings),
        budgets: defaults.budgets.given(),
        reset: Reset {
            idle: minutes(defaults.session_reset.idle_minutes),
            daily_at: defaults.session_reset.daily_at_hour.and_then(|hour| i8::try_from(hour).ok()),
        },
        retention: Some(Retention {
            max_age: match defaults.session_retention.days {
                0 => Duration::MAX,
                days => Duration::from_secs(u64::from(days) * 86_400),
            },
            max_sessions: defaults.session_retention.most,
            keep: Vec::new(),
        }),
        consolidate_after: minutes(defaults.idle_compact_after_minutes),
        heartbeat: heartbeat.enabled.then(|| Heartbeat {
            every: Duration::from_secs(heartbeat.interval_s.max(60)),
            chat: heartbeat.chat.clone(),
        }),
        ..AgentSettings::new(&settings.workspace)
    }
}

fn part_json(part: Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Json(text) => json!({"type": "json", "json": serde_json::from_str(&text).unwrap_or(Value::String(text))}),
        Part::Image { mime, data } => json!({"type": "image", "mime": mime, "bytes": data.len()}),
        Part::File { mime, data } => json!({"type": "file", "mime": mime, "bytes": data.len()}),
    }
}

fn call_failure(error: &CallError) -> Failure {
    let exit = match error {
        CallError::UnknownTool { .. } | CallError::NotFound(_) => Exit::NotFound,
        CallError::InvalidArguments(_) => Exit::Usage,
        CallError::Denied { .. }
        | CallError::Undeclared { .. }
        | CallError::Unset(_)
        | CallError::NotApproved(_)
        | CallError::Changed(_)
        | CallError::Revoked(_) => Exit::Denied,
        CallError::Deadline(_) | CallError::Limit { .. } => Exit::Limited,
        CallError::Cancelled => Exit::Cancelled,
        _ => Exit::Failure,
    };
    Failure::new(exit, chiton_agent::inert(&error.to_string()))
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let exit = match error {
            AgentError::Store(_) => Exit::State,
            AgentError::Empty | AgentError::TooLong { .. } => Exit::Usage,
            AgentError::NoModel(_) => Exit::Configuration,
            AgentError::Closing => Exit::Failure,
        };
        Self::new(exit, error)
    }
}

impl From<ChannelError> for Failure {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Agent(error) => error.into(),
            ChannelError::Store(error) => error.into(),
            error => Self::new(Exit::Failure, error),
        }
    }
}

/// The answer's row in the outbox, if the event carries one.
pub fn outbox_of(event: &TurnEvent) -> Option<i64> {
    match event {
        TurnEvent::Message { outbox, .. } | TurnEvent::Finished { outbox, .. } | TurnEvent::Failed { outbox, .. } => {
            *outbox
        }
        _ => None,
    }
}
