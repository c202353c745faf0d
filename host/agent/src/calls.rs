//! The calls of one round: read-only ones beside each other, the others one after another, each recorded as it ends.

use crate::TurnEvent;
use crate::cast::cast;
use crate::clip;
use crate::event::shown;
use crate::inert::inert;
use crate::pictures::Picture;
use crate::repetition::Advice;
use crate::result::{Told, speaks, word};
use crate::scratch;
use crate::turn::{Course, End};
use crate::wire::{self, Asked};
use chiton_providers::ToolCall;
use chiton_sandbox::{CallOutcome, CallRequest, Part, Sandbox, Verdict};
use chiton_store::{StoreError, failpoint};
use serde_json::{Map, Value};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The verdict of a call that was begun before a crash and of which the end is not known.
pub(crate) const UNCERTAIN: &str = "uncertain";
/// Calls that run beside each other in one turn.
const BESIDE: usize = 8;
/// Progress of one call is shown at most this often.
const PROGRESS: Duration = Duration::from_millis(50);

const LAST_ROUND: &str = "\n[This was the last round of tool calls for this message. Answer now with what you have.]";
const REPEATED: &str =
    "This call was not run: the same call has just given the same result. Use that result, or do something else.";
const HOPELESS: &str = "This call was not run: it has been repeated too often. No more tools can be used for this message; answer with what you have.";
const BROKEN: &str = "Error: Chiton itself failed while this call ran; whether it took effect is not known.";
const UNKNOWN_END: &str = "It is not known whether this call took effect: Chiton was stopped while it ran. Look at the state of things before you do it again.";

/// A call that a model wants.
pub(crate) struct Wanted {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The arguments, or what is wrong with them.
    pub(crate) arguments: Result<Map<String, Value>, String>,
    /// It was begun before a crash, may have changed something, and has no result.
    pub(crate) begun: bool,
    /// Its answer, when it needs none from the tool.
    pub(crate) told: Option<Told>,
}

impl Wanted {
    /// A call of a reply.
    pub(crate) fn asked(call: ToolCall) -> Self {
        let arguments = call.arguments.map_err(|wrong| wrong.to_string());
        Self { id: call.id, name: call.name, arguments, begun: false, told: None }
    }

    /// A call of a kept message.
    pub(crate) fn kept(call: Asked) -> Self {
        let arguments = serde_json::from_str(&call.arguments)
            .map_err(|wrong| format!("the arguments are not a JSON object ({wrong}); send the call again"));
        Self { id: call.id, name: call.name, arguments, begun: false, told: None }
    }
}

/// A call that is ready to run, or answered already.
struct Ready {
    id: String,
    name: String,
    arguments: Value,
    /// The arguments as they are recorded and compared.
    text: String,
    read_only: bool,
    told: Option<Told>,
    verdict: Option<&'static str>,
}

