//! Models by name, and what they cost.

use crate::{Provider, Usage};
use std::sync::Arc;

/// A model and how it is asked.
#[derive(Clone)]
pub struct Model {
    /// `PROVIDER/MODEL`, or the name of a preset: how it is chosen and shown.
    pub title: String,
    /// Who serves it.
    pub provider: Arc<dyn Provider>,
    /// Its name as the provider knows it.
    pub name: String,
    /// Most tokens of one reply; `None` leaves it to the agent's setting.
    pub max_tokens: Option<u32>,
    /// Sampling temperature; `None` leaves it to the agent's setting.
    pub temperature: Option<f32>,
    /// Tokens it can read at once; `None` leaves it to the agent's setting.
    pub context_window_tokens: Option<u32>,
    /// What it costs, if that is known.
    pub price: Option<Price>,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Tokens that are read.
    pub input: f64,
    /// Tokens that are read from the server's cache.
    pub cached: f64,
    /// Tokens that are written.
    pub output: f64,
}

impl Price {
    /// What a reply cost, in millionths of a dollar, rounded up.
    pub fn of(&self, usage: &Usage) -> u64 {
        let fresh = usage.input_tokens.saturating_sub(usage.cached_tokens);
        let cost = fresh as f64 * self.input
            + usage.cached_tokens as f64 * self.cached
            + usage.output_tokens as f64 * self.output;
        cost.ceil().max(0.0) as u64
    }
}

/// The provider and the model in one word: how a model is called in this program.
pub fn title(provider: &str, model: &str) -> String {
    format!("{provider}/{}", without_provider(provider, model))
}

/// `deepseek/deepseek-chat` is `deepseek-chat` to DeepSeek.
pub(crate) fn without_provider<'m>(provider: &str, model: &'m str) -> &'m str {
    model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(model)
}

/// The models that sessions can choose from.
pub trait Models: Send + Sync {
    /// The model of that name, or the one that is used where none is chosen.
    ///
    /// # Errors
    /// One sentence for the user when there is no such model.
    fn named(&self, name: Option<&str>) -> Result<Arc<Model>, String>;

    /// The names that can be offered: presets and configured models, the default first.
    fn names(&self) -> Vec<String>;

    /// What the model costs that a reply names as the one that answered, if that is known.
    fn price(&self, title: &str) -> Option<Price>;
}

/// One model for every name.
pub struct OneModel(Arc<Model>);

impl OneModel {
    /// The model `name` of `provider`, without a price.
    pub fn new(provider: Arc<dyn Provider>, name: impl Into<String>) -> Self {
        let name = name.into();
        let title = title(provider.name(), &name);
        Self(Arc::new(Model {
            title,
            provider,
            name,
            max_tokens: None,
            temperature: None,
            context_window_tokens: None,
            price: None,
        }))
    }
}

impl Models for OneModel {
    fn named(&self, _: Option<&str>) -> Result<Arc<Model>, String> {
        Ok(self.0.clone())
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.title.clone()]
    }

    fn price(&self, _: &str) -> Option<Price> {
        self.0.price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_cost_their_own_price() {
        let price = Price { input: 3.0, cached: 0.3, output: 15.0 };
        let usage = Usage { input_tokens: 1_000, cached_tokens: 900, output_tokens: 10, reasoning_tokens: 5 };
        assert_eq!(price.of(&usage), 300 + 270 + 150);
        assert_eq!(price.of(&Usage::default()), 0);
    }
}
