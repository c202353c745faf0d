//! Which models answer: from the configuration to providers.

use crate::config::{Config, FallbackModel, Preset, Price as Configured, Provider as ProviderKeys, nearest};
use crate::exit::{Exit, Failure};
use chiton_providers::{
    Fallback, Model, Models, Price, Provider, ProviderError, ProviderOptions, VENDORS, Vendor, title,
};
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The provider that means: whoever serves the model.
const AUTO: &str = "auto";

/// The models that the configuration offers.
pub struct Catalogue {
    providers: BTreeMap<String, ProviderKeys>,
    presets: BTreeMap<String, Preset>,
    prices: BTreeMap<String, Configured>,
    /// The provider that is asked for models which point to none.
    usual: Option<String>,
    /// The model that is used where none is chosen.
    default: Option<Arc<Model>>,
    /// Whom to ask when a model fails.
    fallbacks: Vec<Arc<Model>>,
    /// One client of each provider, so that all its models share connections and translations.
    connected: Mutex<HashMap<String, Arc<dyn Provider>>>,
}

impl Catalogue {
    /// Reads the configuration and resolves the models that it names.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let defaults = &config.agents.defaults;
        let mut catalogue = Self {
            providers: config.providers.clone(),
            presets: config.model_presets.clone(),
            prices: config.prices.clone(),
            usual: Some(defaults.provider.clone()).filter(|name| name != AUTO),
            default: None,
            fallbacks: Vec::new(),
            connected: Mutex::default(),
        };
        catalogue.check_values()?;
        catalogue.default = match (&defaults.model_preset, &defaults.model) {
            (Some(name), _) => {
                let unknown = || no_preset("agents.defaults.modelPreset", name, &catalogue.presets);
                Some(catalogue.model(Some(name), catalogue.presets.get(name).ok_or_else(unknown)?)?)
            }
            (None, Some(model)) => {
                let provider = Some(defaults.provider.clone());
                Some(catalogue.model(None, &Preset { model: model.clone(), provider, ..Preset::default() })?)
            }
            (None, None) => None,
        };
        let fallbacks = defaults.fallback_models.iter().map(|fallback| match fallback {
            FallbackModel::Named(name) => catalogue.find(name),
            FallbackModel::Inline(preset) => catalogue.model(None, preset),
        });
        catalogue.fallbacks = fallbacks.collect::<Result<_, _>>()?;
        Ok(catalogue)
    }

    /// The model of that name alone: a preset, `PROVIDER/MODEL`, or a model.
    pub fn find(&self, name: &str) -> Result<Arc<Model>, Failure> {
        if let Some(preset) = self.presets.get(name) {
            return self.model(Some(name), preset);
        }
        // A word that points to no vendor is rather a preset that was misspelt than a model.
        if Vendor::of_model(name).is_none() && nearest(name, self.presets.keys().map(String::as_str)).is_some() {
            return Err(no_preset("the model", name, &self.presets));
        }
        self.model(None, &Preset { model: name.to_owned(), ..Preset::default() })
    }

    /// The configured model alone.
    pub fn default(&self) -> Option<&Arc<Model>> {
        self.default.as_ref()
    }

    /// A client of the provider of that name.
    pub fn provider(&self, name: &str) -> Result<Arc<dyn Provider>, Failure> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = connected.get(name) {
            return Ok(provider.clone());
        }
        let provider = connect(name, self.providers.get(name), None)?;
        connected.insert(name.to_owned(), provider.clone());
        Ok(provider)
    }

    /// Is there a provider of that name?
    pub fn has_provider(&self, name: &str) -> bool {
        self.providers.contains_key(name) || Vendor::named(name).is_some()
    }

    fn model(&self, named: Option<&str>, preset: &Preset) -> Result<Arc<Model>, Failure> {
        let wanted = preset.provider.as_deref().filter(|name| *name != AUTO);
        let name = match wanted {
            Some(wanted) if self.has_provider(wanted) => wanted.to_owned(),
            Some(wanted) => return Err(self.no_provider(wanted)),
            None => self.choose(&preset.model).ok_or_else(|| self.nobody_serves(&preset.model))?,
        };
        let title = title(&name, &preset.model);
        Ok(Arc::new(Model {
            provider: self.provider(&name)?,
            name: preset.model.clone(),
            max_tokens: preset.max_tokens.map(u32::from),
            temperature: preset.temperature,
            context_window_tokens: preset.context_window_tokens.map(u32::from),
            price: self.price(&title),
            title: named.map_or(title, str::to_owned),
        }))
    }

    /// The same model, which gives way to the others when it fails.
    fn with_fallbacks(&self, model: Arc<Model>) -> Arc<Model> {
        let others = self.fallbacks.iter().filter(|other| other.title != model.title).cloned().collect::<Vec<_>>();
        if others.is_empty() {
            return model;
        }
        Arc::new(Model { provider: Arc::new(Fallback::new(model.clone(), others)), ..Model::clone(&model) })
    }

    /// Whom to ask for a model when nobody is named, the first of: a configured provider that the name begins with,
    /// the vendor of the model if it can be used, the usual provider, a configured server on this machine, any
    /// configured provider, any vendor whose key is in the environment, the vendor if it needs no key.
    fn choose(&self, model: &str) -> Option<String> {
        let configured = |name: &str| self.providers.contains_key(name);
        let keyed = |vendor: &&Vendor| environment_key(vendor).is_some();
        let vendor = Vendor::of_model(model);
        let name = |vendor: &'static Vendor| vendor.name;
        let local = self.providers.iter().find(|(name, keys)| is_local(name, keys)).map(|(name, _)| name.as_str());
        let prefix = model.split_once('/').map(|(prefix, _)| prefix).filter(|prefix| configured(prefix));
        let chosen = prefix
            .or_else(|| vendor.filter(|vendor| configured(vendor.name) || keyed(vendor)).map(name))
            .or(self.usual.as_deref())
            .or(local)
            .or_else(|| self.providers.keys().next().map(String::as_str))
            .or_else(|| VENDORS.iter().find(keyed).map(name))
            .or_else(|| vendor.filter(|vendor| vendor.is_local()).map(name));
        chosen.map(str::to_owned)
    }

    fn no_provider(&self, name: &str) -> Failure {
        let names = self.providers.keys().map(String::as_str).chain(VENDORS.iter().map(|vendor| vendor.name));
        let advice = match nearest(name, names) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("set providers.{name}.apiBase to the address of its OpenAI-compatible API"),
        };
        Failure::new(Exit::Configuration, format!("the provider '{name}' is not configured; {advice}"))
    }

    fn nobody_serves(&self, model: &str) -> Failure {
        let prefix = model.split_once('/').map(|(prefix, _)| prefix);
        let advice = match (Vendor::of_model(model), prefix) {
            (Some(vendor), _) => {
                format!("set {} or providers.{}.apiKey with `chiton config set`", vendor.key_env, vendor.name)
            }
            (None, Some(prefix)) => return self.no_provider(prefix),
            (None, None) => "set providers.NAME.apiKey or providers.NAME.apiBase with `chiton config set`".to_owned(),
        };
        Failure::new(Exit::Configuration, format!("no provider is configured for the model '{model}'; {advice}"))
    }

    /// Values that their types allow and that make no sense.
    fn check_values(&self) -> Result<(), Failure> {
        let wrong = |key: String, rule: &str| {
            Err(Failure::new(Exit::Configuration, format!("the value of '{key}' is wrong: it must be {rule}")))
        };
        for (name, preset) in &self.presets {
            if preset.model.is_empty() {
                return wrong(format!("modelPresets.{name}.model"), "the name of a model");
            }
            if preset.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
                return wrong(format!("modelPresets.{name}.temperature"), "between 0 and 2");
            }
        }
        let negative = |price: &Configured| {
            [price.input, price.output, price.cached.unwrap_or(0.0)].iter().any(|cost| *cost < 0.0)
        };
        match self.prices.iter().find(|(_, price)| negative(price)) {
            Some((name, _)) => wrong(format!("prices.{name}"), "0 or more dollars for a million tokens"),
            None => Ok(()),
        }
    }
}

