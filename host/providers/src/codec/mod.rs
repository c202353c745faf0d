//! The protocols: how each writes a request and reads a reply. One row per protocol, one file for each.

pub mod chat;
pub mod gemini;
mod history;
pub mod messages;
#[cfg(test)]
mod play;

use crate::fragments::Fragments;
use crate::refusal::Failure;
use crate::reply::ReplyBuilder;
use crate::transport::ProviderOptions;
use crate::{ChatRequest, models};
use serde_json::{Map, Value};

/// One protocol.
#[derive(Debug)]
pub struct Codec {
    /// Its name.
    pub name: &'static str,
    /// Ends of an address that the owner may write and that the paths below hold already.
    pub trims: &'static [&'static str],
    /// Where a model of this name is asked.
    pub chat: fn(&str) -> String,
    /// Where the models are listed.
    pub models: &'static str,
    /// The header that holds the key, and what stands before the key.
    pub key: (&'static str, &'static str),
    /// Further headers of every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// Fields that extra fields cannot replace.
    pub ours: &'static [&'static str],
    /// The body of a streaming request.
    pub write: fn(&Draft<'_>) -> String,
    /// Takes one event of a stream, or a whole reply, and says whether it was the last one.
    pub read: fn(&mut ReplyBuilder<'_>, &Value) -> Result<bool, Failure>,
    /// One of these fields is in every whole reply.
    pub whole: &'static [&'static str],
}

/// A request before it is written.
pub struct Draft<'a> {
    /// Whom it is for.
    pub options: &'a ProviderOptions,
    /// What is asked.
    pub request: &'a ChatRequest<'a>,
    /// Fields that this model refused before.
    pub without: &'a [&'static str],
    /// What was translated before.
    pub fragments: &'a Fragments,
}

impl Draft<'_> {
    /// The model's name as the server knows it.
    pub fn model(&self) -> &str {
        let (whole, own_models) = (self.request.model, self.options.quirks.own_models);
        let name = models::without_provider(&self.options.name, whole);
        let is_own = !name.contains('/') && own_models.iter().any(|beginning| name.starts_with(beginning));
        if is_own { whole } else { name }
    }

    /// The extra field of that name.
    pub fn extra(&self, field: &str) -> Option<&Value> {
        let of_request = self.request.extra_body.and_then(|extra| extra.get(field));
        of_request.or_else(|| self.options.extra_body.get(field))
    }

    /// The field of that name, unless this model refused it.
    pub fn unrefused(&self, field: &str, value: impl Into<Value>) -> Value {
        if self.without.contains(&field) { Value::Null } else { value.into() }
    }

    /// The temperature, through its decimal form, so that 0.1 is not sent as 0.10000000149.
    pub fn temperature(&self) -> Value {
        let decimal = self.request.temperature.and_then(|temperature| temperature.to_string().parse::<f64>().ok());
        self.unrefused("temperature", decimal)
    }

    /// The tools as JSON, if there are any.
    pub fn tools(&self) -> Option<&str> {
        self.request.tools.filter(|tools| *tools != "[]")
    }

    /// The body without its end: `own` fields and the extra ones, where objects are merged and a `null` takes a
    /// field away.
    pub fn open(&self, own: Value) -> String {
        let Value::Object(mut head) = own else { return "{".into() };
        let extra = self.options.extra_body.iter().chain(self.request.extra_body.into_iter().flatten());
        for (name, value) in extra.filter(|(name, _)| !self.options.codec.ours.contains(&name.as_str())) {
            match (head.get_mut(name), value) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    old.extend(new.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                _ => drop(head.insert(name.clone(), value.clone())),
            }
        }
        head.retain(|name, value| !value.is_null() && !self.without.contains(&name.as_str()));
        let messages: usize = self.request.messages.iter().map(|message| message.len() + 64).sum();
        let mut body = Value::Object(head).to_string();
        body.reserve(messages + self.tools().map_or(0, str::len) + 256);
        body.pop();
        body
    }
}

/// One tool of a request.
struct Function {
    name: Value,
    description: Value,
    /// The schema of its arguments.
    parameters: Option<Map<String, Value>>,
}

fn functions(tools: &str) -> impl Iterator<Item = Function> {
    let tools: Vec<Value> = serde_json::from_str(tools).unwrap_or_default();
    tools.into_iter().map(|tool| {
        let function = &tool["function"];
        Function {
            name: function["name"].clone(),
            description: function["description"].as_str().unwrap_or_default().into(),
            parameters: function["parameters"].as_object().cloned(),
        }
    })
}
