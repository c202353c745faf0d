//! One request to the model: what it holds, what it may cost, and what is made shorter when it is too long.

use crate::agent::Room;
use crate::clip;
use crate::turn::{Course, End};
use crate::uses;
use crate::wire::{self, Kept};
use chiton_providers::{ChatRequest, ErrorClass, Model, ProviderError, Reply, StreamEvent};
use chiton_store::{StoreError, failpoint};
use std::sync::Arc;

/// How often one request is made shorter because the model finds it too long.
const MOST_SHORTENED: u32 = 4;
/// Tokens of a reply when nobody bounds them.
const REPLY: u32 = 8_192;
/// Tokens that are kept free beside the reply.
const SPARE: u32 = 1_024;

/// Why there is no reply.
pub(crate) enum Stop {
    /// The turn ends.
    End(End),
    /// Nothing can be recorded.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Room {
    /// Bytes of messages that `model` can read beside its reply.
    pub(crate) fn window_bytes(&self, model: &Model) -> usize {
        let all = model.context_window_tokens.map_or(self.settings.context_window_tokens, |tokens| tokens as usize);
        let reply = model.max_tokens.or(self.settings.max_tokens).unwrap_or(REPLY) + SPARE;
        let tokens = all.saturating_sub(reply as usize).max(2_048);
        (tokens as f64 * self.estimates.bytes_per_token(&model.title)) as usize
    }

    /// The model that answers in a session: the one chosen there, unless it is gone.
    pub(crate) async fn model_of(&self, session: &str) -> Result<Arc<Model>, StoreError> {
        let chosen = self.store.chosen_model(session).await?;
        let named = chosen.as_deref().and_then(|name| {
            let named = self.models.named(Some(name));
            named.inspect_err(|error| tracing::warn!("{error}; the usual model answers")).ok()
        });
        Ok(named.unwrap_or_else(|| self.model.clone()))
    }
}

impl Course<'_> {
    pub(crate) fn window_bytes(&self) -> usize {
        self.room.window_bytes(&self.model)
    }

    /// Most tokens of a reply.
    pub(crate) fn max_tokens(&self) -> Option<u32> {
        self.model.max_tokens.or(self.room.settings.max_tokens)
    }

    /// Asks the model once, shortening what is sent when it finds it too long.
    pub(crate) async fn ask(&mut self, with_tools: bool) -> Result<Reply, Stop> {
        let mut shortened = 0;
        loop {
            let error = match self.request(with_tools).await? {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if matches!(error, ProviderError::Refused { .. }) && self.pictures.withdraw() {
                self.sink.notice("The model does not take pictures: it is asked again without them.");
                continue;
            }
            let overflow = error.class() == ErrorClass::ContextOverflow && shortened < MOST_SHORTENED;
            if !(overflow && self.shorten().await?) {
                return Err(Stop::End(End::Failed(error.to_string())));
            }
            shortened += 1;
            self.sink.notice("The conversation is too long for the model: older parts are left out.");
        }
    }

    /// Makes half of the window free; false if nothing got shorter.
    async fn shorten(&mut self) -> Result<bool, StoreError> {
        let half = self.window.bytes() / 2;
        Ok(self.compact(half).await? || self.window.shrink(half) || self.shorten_steps())
    }

    async fn request(&mut self, with_tools: bool) -> Result<Result<Reply, ProviderError>, Stop> {
        self.room.look(self.rights.tainted).await?;
        self.used.extend(uses::of(&self.steps[self.searched..]));
        self.searched = self.steps.len();
        let uses = self.window.uses().chain(self.used.iter().map(String::as_str));
        let (system, tools) = self.room.preamble(&self.rights.session, uses);
        let preamble = system.len() + tools.as_ref().map_or(0, |tools| tools.len());
        self.fit(preamble).await?;
        let steps = self.steps.iter().enumerate().map(|(place, step)| self.pictures.at(place).unwrap_or(step));
        let messages: Vec<_> = std::iter::once(&system).chain(self.window.messages()).chain(steps).cloned().collect();
        let bytes = preamble + messages[1..].iter().map(|message| message.len()).sum::<usize>();
        if let Some(reason) = self.over_budget(bytes).await? {
            return Err(Stop::End(End::Failed(reason + "; raise it under agents.defaults.budgets")));
        }
        let model = self.model.clone();
        let request = ChatRequest {
            model: &model.name,
            messages: &messages,
            tools: tools.as_deref().filter(|_| with_tools),
            max_tokens: self.max_tokens(),
            temperature: model.temperature.or(self.room.settings.temperature),
            extra_body: None,
        };
        let (sink, partial) = (&mut self.sink, &mut self.partial);
        partial.clear();
        let mut hear = |event| match event {
            StreamEvent::Text(delta) => {
                partial.push_str(&delta);
                sink.text(&delta);
            }
            StreamEvent::Reasoning(delta) => sink.reasoning(&delta),
            StreamEvent::Notice(text) => sink.notice(&text),
            StreamEvent::Retrying { after, reason } => {
                sink.notice(&format!("{reason}; trying again in {} s", after.as_secs_f32().ceil()));
            }
        };
        failpoint!("before-model");
        let reply = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            () = self.room.closing.cancelled() => None,
            reply = model.provider.chat(request, &mut hear) => Some(reply),
        };
        failpoint!("after-model");
        let Some(reply) = reply else { return Err(Stop::End(self.stopped().unwrap_or(End::Suspended))) };
        if let Ok(reply) = &reply {
            self.note_spent(bytes, reply).await?;
        }
        Ok(reply)
    }

    /// Keeps what is sent within the model's window.
    async fn fit(&mut self, preamble: usize) -> Result<(), StoreError> {
        let room = self.window_bytes().saturating_sub(preamble);
        let mine = |steps: &[Arc<str>]| steps.iter().map(|step| step.len() + 1).sum::<usize>();
        if mine(&self.steps) > room {
            self.shorten_steps();
        }
        let room = room.saturating_sub(mine(&self.steps));
        if self.window.bytes() > room {
            self.compact(room / 2).await?;
            self.window.fit(room);
        }
        Ok(())
    }

    /// Shortens the results that this turn's model has had time to read; false if nothing got shorter.
    fn shorten_steps(&mut self) -> bool {
        const SHORT: usize = 600;
        let latest = self.steps.iter().rposition(|step| Kept::of(step).role == "assistant").unwrap_or(0);
        let mut shorter = false;
        for step in &mut self.steps[..latest] {
            if step.len() <= 2 * SHORT {
                continue;
            }
            if let Kept { tool_call_id: Some(id), content: Some(content), .. } = Kept::of(step) {
                let short = wire::tool(&id, &clip::clip(&content, SHORT));
                shorter |= short.len() < step.len();
                *step = short;
            }
        }
        shorter
    }
}
