//! One call: a fresh instance with the rights of the call, ended at its limits.

use crate::audit::Verdict;
use crate::contract::v0_1::{self, Failure};
use crate::engine::Ticker;
use crate::limiter::MemoryPool;
use crate::script::Script;
use crate::skill;
use crate::snapshot::LoadedTool;
use crate::state::{Call, CommandLine, State};
use crate::subject::{Subject, file_denials};
use crate::{CallError, Capability, Effects, Limits, Rights, Sandbox, SessionRights};
use chiton_files::{FileContext, Protected, Quotas};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wasmtime::component::ResourceTableError;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

/// What the caller wants done.
pub struct CallRequest {
    /// The tool's name.
    pub tool: String,
    /// A JSON object.
    pub arguments: serde_json::Value,
    /// On whose behalf, and with what rights the session adds or takes.
    pub session: SessionRights,
    /// Lower limits for this call; nothing is raised above the sandbox's ceiling.
    pub limits: Option<Limits>,
    /// Ends the call when cancelled.
    pub cancel: CancellationToken,
    /// Takes the lines that the tool reports while it runs.
    pub progress: Option<mpsc::Sender<String>>,
}

/// One part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A JSON document.
    Json(String),
    /// A picture.
    Image {
        /// Its media type.
        mime: String,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// Any other file.
    File {
        /// Its media type.
        mime: String,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl Part {
    /// Bytes of the part.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Image { mime, data } | Self::File { mime, data } => mime.len() + data.len(),
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub struct CallOutcome {
    /// The parts, or why there are none.
    pub result: Result<Vec<Part>, CallError>,
    /// From the first instruction to the end; time spent waiting for a place is not in it.
    pub duration: Duration,
    /// As it stands in the audit trail.
    pub verdict: Verdict,
    /// The grants that were missing while it ran, whatever the tool made of that.
    pub missing: Vec<CallError>,
}

/// What all calls of a sandbox share.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) memory: Arc<MemoryPool>,
    pub(crate) protected: Protected,
    pub(crate) closed_to_skills: Protected,
    pub(crate) quotas: Quotas,
}

/// Ends a running guest at its deadline.
#[derive(Debug, thiserror::Error)]
#[error("deadline")]
struct DeadlinePassed;

impl Sandbox {
    /// Runs a tool whose arguments have been validated, after a place for it was found.
    pub(crate) async fn run(
        &self,
        tool: &LoadedTool,
        request: CallRequest,
        limits: &Limits,
        subject: &Arc<Subject>,
    ) -> Result<Vec<Part>, CallError> {
        let machine = self.machine();
        let mut rights = Rights::of(&tool.grants, tool.definition.effects, &request.session);
        let mut arguments = request.arguments;
        skill::enter(tool, &mut rights, &mut arguments);
        if let Some(scratch) = rights.scratch.as_ref().filter(|_| tool.grants.of_skill()) {
            own_folder(scratch).map_err(|error| CallError::Host(error.to_string()))?;
        }
        let prepared = tokio::select! {
            biased;
            ended = withdrawn(tool, &request.cancel) => return Err(ended),
            prepared = tool.component.prepared(self) => prepared.map_err(|error| CallError::Host(error.to_string()))?,
        };
        // Waiting for another call that writes to the same quota is part of the call, and ends with it.
        let journal = request.session.journal.as_deref();
        let closed = if tool.grants.of_skill() { &machine.closed_to_skills } else { &machine.protected };
        let open = FileContext::open(&rights.files, journal, closed, &machine.quotas, file_denials(subject));
        let files = tokio::select! {
            biased;
            ended = withdrawn(tool, &request.cancel) => return Err(ended),
            opened = tokio::time::timeout(limits.time, open) => opened
                .map_err(|_| CallError::Deadline(limits.time))?
                .map_err(|error| CallError::Host(error.to_string()))?,
        };
        let arguments = arguments.to_string();
        let CallRequest { session, progress, .. } = request;
        let call = Call::new(self.clone(), subject.clone(), session, rights, limits.clone());
        let call = Call { progress, script: tool.component.script.clone(), ..call };
        let effects = call.rights.effects;
        let handles_files = effects.contains(Effects::READS_FILES) || effects.contains(Effects::WRITES_FILES);
        let files = if call.script.is_some() && handles_files { files.hearing_of_all() } else { files };
        let mut store = self.store(Arc::new(call), files, None);
        let answered = {
            let _ticking = machine.ticker.tick();
            let run = async {
                let instance = prepared.instantiate_async(&mut store).await?;
                instance.chiton_tool_tools().call_call(&mut store, &request.tool, &arguments).await
            };
            tokio::select! {
                biased;
                ended = withdrawn(tool, &request.cancel) => return Err(ended),
                answered = tokio::time::timeout(limits.time, run) => answered,
            }
        };
        let answer = match answered {
            Err(_) => return Err(CallError::Deadline(limits.time)),
            Ok(Err(error)) => return Err(broken(&error, &store, limits)),
            Ok(Ok(answer)) => answer,
        };
        let parts: Vec<Part> = match answer {
            Ok(parts) => parts.into_iter().map(v0_1::part).collect(),
            Err(failure) => return Err(failed(failure, tool, limits)),
        };
        if parts.iter().map(Part::size).sum::<usize>() > limits.output {
            return Err(CallError::Limit { limit: format!("{} bytes of output", limits.output) });
        }
        Ok(parts)
    }

    /// Asks a component for its tools, with no rights at all.
    pub(crate) async fn list_tools(
        &self,
        prepared: &v0_1::Prepared<State>,
        limits: &Limits,
        subject: &Arc<Subject>,
        script: Option<Arc<Script>>,
    ) -> Result<Vec<v0_1::Definition>, CallError> {
        let machine = self.machine();
        let files = FileContext::open(&[], None, &machine.protected, &machine.quotas, file_denials(subject))
            .await
            .map_err(|error| CallError::Host(error.to_string()))?;
        let nobody = SessionRights::of("");
        let call = Call::new(self.clone(), subject.clone(), nobody, Rights::default(), limits.clone());
        let call = Call { script, ..call };
        let mut store = self.store(Arc::new(call), files, None);
        let _ticking = machine.ticker.tick();
        let run = async {
            let instance = prepared.instantiate_async(&mut store).await?;
            instance.chiton_tool_tools().call_list_tools(&mut store).await
        };
        match tokio::time::timeout(limits.time, run).await {
            Err(_) => Err(CallError::Deadline(limits.time)),
            Ok(Err(error)) => Err(match (broken(&error, &store, limits), store.data().last_words()) {
                (CallError::Trap(_), Some(words)) => CallError::Failed(words),
                (reason, _) => reason,
            }),
            Ok(Ok(definitions)) => Ok(definitions),
        }
    }

    /// A store for a tool, or for a program with its command line, that belongs to `call`.
    pub(crate) fn store(&self, call: Arc<Call>, files: FileContext, command: Option<CommandLine>) -> Store<State> {
        let machine = self.machine();
        let (crossing, handles) = (call.limits.crossing, call.limits.handles);
        let mut store = Store::new(&machine.engine, State::new(call, files, machine.memory.clone(), command));
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(crossing);
        store.set_max_component_handles(handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            // The timer alone is late when every worker runs a guest.
            if Instant::now() >= store.data().call.deadline() {
                return Err(DeadlinePassed.into());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

/// Makes the folder of a skill in the scratch directory of a session, where another tool may have put a link.
fn own_folder(place: &Path) -> std::io::Result<()> {
    let parent = place.parent().unwrap_or(place);
    for folder in [parent, place] {
        if let Err(error) = std::fs::create_dir(folder)
            && !folder.symlink_metadata().is_ok_and(|there| there.is_dir())
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Waits until somebody ends the call, and tells who.
async fn withdrawn(tool: &LoadedTool, cancel: &CancellationToken) -> CallError {
    tokio::select! {
        biased;
        () = tool.component.revoked.cancelled() => CallError::Revoked(tool.slot.clone()),
        () = tool.grants_withdrawn.cancelled() => CallError::Revoked(tool.slot.clone()),
        () = cancel.cancelled() => CallError::Cancelled,
    }
}

/// The error of a tool that answered with a failure.
fn failed(failure: Failure, tool: &LoadedTool, limits: &Limits) -> CallError {
    let cut = |text: String| -> String {
        if text.len() <= limits.output { text } else { text.chars().take(limits.output / 4).collect() }
    };
    match failure {
        Failure::InvalidArguments(text) => CallError::InvalidArguments(cut(text)),
        Failure::Denied(grant) => denied(&grant, tool),
        Failure::NotFound(text) => CallError::NotFound(cut(text)),
        Failure::TimedOut(text) => CallError::TimedOut(cut(text)),
        Failure::Failed(text) => CallError::Failed(cut(text)),
    }
}

/// What is missing when a tool says that it lacks a grant: that, or something that goes before it.
pub(crate) fn denied(grant: &str, tool: &LoadedTool) -> CallError {
    let (kind, value) = grant.split_once('=').unwrap_or((grant, ""));
    let effect = match Capability::named(kind) {
        Some(kind) => kind.effect(),
        None if kind != "files" => Effects::NONE,
        None if value.ends_with(":write") => Effects::WRITES_FILES,
        None => Effects::READS_FILES,
    };
    if !tool.definition.effects.contains(effect) {
        let effect = effect.names().collect::<Vec<_>>().join(", ");
        return CallError::Undeclared { tool: tool.definition.name.clone(), effect };
    }
    let secrets = tool.grants.capabilities.get(&Capability::Secrets).into_iter().flatten();
    let names = |granted: &String| granted.split(' ').next() == Some(value);
    if kind == Capability::Secrets.name() && secrets.into_iter().any(names) {
        return CallError::Unset(grant_text(value));
    }
    CallError::Denied { tool: tool.definition.name.clone(), component: tool.slot.clone(), grant: grant_text(grant) }
}

/// A grant as a tool names it: one line, quoted for a shell where it needs to be.
fn grant_text(grant: &str) -> String {
    let line: String = grant.chars().filter(|c| !c.is_control()).take(1024).collect();
    let plain = |c: char| c.is_alphanumeric() || "=/:._-+,@%".contains(c);
    if line.chars().all(plain) { line } else { format!("'{}'", line.replace('\'', r"'\''")) }
}

/// The error of a guest that did not answer.
pub(crate) fn broken(error: &wasmtime::Error, store: &Store<State>, limits: &Limits) -> CallError {
    if error.downcast_ref::<DeadlinePassed>().is_some() {
        return CallError::Deadline(limits.time);
    }
    if let Some(limit) = &store.data().limiter.refused {
        return CallError::Limit { limit: limit.clone() };
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return CallError::Trap(format!("it ended itself with exit code {}{}", exit.0, store.data().dying_words()));
    }
    let whole = format!("{error:#}");
    if whole.contains("fuel allocated for hostcalls") {
        return CallError::Limit { limit: format!("{} MiB copied at once", limits.crossing >> 20) };
    }
    let no_handles = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    if no_handles || whole.contains("handle limit exceeded") {
        return CallError::Limit { limit: format!("{} open handles", limits.handles) };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => CallError::Limit { limit: "stack depth".to_owned() },
        Some(trap) => CallError::Trap(trap.to_string() + &store.data().dying_words()),
        // The cause; what stands before it is a trace of the guest's functions.
        None => {
            let cause: String = error.root_cause().to_string().chars().take(300).collect();
            CallError::Trap(cause + &store.data().dying_words())
        }
    }
}

/// The verdict that belongs to a result.
pub(crate) fn verdict(result: &Result<Vec<Part>, CallError>) -> Verdict {
    match result {
        Ok(_) => Verdict::Allowed,
        Err(
            CallError::Denied { .. }
            | CallError::Undeclared { .. }
            | CallError::Unset(_)
            | CallError::NotApproved(_)
            | CallError::Changed(_),
        ) => Verdict::Denied,
        Err(CallError::Deadline(_) | CallError::Limit { .. }) => Verdict::Limited,
        Err(CallError::Cancelled) => Verdict::Cancelled,
        Err(CallError::Revoked(_)) => Verdict::Revoked,
        Err(_) => Verdict::Failed,
    }
}

/// Limits under which a component lists its tools.
pub(crate) fn listing_limits(ceiling: &Limits) -> Limits {
    Limits { time: Duration::from_secs(5), ..Limits::default() }.at_most(ceiling)
}
