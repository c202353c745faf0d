//! The first start: finds or asks for a model.

use crate::config::{self, Document, Provider as Configured};
use crate::exit::{Exit, Failure};
use crate::model;
use crate::settings::Settings;
use crate::terminal::style::Style;
use crate::terminal::{echo, progress};
use chiton_providers::{ChatRequest, LocalServer, ProviderError, VENDORS, Vendor, find_local_servers};
use secrecy::{ExposeSecret, SecretString};
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Models that are listed before the rest is only counted.
const LISTED: usize = 20;

/// What the owner chose.
pub enum Choice {
    /// A model, which is now configured.
    Model(Box<Settings>),
    /// To see the tour.
    Tour(Box<Settings>),
    /// To leave.
    Nothing,
}

/// A provider that the owner is about to use.
struct Candidate {
    name: String,
    base: Option<String>,
    key: Option<SecretString>,
}

/// Offers the servers on this machine, a provider with a key, or the tour.
pub fn choose(runtime: &Runtime, settings: Settings) -> Result<Choice, Failure> {
    println!("No model is configured yet.");
    let looking = progress::while_slow("looking for a model server on this machine", find_local_servers());
    let servers = runtime.block_on(looking);
    loop {
        for (index, server) in servers.iter().enumerate() {
            println!("  {}  use {}", index + 1, describe(server));
        }
        let next = servers.len() + 1;
        println!("  {next}  enter a provider and its key");
        println!("  {}  see the tour: a scripted demo of the sandbox, no model needed", next + 1);
        let answer = question("Choose a number, or Enter to leave: ")?;
        let chosen = match answer.parse::<usize>() {
            Err(_) if answer.is_empty() => return Ok(Choice::Nothing),
            Ok(number) if (1..next).contains(&number) => Some(of_server(&servers[number - 1])),
            Ok(number) if number == next => entered()?,
            Ok(number) if number == next + 1 => return Ok(Choice::Tour(Box::new(settings))),
            _ => {
                println!("There is no choice '{answer}'.");
                continue;
            }
        };
        let Some(candidate) = chosen else { continue };
        match runtime.block_on(try_out(&candidate)) {
            Ok(Some(model)) => return save(settings, candidate, &model),
            Ok(None) => {}
            Err(error) => println!("{}", Style::Bad.paint(error)),
        }
    }
}

/// The server, its models, and whose it is.
fn describe(server: &LocalServer) -> String {
    let me = rustix::process::geteuid().as_raw();
    let owner = match server.owner_uid {
        Some(uid) if uid == me => "run by you".to_owned(),
        Some(0) => "run by root".to_owned(),
        Some(uid) => format!("run by another user (uid {uid}), who can read what you write"),
        None => "run by a user that the system does not tell".to_owned(),
    };
    format!("{} at {}, {owner}: {}", server.vendor, server.base_url, short_list(&server.models))
}

fn short_list(models: &[String]) -> String {
    let shown: Vec<_> = models.iter().take(3).map(|model| chiton_agent::inert(model)).collect();
    match models.len() {
        0 => "no models".to_owned(),
        count if count > shown.len() => format!("{} and {} more", shown.join(", "), count - shown.len()),
        _ => shown.join(", "),
    }
}

fn of_server(server: &LocalServer) -> Candidate {
    Candidate { name: server.vendor.to_owned(), base: Some(server.base_url.clone()), key: None }
}

/// Asks for a provider and its key.
fn entered() -> Result<Option<Candidate>, Failure> {
    let names: Vec<_> = VENDORS.iter().map(|vendor| vendor.name).collect();
    println!("Known providers: {}. Any other name is an OpenAI-compatible server.", names.join(", "));
    let name = question("Provider: ")?;
    if name.is_empty() || name.contains(['.', '/']) || name.contains(char::is_whitespace) {
        println!("A provider's name is one word without dots and slashes.");
        return Ok(None);
    }
    let address = Vendor::named(&name).map(|vendor| vendor.base_url).unwrap_or_default();
    let base = match address {
        "" => Some(question("Address of its API, such as https://host/v1: ")?),
        _ => None,
    };
    let key = echo::ask_secret("Key (not shown; Enter for none): ")?;
    Ok(Some(Candidate { name, base, key: (!key.is_empty()).then(|| key.into()) }))
}

/// Lets the owner pick a model and asks it for one real completion. None if nothing was picked.
async fn try_out(candidate: &Candidate) -> Result<Option<String>, ProviderError> {
    let configured = Configured { api_base: candidate.base.clone(), ..Configured::default() };
    let provider = model::connect(&candidate.name, Some(&configured), candidate.key.clone())?;
    // A server that lists no models can still be told one.
    let models = progress::while_slow("asking for its models", provider.models()).await.unwrap_or_default();
    let Ok(model) = pick(&models) else { return Ok(None) };
    let Some(model) = model else { return Ok(None) };
    let message: Arc<str> = r#"{"role":"user","content":"Answer with the word: ready"}"#.into();
    let request = ChatRequest {
        model: &model,
        messages: &[message],
        tools: None,
        max_tokens: Some(256),
        temperature: None,
        extra_body: None,
    };
    let mut unheard = |_| {};
    let asking = provider.chat(request, &mut unheard);
    progress::while_slow("asking the model for an answer", asking).await?;
    println!("{} {model} answers.", Style::Good.paint("✓"));
    Ok(Some(model))
}

fn pick(models: &[String]) -> io::Result<Option<String>> {
    if let [only] = models {
        return Ok(Some(only.clone()));
    }
    for (index, model) in models.iter().take(LISTED).enumerate() {
        println!("  {}  {}", index + 1, chiton_agent::inert(model));
    }
    if models.len() > LISTED {
        println!("  … and {} more", models.len() - LISTED);
    }
    let answer = question("Model (number or name): ")?;
    let numbered = answer.parse::<usize>().ok().and_then(|number| models.get(number.checked_sub(1)?));
    Ok(match numbered {
        Some(model) => Some(model.clone()),
        None if answer.is_empty() => None,
        None => Some(answer),
    })
}

/// Writes what was tried into the configuration.
fn save(settings: Settings, candidate: Candidate, model: &str) -> Result<Choice, Failure> {
    let mut document: Document = settings.document;
    if document.comments {
        let message = format!(
            "{} has comments, which saving would remove; set agents.defaults.model and agents.defaults.provider there by hand",
            document.name()
        );
        return Err(Failure::new(Exit::Configuration, message));
    }
    let Candidate { name, base, key } = candidate;
    let key = key.map(|key| key.expose_secret().to_owned());
    let values = [
        (format!("providers.{name}.apiBase"), base),
        (format!("providers.{name}.apiKey"), key),
        ("agents.defaults.provider".to_owned(), Some(name)),
        ("agents.defaults.model".to_owned(), Some(model.to_owned())),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            config::set(&mut document, &key, value.into())?;
        }
    }
    println!("Saved in {}.", document.name());
    Ok(Choice::Model(Box::new(Settings::load()?)))
}

fn question(text: &str) -> io::Result<String> {
    print!("{text}");
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
