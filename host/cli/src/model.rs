//! Which model answers: from the configuration to a provider.

use crate::config::{Config, Provider as Configured};
use crate::exit::{Exit, Failure};
use chiton_providers::{HttpProvider, Provider, ProviderError, ProviderOptions, VENDORS, Vendor};
use secrecy::SecretString;
use std::sync::Arc;

/// A model and who serves it.
#[derive(Clone)]
pub struct Model {
    /// Its provider.
    pub provider: Arc<dyn Provider>,
    /// Its name as the provider knows it.
    pub name: String,
}

impl Model {
    /// The provider and the model in one word.
    pub fn title(&self) -> String {
        let provider = self.provider.name();
        let own = self.name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
        format!("{provider}/{}", own.unwrap_or(&self.name))
    }
}

/// The configured model; none when no model is configured.
pub fn configured(config: &Config) -> Result<Option<Model>, Failure> {
    let Some(model) = &config.agents.defaults.model else {
        return Ok(None);
    };
    let wanted = config.agents.defaults.provider.as_str();
    let name = match wanted {
        "auto" => choose(config, model).ok_or_else(|| nobody_serves(model))?,
        wanted => known(config, wanted)?,
    };
    let provider = connect(&name, config.providers.get(&name), None)?;
    Ok(Some(Model { provider: Arc::new(provider), name: model.clone() }))
}

/// What to say where a model is needed and none is configured.
pub fn none_configured() -> Failure {
    Failure::new(
        Exit::Configuration,
        "no model is configured; run `chiton chat` in a terminal to choose one, or set agents.defaults.model with `chiton config set`",
    )
}

/// A client of provider `name` with what is configured for it, and `key` if it is given.
pub fn connect(
    name: &str,
    configured: Option<&Configured>,
    key: Option<SecretString>,
) -> Result<HttpProvider, ProviderError> {
    let base = configured.and_then(|provider| provider.api_base.clone()).unwrap_or_default();
    let key = key.or_else(|| key_of(name, configured));
    let mut options = ProviderOptions::new(name, base, key);
    if let Some(provider) = configured {
        let header = |(name, value): (&String, &SecretString)| (name.clone(), value.clone());
        options.extra_headers = provider.extra_headers.iter().map(header).collect();
        options.extra_body = provider.extra_body.clone();
    }
    HttpProvider::new(options)
}

/// The key: configured, or in the vendor's environment variable, which only the vendor itself is sent.
fn key_of(name: &str, configured: Option<&Configured>) -> Option<SecretString> {
    let elsewhere = configured.is_some_and(|provider| provider.api_base.is_some());
    let of_vendor = || Vendor::named(name).filter(|_| !elsewhere).and_then(environment_key);
    configured.and_then(|provider| provider.api_key.clone()).or_else(of_vendor)
}

fn environment_key(vendor: &Vendor) -> Option<SecretString> {
    let key = std::env::var(vendor.key_env).ok().filter(|key| !key.is_empty())?;
    Some(key.into())
}

/// The provider that is named, or the nearest name.
fn known(config: &Config, name: &str) -> Result<String, Failure> {
    if config.providers.contains_key(name) || Vendor::named(name).is_some() {
        return Ok(name.to_owned());
    }
    let configured = config.providers.keys().map(String::as_str);
    let names = configured.chain(VENDORS.iter().map(|vendor| vendor.name));
    let advice = match crate::config::nearest(name, names) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("set providers.{name}.apiBase to the address of its OpenAI-compatible API"),
    };
    Err(Failure::new(
        Exit::Configuration,
        format!("agents.defaults.provider is '{name}', which is not configured; {advice}"),
    ))
}

/// Whom to ask for a model when nobody is named: a configured provider that the name begins with,
/// the vendor of the model if its key is there, the first configured provider, then any vendor whose
/// key is in the environment, then a vendor that needs no key.
fn choose(config: &Config, model: &str) -> Option<String> {
    let prefix = model.split_once('/').map(|(prefix, _)| prefix);
    let usable = |vendor: &Vendor| {
        config.providers.contains_key(vendor.name) || (!vendor.key_env.is_empty() && environment_key(vendor).is_some())
    };
    let vendor = Vendor::of_model(model);
    let local = |vendor: &&Vendor| vendor.key_env.is_empty() && !vendor.base_url.is_empty();
    prefix
        .filter(|prefix| config.providers.contains_key(*prefix))
        .map(str::to_owned)
        .or_else(|| vendor.filter(|vendor| usable(vendor)).map(|vendor| vendor.name.to_owned()))
        .or_else(|| config.providers.keys().next().cloned())
        .or_else(|| {
            let keyed = VENDORS.iter().find(|vendor| !vendor.key_env.is_empty() && environment_key(vendor).is_some());
            keyed.map(|vendor| vendor.name.to_owned())
        })
        .or_else(|| vendor.filter(local).map(|vendor| vendor.name.to_owned()))
}

fn nobody_serves(model: &str) -> Failure {
    let advice = match Vendor::of_model(model) {
        Some(vendor) => format!("set {} or providers.{}.apiKey with `chiton config set`", vendor.key_env, vendor.name),
        None => "set providers.NAME.apiKey or providers.NAME.apiBase with `chiton config set`".to_owned(),
    };
    Failure::new(Exit::Configuration, format!("no provider is configured for the model '{model}'; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(config: serde_json::Value, model: &str) -> Option<String> {
        choose(&serde_json::from_value(config).unwrap(), model)
    }

    #[test]
    fn the_provider_follows_from_the_model_and_what_is_configured() {
        let two =
            serde_json::json!({"providers": {"mine": {"apiBase": "http://127.0.0.1:1/v1"}, "openai": {"apiKey": "k"}}});
        assert_eq!(chosen(two.clone(), "gpt-5").as_deref(), Some("openai"));
        assert_eq!(chosen(two.clone(), "mine/gpt-5").as_deref(), Some("mine"));
        assert_eq!(chosen(two, "unheard-of").as_deref(), Some("mine"));
        assert_eq!(chosen(serde_json::json!({}), "ollama/llama3").as_deref(), Some("ollama"));
    }

    #[test]
    fn an_unknown_provider_is_answered_with_the_nearest_name() {
        let refusal = known(&Config::default(), "opnai").unwrap_err();
        assert_eq!(refusal.exit, Exit::Configuration);
        assert!(refusal.message.ends_with("did you mean 'openai'?"), "{refusal}");
    }
}