impl Course<'_> {
    /// Runs `wanted` in order and records every result. When the turn is stopped, the calls that are left are
    /// recorded as cancelled; when the host is closing, they are left for the next start.
    pub(crate) async fn run_calls(&mut self, wanted: Vec<Wanted>) -> Result<(), StoreError> {
        let mut wanted = wanted.into_iter().peekable();
        while let Some(first) = wanted.next() {
            if matches!(self.stopped(), Some(End::Suspended)) {
                return Ok(());
            }
            let first = self.ready(first);
            let mut group = vec![first];
            while group[0].read_only && group.len() < BESIDE {
                let Some(next) = wanted.next_if(|next| self.read_only(&next.name)) else { break };
                group.push(self.ready(next));
            }
            self.run_group(group, wanted.len()).await?;
        }
        // Servers want the results of a round side by side, so its pictures come after them.
        let seen = std::mem::take(&mut self.seen);
        match self.pictures.show(self.steps.len(), seen) {
            Some(message) => self.append(message).await,
            None => Ok(()),
        }
    }

    /// Whether a call can change nothing. A tool that does not exist cannot.
    fn read_only(&self, tool: &str) -> bool {
        let snapshot = self.room.sandbox.snapshot();
        snapshot.get(tool).is_none_or(|tool| (tool.definition.effects & self.rights.effects).read_only())
    }

    fn ready(&mut self, wanted: Wanted) -> Ready {
        let Wanted { id, name, arguments, begun, told } = wanted;
        let mut ready = Ready {
            read_only: self.read_only(&name) && !begun,
            id,
            name,
            arguments: Value::Null,
            text: "{}".to_owned(),
            told,
            verdict: None,
        };
        match arguments {
            Ok(mut arguments) => {
                if let Some(tool) = self.room.sandbox.snapshot().get(&ready.name) {
                    cast(&mut arguments, &tool.definition.parameters);
                }
                ready.arguments = Value::Object(arguments);
                ready.text = ready.arguments.to_string();
            }
            Err(wrong) => ready.told = ready.told.or(Some(Told::unrun(format!("Error: {wrong}"), Verdict::Failed))),
        }
        if begun {
            self.uncertain.push(inert(&ready.name).into_owned());
            self.sink.notice(&format!(
                "Chiton was stopped while {} ran: whether that call took effect is not known.",
                ready.name
            ));
            ready.told = Some(Told::unrun(UNKNOWN_END, Verdict::Failed));
            ready.verdict = Some(UNCERTAIN);
        }
        if ready.told.is_none() {
            ready.told = self.advised(&ready);
        }
        ready
    }

    /// The stop message for a call that teaches the model nothing.
    fn advised(&mut self, call: &Ready) -> Option<Told> {
        self.calls += 1;
        let most = self.room.settings.budgets.calls;
        if self.calls > most {
            self.hopeless = true;
            return Some(Told::unrun(
                format!("This call was not run: {most} calls are the most for one message; answer with what you have."),
                Verdict::Limited,
            ));
        }
        let advice = self.repetition.before(&call.name, &call.text);
        self.hopeless |= advice == Advice::Close;
        let text = match advice {
            Advice::Run => return None,
            Advice::Stop => REPEATED,
            Advice::Close => HOPELESS,
        };
        Some(Told::unrun(text, Verdict::Limited))
    }

    /// Runs a group of calls beside each other; `after` calls of the round are still to come.
    async fn run_group(&mut self, mut group: Vec<Ready>, after: usize) -> Result<(), StoreError> {
        if group.iter().any(|call| call.told.is_none() && self.room.brings_in(&call.name, &call.text)) {
            self.meet_strangers().await?;
        }
        let mut running = JoinSet::new();
        let (progress, mut reports) = mpsc::channel(64);
        for (index, call) in group.iter_mut().enumerate() {
            self.sink.emit(TurnEvent::ToolStarted {
                id: call.id.clone(),
                name: inert(&clip::line(&call.name, 80)).into_owned(),
                arguments: shown(&call.arguments),
            });
            if call.told.is_none() && self.stop.is_cancelled() {
                call.told = Some(Told::unrun("This call was not run: the request was cancelled.", Verdict::Cancelled));
            }
            if call.told.is_some() {
                continue;
            }
            if !call.read_only {
                self.room.store.start_call(self.id, &call.id, &call.name, &call.text, false).await?;
            }
            failpoint!("before-call");
            let request = CallRequest {
                tool: call.name.clone(),
                arguments: std::mem::take(&mut call.arguments),
                session: self.rights.clone(),
                limits: None,
                cancel: self.stop.child_token(),
                progress: None,
            };
            running.spawn(run(self.room.sandbox.clone(), request, index, progress.clone()));
        }
        drop(progress);
        self.record_answered(&group, after + running.len()).await?;
        let mut recorded: Vec<bool> = group.iter().map(|call| call.told.is_some()).collect();
        while !running.is_empty() {
            tokio::select! {
                biased;
                Some((index, text)) = reports.recv() => self.report(&group[index], &text),
                Some(ended) = running.join_next() => {
                    failpoint!("after-call");
                    let Ok((index, outcome)) = ended else { continue };
                    recorded[index] = true;
                    let call = &group[index];
                    let told = self.told(call, outcome);
                    self.repetition.after(&call.name, &call.text, &told.text, call.read_only);
                    self.record(call, &told, after + running.len()).await?;
                }
            }
        }
        // A call whose task broke off must have a result too, or no server accepts the history again.
        for (call, _) in group.iter().zip(recorded).filter(|(_, recorded)| !recorded) {
            self.record(call, &Told::unrun(BROKEN, Verdict::Failed), after).await?;
        }
        Ok(())
    }

    async fn record_answered(&mut self, group: &[Ready], after: usize) -> Result<(), StoreError> {
        let mut left = group.iter().filter(|call| call.told.is_some()).count() + after;
        for call in group {
            if let Some(told) = &call.told {
                left -= 1;
                self.record(call, told, left).await?;
            }
        }
        Ok(())
    }

    /// The outcome of a call as the model reads it. What strangers may have written is marked as such, and what
    /// is too long is kept whole where the model can read on.
    fn told(&mut self, call: &Ready, mut outcome: CallOutcome) -> Told {
        let foreign = self.room.brings_in(&call.name, &call.text);
        if foreign && speaks(&outcome) {
            self.rights.tainted = true;
        }
        self.seen.extend(pictures(&call.name, &mut outcome));
        let keep = |text: &str| {
            // What a tool only reads can be read again in pieces.
            let scratch = self.rights.scratch.as_ref().filter(|_| !call.read_only)?;
            scratch::keep_result(scratch, &call.id, text)
                .inspect_err(|error| tracing::warn!("a long result is not kept: {error}"))
                .ok()
        };
        let most = self.room.settings.max_tool_result_chars;
        Told::of(outcome, most, foreign.then_some(&*call.name), keep)
    }

    /// Commits a result; `left` results of the round are still to come.
    async fn record(&mut self, call: &Ready, told: &Told, left: usize) -> Result<(), StoreError> {
        let ends_round = left == 0 && self.last_round() && !self.hopeless;
        let text = if ends_round { format!("{}{LAST_ROUND}", told.text) } else { told.text.clone() };
        let message = wire::tool(&call.id, &text);
        let verdict = call.verdict.map_or_else(|| word(told.verdict), str::to_owned);
        self.room.store.finish_call(self.id, &call.id, &message, &verdict).await?;
        self.steps.push(message);
        self.sink.emit(TurnEvent::ToolFinished {
            id: call.id.clone(),
            name: inert(&clip::line(&call.name, 80)).into_owned(),
            verdict: told.verdict,
            duration_ms: told.duration_ms,
            summary: told.summary(),
        });
        Ok(())
    }

    fn report(&mut self, call: &Ready, text: &str) {
        let text = inert(&clip::line(text, 200)).into_owned();
        self.sink.emit(TurnEvent::ToolProgress { id: call.id.clone(), text });
    }
}

