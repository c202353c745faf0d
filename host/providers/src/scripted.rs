//! A model that follows a script, inside the process.

use crate::{ChatRequest, Provider, ProviderError, Reply, StreamEvent};
use async_trait::async_trait;
use std::time::Duration;

/// Answers every request by a function: for the built-in demo, and for measuring everything but the model.
pub struct ScriptedProvider {
    name: String,
    pace: Duration,
    answer: Box<dyn Fn(&ChatRequest<'_>) -> Reply + Send + Sync>,
}

impl ScriptedProvider {
    /// A model called `name` that answers at once with what `answer` returns.
    pub fn new(name: impl Into<String>, answer: impl Fn(&ChatRequest<'_>) -> Reply + Send + Sync + 'static) -> Self {
        Self { name: name.into(), pace: Duration::ZERO, answer: Box::new(answer) }
    }

    /// The same, pausing `pace` after each word as a real model would.
    pub fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }
}

#[async_trait]
impl Provider for ScriptedProvider {
    fn name(&self) -> &str {
        &self.name
    }

    async fn chat(
        &self,
        request: ChatRequest<'_>,
        events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError> {
        let mut reply = (self.answer)(&request);
        reply.model = crate::title(&self.name, request.model);
        if !reply.reasoning.is_empty() {
            events(StreamEvent::Reasoning(reply.reasoning.clone()));
        }
        if self.pace.is_zero() {
            if !reply.text.is_empty() {
                events(StreamEvent::Text(reply.text.clone()));
            }
            return Ok(reply);
        }
        for word in reply.text.split_inclusive(char::is_whitespace) {
            events(StreamEvent::Text(word.into()));
            tokio::time::sleep(self.pace).await;
        }
        Ok(reply)
    }

    async fn models(&self) -> Result<Vec<String>, ProviderError> {
        Ok(vec![self.name.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value};

    #[tokio::test]
    async fn a_script_answers_what_it_is_asked_in_the_form_of_a_real_model() {
        let model = ScriptedProvider::new("demo", |request| match request.messages.len() {
            0 => Reply::calls("I look.", [("a", "read_file", Map::new())]),
            _ => Reply::text("two words"),
        });
        let model = model.with_pace(Duration::from_millis(1));
        let request = ChatRequest {
            model: "demo",
            messages: &[],
            tools: None,
            max_tokens: None,
            temperature: None,
            extra_body: None,
        };
        let calls = model.chat(request, &mut |_| ()).await.unwrap();
        let message: Value = serde_json::from_str(&calls.message).unwrap();
        assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{}");
        let (mut events, messages) = (Vec::new(), [calls.message]);
        model.chat(ChatRequest { messages: &messages, ..request }, &mut |event| events.push(event)).await.unwrap();
        assert_eq!(events, [StreamEvent::Text("two ".into()), StreamEvent::Text("words".into())]);
    }
}
