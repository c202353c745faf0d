//! `chiton provider`

use super::{print_json, print_line};
use crate::arguments::Provider as Command;
use crate::exit::{Exit, Failure};
use crate::model::{Catalogue, key_of};
use crate::settings::Settings;
use chiton_agent::inert;
use chiton_providers::{ChatRequest, Model, Models, OneModel, VENDORS, Vendor};
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
    let show = |name: &'_ str| -> Shown<'_> { shown(name, settings, default.as_deref()) };
    let rows: Vec<Shown<'_>> = configured.keys().map(String::as_str).chain(others).map(show).collect();
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

/// Asks for the models, then for one word.
async fn test(models: &Catalogue, name: Option<&str>, json: bool) -> Result<(), Failure> {
    let provider = match name {
        Some(name) if models.has_provider(name) => Some(models.provider(name)?),
        _ => None,
    };
    let model = match (&provider, name) {
        (Some(provider), _) => models.default().filter(|model| model.provider.name() == provider.name()).cloned(),
        (None, Some(name)) => Some(models.find(name)?),
        (None, None) => Some(models.default().cloned().ok_or_else(crate::model::none_configured)?),
    };
    let provider = provider.or_else(|| model.as_ref().map(|model| model.provider.clone()));
    let Some(provider) = provider else { return Err(crate::model::none_configured()) };
    // A server that lists no models can still answer.
    let listed = provider.models().await;
    let first = || listed.as_ref().ok().and_then(|listed| listed.first());
    let model = match (model, first()) {
        (Some(model), _) => model,
        (None, Some(first)) => {
            OneModel::new(provider.clone(), first).named(None).map_err(Failure::because(Exit::Failure))?
        }
        (None, None) => return Err(no_models(provider.name(), listed)),
    };
    if !json {
        print_line(&match &listed {
            Ok(listed) => format!("{} lists {} models", provider.name(), listed.len()),
            Err(error) => format!("{} lists no models: {}", provider.name(), inert(&error.to_string())),
        })?;
    }
    ask(&model, listed.map_or(0, |listed| listed.len()), json).await
}

fn no_models(name: &str, listed: Result<Vec<String>, chiton_providers::ProviderError>) -> Failure {
    match listed {
        Err(error) => error.into(),
        Ok(_) => {
            let message = format!("{name} lists no models; name one, as in `chiton provider test {name}/MODEL`");
            Failure::new(Exit::Provider, message)
        }
    }
}

async fn ask(model: &Model, listed: usize, json: bool) -> Result<(), Failure> {
    let request = ChatRequest {
        model: &model.name,
        messages: &[Arc::from(QUESTION)],
        tools: None,
        max_tokens: Some(model.max_tokens.unwrap_or(ANSWER_TOKENS)),
        temperature: model.temperature,
        extra_body: None,
    };
    let begun = Instant::now();
    let reply = model.provider.chat(request, &mut |_| ()).await?;
    let (took, usage) = (begun.elapsed().as_millis(), reply.usage);
    let (text, title) = (reply.text.trim(), inert(&reply.model));
    if json {
        return print_json(&json!({
            "model": reply.model,
            "modelsListed": listed,
            "milliseconds": u64::try_from(took).unwrap_or(u64::MAX),
            "answer": text,
            "usage": { "input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens },
        }));
    }
    print_line(&format!(
        "{title} answered in {took} ms: {} ({} tokens read, {} written)",
        inert(text),
        usage.input_tokens,
        usage.output_tokens
    ))
}
