//! One model after another, until one answers.

use crate::{ChatRequest, Model, Provider, ProviderError, Reply, StreamEvent};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a model that failed is passed over while another one answers.
const REST: Duration = Duration::from_secs(60);

/// Asks the first model, and the next one when it fails before anything of its reply arrived.
pub struct Fallback {
    first: Arc<Model>,
    others: Vec<Arc<Model>>,
    /// Which model to begin with, and until when.
    preferred: Mutex<Option<(usize, Instant)>>,
}

impl Fallback {
    /// `first`, and those to ask in its place.
    pub fn new(first: Arc<Model>, others: Vec<Arc<Model>>) -> Self {
        Self { first, others, preferred: Mutex::default() }
    }

    /// The models in the order in which they are asked now: the first one first, unless it failed a moment ago.
    fn order(&self) -> impl Iterator<Item = (usize, &Arc<Model>)> {
        let preferred = *self.preferred.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = preferred.filter(|(_, until)| Instant::now() < *until).map_or(0, |(at, _)| at);
        let all = || std::iter::once(&self.first).chain(&self.others).enumerate();
        all().skip(begin).chain(all().take(begin))
    }

    fn prefer(&self, at: usize) {
        *self.preferred.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, Instant::now() + REST));
    }
}

#[async_trait]
impl Provider for Fallback {
    fn name(&self) -> &str {
        self.first.provider.name()
    }

    async fn chat(
        &self,
        request: ChatRequest<'_>,
        events: &mut (dyn FnMut(StreamEvent) + Send),
    ) -> Result<Reply, ProviderError> {
        let mut order = self.order();
        let (mut next, mut first) = (order.next(), true);
        loop {
            let (at, model) = next.unwrap_or((0, &self.first));
            let mut started = false;
            let mut hear = |event: StreamEvent| {
                started |= matches!(event, StreamEvent::Text(_) | StreamEvent::Reasoning(_));
                events(event);
            };
            let request = ChatRequest {
                model: &model.name,
                max_tokens: model.max_tokens.or(request.max_tokens),
                temperature: model.temperature.or(request.temperature),
                ..request
            };
            let error = match model.provider.chat(request, &mut hear).await {
                Ok(reply) => {
                    if !first {
                        self.prefer(at);
                    }
                    return Ok(reply);
                }
                Err(error) => error,
            };
            (next, first) = (order.next(), false);
            let Some((_, other)) = next.filter(|_| !started && error.another_may_do_better()) else {
                return Err(error);
            };
            events(StreamEvent::Notice(format!("{error}; {} is asked instead", other.title)));
        }
    }

    async fn models(&self) -> Result<Vec<String>, ProviderError> {
        self.first.provider.models().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Models, OneModel};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fails with its error each time, after a word if it has one.
    struct Failing(ProviderError, Option<&'static str>, AtomicUsize);

    #[async_trait]
    impl Provider for Failing {
        fn name(&self) -> &str {
            "failing"
        }

        async fn chat(
            &self,
            _: ChatRequest<'_>,
            events: &mut (dyn FnMut(StreamEvent) + Send),
        ) -> Result<Reply, ProviderError> {
            self.2.fetch_add(1, Ordering::Relaxed);
            self.1.into_iter().for_each(|word| events(StreamEvent::Text(word.into())));
            Err(self.0.clone())
        }

        async fn models(&self) -> Result<Vec<String>, ProviderError> {
            Ok(Vec::new())
        }
    }

    fn model(provider: Arc<dyn Provider>) -> Arc<Model> {
        OneModel::new(provider, "m").named(None).unwrap()
    }

    /// What two questions give when the first model fails, what was told, and how often the first was asked.
    async fn ask(
        error: ProviderError,
        word: Option<&'static str>,
    ) -> (Result<Reply, ProviderError>, Vec<StreamEvent>, usize) {
        let failing = Arc::new(Failing(error, word, AtomicUsize::new(0)));
        let good = crate::ScriptedProvider::new("good", |request| Reply::text(request.model));
        let both = Fallback::new(model(failing.clone()), vec![model(Arc::new(good))]);
        let request = ChatRequest {
            model: "m",
            messages: &[],
            tools: None,
            max_tokens: None,
            temperature: None,
            extra_body: None,
        };
        let mut told = Vec::new();
        let _ = both.chat(request, &mut |event| told.push(event)).await;
        let reply = both.chat(request, &mut |_| ()).await;
        (reply, told, failing.2.load(Ordering::Relaxed))
    }

    fn down() -> ProviderError {
        ProviderError::ServerFailed { provider: "failing".into(), retry_after: None, detail: "down".into() }
    }

    #[tokio::test]
    async fn the_next_model_answers_says_so_and_is_asked_first_for_a_while() {
        let (reply, told, asked) = ask(down(), None).await;
        assert_eq!(reply.unwrap().model, "good/m");
        assert_eq!(
            told[0],
            StreamEvent::Notice("failing failed (down); try again later; good/m is asked instead".into())
        );
        assert_eq!(asked, 1);
    }

    #[tokio::test]
    async fn a_reply_that_began_and_an_error_of_the_request_itself_are_not_asked_elsewhere() {
        assert_eq!(ask(down(), Some("half")).await.0, Err(down()));
        let long = ProviderError::ContextOverflow { detail: "long".into() };
        assert_eq!(ask(long.clone(), None).await.0, Err(long));
    }

    #[tokio::test]
    async fn without_a_key_or_with_an_empty_account_another_may_do_better() {
        for error in [
            ProviderError::KeyMissing { provider: "x".into() },
            ProviderError::NoCredit { provider: "x".into(), detail: String::new() },
        ] {
            assert!(ask(error, None).await.0.is_ok());
        }
    }
}