/// The pictures of a result that models can read.
fn pictures(tool: &str, outcome: &mut CallOutcome) -> Vec<Picture> {
    let readable = |mime: &str| matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp");
    let parts = outcome.result.as_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let picture = |part: &mut Part| match part {
        Part::Image { mime, data } if readable(mime) => {
            let data = std::mem::take(data);
            let shown = format!("[a picture, {mime}, {} bytes]", data.len());
            let picture = Picture { tool: tool.to_owned(), mime: mime.clone(), data };
            *part = Part::Text(shown);
            Some(picture)
        }
        _ => None,
    };
    parts.iter_mut().filter_map(picture).collect()
}

/// Runs one call and passes on what it reports, without ever making it wait for the reader.
async fn run(
    sandbox: Sandbox,
    mut request: CallRequest,
    index: usize,
    progress: mpsc::Sender<(usize, String)>,
) -> (usize, CallOutcome) {
    let (sender, mut lines) = mpsc::channel(8);
    request.progress = Some(sender);
    let call = sandbox.call(request);
    tokio::pin!(call);
    let mut shown: Option<Instant> = None;
    // A reader that is behind misses a line of progress, which the next one replaces.
    let show = |line| drop(progress.try_send((index, line)));
    loop {
        tokio::select! {
            biased;
            outcome = &mut call => {
                if let Some(last) = std::iter::from_fn(|| lines.try_recv().ok()).last() {
                    show(last);
                }
                return (index, outcome);
            }
            Some(line) = lines.recv() => {
                if shown.is_none_or(|last| last.elapsed() >= PROGRESS) {
                    shown = Some(Instant::now());
                    show(line);
                }
            }
        }
    }
}
