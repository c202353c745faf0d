//! `chiton provider`

use super::{print_json, print_line};
use crate::arguments::Provider as Command;
use crate::exit::{Exit, Failure};
use crate::model::{Catalogue, key_of, none_configured};
use crate::settings::Settings;
use chiton_agent::inert;
use chiton_providers::{ChatRequest, Model, Models, OneModel, Provider, Usage, VENDORS, Vendor};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

const QUESTION: &str = r#"{"role":"user","content":"Answer with the word: ready"}"#;
/// Room for the thoughts of a model that thinks before it says one word.
const ANSWER_TOKENS: u32 = 1_024;

/// Lists providers or tries one out.
pub async fn run(command: Command, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    match command {
        Command::List => list(&settings, json),
        Command::Test { name } => test(&Catalogue::new(&settings.config)?, name.as_deref(), json).await,
    }
}

/// One provider as it is shown: never with its key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    configured: bool,
    address: &'a str,
    protocol: &'a str,
    key: &'a str,
    model: Option<&'a str>,
}

fn list(settings: &Settings, json: bool) -> Result<(), Failure> {
    let configured = &settings.config.providers;
    let others = VENDORS.iter().map(|vendor| vendor.name).filter(|name| !configured.contains_key(*name));
    // A configuration that names no usable model still has providers to show.
    let default = Catalogue::new(&settings.config).ok().and_then(|models| models.default().cloned());
    let names = configured.keys().map(String::as_str).chain(others);
    let rows: Vec<_> = names.map(|name| shown(name, settings, default.as_deref())).collect();
    if json {
        return print_json(&serde_json::to_value(&rows).map_err(Failure::because(Exit::Failure))?);
    }
    for Shown { name, address, key, model, .. } in rows {
        let model = model.map(|model| format!("  {}", inert(model))).unwrap_or_default();
        print_line(format!("{name:12} {key:20} {address}{model}").trim_end())?;
    }
    Ok(())
}

fn shown<'a>(name: &'a str, settings: &'a Settings, default: Option<&'a Model>) -> Shown<'a> {
    let configured = settings.config.providers.get(name);
    let vendor = Vendor::named(name);
    let base = configured.and_then(|provider| provider.api_base.as_deref());
    let needed = base.is_none() && vendor.is_some_and(|vendor| !vendor.key_env.is_empty());
    Shown {
        name,
        configured: configured.is_some(),
        address: base.or(vendor.map(|vendor| vendor.base_url)).unwrap_or_default(),
        protocol: vendor.map_or("chat completions", |vendor| vendor.codec.name),
        key: match key_of(name, configured) {
            Some((source, _)) => source,
            None if needed => "missing",
            None => "not needed",
        },
        model: default.filter(|model| model.provider.name() == name).map(|model| model.name.as_str()),
    }
}

/// Tries out a model: the one that is named, or of a provider the configured one, or else the first it lists.
async fn test(models: &Catalogue, name: Option<&str>, json: bool) -> Result<(), Failure> {
    let default = models.default().cloned();
    let model = match name {
        None => default.ok_or_else(none_configured)?,
        Some(name) if models.has_provider(name) => match default.filter(|model| model.provider.name() == name) {
            Some(model) => model,
            None => first_of(models.provider(name)?).await?,
        },
        Some(name) => models.find(name)?,
    };
    ask(&model, json).await
}

async fn first_of(provider: Arc<dyn Provider>) -> Result<Arc<Model>, Failure> {
    let name = provider.name();
    let none = format!("{name} lists no models; name one, as in `chiton provider test {name}/MODEL`");
    let first = provider.models().await?.into_iter().next().ok_or_else(|| Failure::new(Exit::Provider, none))?;
    OneModel::new(provider, first).named(None).map_err(Failure::because(Exit::Failure))
}

/// Asks for the list of models, then for one word.
async fn ask(model: &Model, json: bool) -> Result<(), Failure> {
    let request = ChatRequest {
        model: &model.name,
        messages: &[QUESTION.into()],
        tools: None,
        max_tokens: model.max_tokens.or(Some(ANSWER_TOKENS)),
        temperature: model.temperature,
        extra_body: None,
    };
    // A server that lists no models can still answer.
    let listed = model.provider.models().await.map(|models| models.len());
    let begun = Instant::now();
    let reply = model.provider.chat(request, &mut |_| ()).await?;
    let (took, Usage { input_tokens, cached_tokens, output_tokens, .. }) = (begun.elapsed().as_millis(), reply.usage);
    if json {
        return print_json(&json!({
            "model": reply.model,
            "modelsListed": listed.unwrap_or_default(),
            "milliseconds": u64::try_from(took).unwrap_or(u64::MAX),
            "answer": reply.text.trim(),
            "usage": { "input": input_tokens, "cached": cached_tokens, "output": output_tokens },
        }));
    }
    print_line(&match listed {
        Ok(listed) => format!("{} lists {listed} models", model.provider.name()),
        Err(error) => format!("{} lists no models: {}", model.provider.name(), inert(&error.to_string())),
    })?;
    let (title, text) = (inert(&reply.model), inert(reply.text.trim()));
    print_line(&format!("{title} answered in {took} ms: {text} ({input_tokens} tokens read, {output_tokens} written)"))
}