impl Models for Catalogue {
    fn named(&self, name: Option<&str>) -> Result<Arc<Model>, String> {
        let model = match name {
            Some(name) => self.find(name),
            None => self.default.clone().ok_or_else(none_configured),
        };
        model.map(|model| self.with_fallbacks(model)).map_err(|failure| failure.message)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let models = self.default.iter().chain(&self.fallbacks).map(|model| &model.title);
        for name in models.clone().take(1).chain(self.presets.keys()).chain(models) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn price(&self, title: &str) -> Option<Price> {
        let model = title.split_once('/').map_or(title, |(_, model)| model);
        let configured = self.prices.get(title).or_else(|| self.prices.get(model));
        let price = |price: &Configured| Price {
            input: price.input,
            cached: price.cached.unwrap_or(price.input),
            output: price.output,
        };
        configured.map(price).or_else(|| Price::known(title))
    }
}

/// The configured model, which gives way to the configured fallbacks; none when no model is configured.
pub fn configured(config: &Config) -> Result<Option<Arc<Model>>, Failure> {
    let catalogue = Catalogue::new(config)?;
    Ok(catalogue.default.clone().map(|model| catalogue.with_fallbacks(model)))
}

/// What to say where a model is needed and none is configured.
pub fn none_configured() -> Failure {
    Failure::new(
        Exit::Configuration,
        "no model is configured; run `chiton chat` in a terminal to choose one, or set agents.defaults.model with `chiton config set`",
    )
}

fn no_preset(what: &str, name: &str, presets: &BTreeMap<String, Preset>) -> Failure {
    let advice = match nearest(name, presets.keys().map(String::as_str)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("set modelPresets.{name}.model to a model"),
    };
    Failure::new(Exit::Configuration, format!("{what} '{name}' is no preset; {advice}"))
}

/// A client of provider `name` with what is configured for it, and `key` if it is given.
pub fn connect(
    name: &str,
    configured: Option<&ProviderKeys>,
    key: Option<SecretString>,
) -> Result<Arc<dyn Provider>, ProviderError> {
    let base = configured.and_then(|provider| provider.api_base.clone()).unwrap_or_default();
    let key = key.or_else(|| key_of(name, configured).map(|(_, key)| key));
    let mut options = ProviderOptions::new(name, base, key);
    if let Some(provider) = configured {
        let header = |(name, value): (&String, &SecretString)| (name.clone(), value.clone());
        options.extra_headers = provider.extra_headers.iter().map(header).collect();
        options.extra_body = provider.extra_body.clone();
    }
    chiton_providers::connect(options)
}

/// The key and where it is from: configured, or in the vendor's environment variable, which only the vendor itself
/// is sent.
pub fn key_of(name: &str, configured: Option<&ProviderKeys>) -> Option<(&'static str, SecretString)> {
    let elsewhere = configured.is_some_and(|provider| provider.api_base.is_some());
    let vendor = Vendor::named(name).filter(|_| !elsewhere);
    let of_vendor = || vendor.and_then(|vendor| Some((vendor.key_env, environment_key(vendor)?)));
    configured.and_then(|provider| provider.api_key.clone()).map(|key| ("configuration", key)).or_else(of_vendor)
}

fn environment_key(vendor: &Vendor) -> Option<SecretString> {
    let name = Some(vendor.key_env).filter(|name| !name.is_empty())?;
    let key = std::env::var(name).ok().filter(|key| !key.is_empty())?;
    Some(key.into())
}

/// Is the provider a server on this machine?
fn is_local(name: &str, keys: &ProviderKeys) -> bool {
    let Some(base) = &keys.api_base else { return Vendor::named(name).is_some_and(Vendor::is_local) };
    let host = url::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn catalogue(config: Value) -> Result<Catalogue, Failure> {
        Catalogue::new(&serde_json::from_value(config).unwrap())
    }

    fn chosen(config: Value, model: &str) -> Option<String> {
        catalogue(config).unwrap().choose(model)
    }

    #[test]
    fn the_provider_follows_from_the_model_and_what_is_configured() {
        let three = json!({"providers": {
            "deepseek": {"apiKey": "k"}, "mine": {"apiBase": "http://127.0.0.1:1/v1"}, "openai": {"apiKey": "k"},
        }});
        assert_eq!(chosen(three.clone(), "gpt-5").as_deref(), Some("openai"));
        assert_eq!(chosen(three.clone(), "mine/gpt-5").as_deref(), Some("mine"));
        assert_eq!(chosen(three.clone(), "unheard-of").as_deref(), Some("mine"));
        let mut usual = three;
        usual["agents"] = json!({"defaults": {"provider": "deepseek"}});
        assert_eq!(chosen(usual.clone(), "unheard-of").as_deref(), Some("deepseek"));
        assert_eq!(chosen(usual, "gpt-5").as_deref(), Some("openai"));
        assert_eq!(chosen(json!({}), "ollama/llama3").as_deref(), Some("ollama"));
    }

    fn refusal(config: Value) -> String {
        let failure = catalogue(config).err().unwrap();
        assert_eq!(failure.exit, Exit::Configuration);
        failure.message
    }

    #[test]
    fn what_is_unknown_is_answered_with_the_nearest_name() {
        let defaults = |defaults: Value| json!({"agents": {"defaults": defaults}, "modelPresets": {"fast": {"model": "ollama/a"}}});
        let provider = refusal(defaults(json!({"model": "x", "provider": "opnai"})));
        assert!(provider.ends_with("did you mean 'openai'?"), "{provider}");
        let preset = refusal(defaults(json!({"modelPreset": "fsat"})));
        assert!(preset.ends_with("did you mean 'fast'?"), "{preset}");
        let fallback = refusal(defaults(json!({"model": "ollama/x", "fallbackModels": ["olama/b"]})));
        assert!(fallback.ends_with("did you mean 'ollama'?"), "{fallback}");
        let named = catalogue(defaults(json!({}))).unwrap().named(Some("fats")).err().unwrap();
        assert!(named.ends_with("did you mean 'fast'?"), "{named}");
    }

    #[test]
    fn presets_and_models_are_named_with_their_settings_and_the_default_is_first() {
        let models = catalogue(json!({
            "agents": {"defaults": {"modelPreset": "fast", "fallbackModels": [
                "fast", "vllm/b", {"model": "c", "provider": "lmstudio", "maxTokens": 5},
            ]}},
            "modelPresets": {
                "deep": {"model": "org/d", "provider": "ollama", "temperature": 0.5},
                "fast": {"model": "ollama/a", "maxTokens": 9, "contextWindowTokens": 8000},
            },
        }))
        .unwrap();
        assert_eq!(models.names(), ["fast", "deep", "vllm/b", "lmstudio/c"]);
        let fast = models.named(None).unwrap();
        assert_eq!((fast.title.as_str(), fast.name.as_str(), fast.max_tokens), ("fast", "ollama/a", Some(9)));
        assert_eq!((fast.provider.name(), fast.context_window_tokens), ("ollama", Some(8_000)));
        let deep = models.named(Some("deep")).unwrap();
        assert_eq!((deep.provider.name(), deep.name.as_str(), deep.temperature), ("ollama", "org/d", Some(0.5)));
        assert_eq!(models.named(Some("vllm/b")).unwrap().title, "vllm/b");
    }

    #[test]
    fn a_configured_price_comes_before_the_known_one_and_an_unknown_one_is_none() {
        let models = catalogue(json!({"prices": {"gpt-5": {"input": 1, "output": 2}}})).unwrap();
        let price = models.price("openai/gpt-5").unwrap();
        assert_eq!((price.input, price.cached, price.output), (1.0, 1.0, 2.0));
        assert_eq!(models.price("openai/gpt-5-mini").unwrap().input, 0.25);
        assert_eq!(models.price("ollama/llama3"), None);
        assert!(refusal(json!({"prices": {"m": {"input": -1, "output": 2}}})).contains("prices.m"));
    }
}
