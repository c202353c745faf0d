//! `chiton config`

use super::{print_json, print_line};
use crate::arguments::Config as Command;
use crate::config::{self, Document};
use crate::exit::{Exit, Failure};
use crate::settings::open_home;
use crate::terminal::echo;
use chiton_store::HomeError;
use serde_json::Value;

/// Shows, changes or checks the configuration.
pub fn run(command: Command) -> Result<(), Failure> {
    if let Command::Schema = command {
        return print_json(&config::schema());
    }
    let home = open_home()?;
    let mut document = Document::read(&home.config())?;
    match command {
        Command::Get { key } => match config::get(&document, key.as_deref().unwrap_or_default())? {
            Value::String(text) => print_line(&text),
            value => print_json(&value),
        },
        Command::Set { key, value, force } => {
            set(&mut document, &key, value, force)?;
            if let Err(HomeError::Held { .. }) = home.lock() {
                eprintln!("the chiton that runs in this home uses it after its next start");
            }
            Ok(())
        }
        Command::Check => {
            document.config()?;
            print_line(&format!("{} is good", document.name()))
        }
        Command::Schema => Ok(()),
    }
}

fn set(document: &mut Document, key: &str, value: Option<String>, force: bool) -> Result<(), Failure> {
    if document.comments && !force {
        let file = document.name();
        let message = format!("{file} has comments, which would be lost; edit it by hand, or add --force to lose them");
        return Err(Failure::new(Exit::Configuration, message));
    }
    let value = match value {
        Some(value) if config::is_secret(key) && !harmless(&value) => {
            let message = format!(
                "a secret on the command line can be seen by other users; run `chiton config set {key}` and type it, or give a reference such as '${{NAME}}'"
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        Some(value) => value,
        None => echo::ask_secret(&format!("value of {key}: "))?,
    };
    if value.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("no value was given for {key}; `null` removes it")));
    }
    Ok(config::set(document, key, config::from_text(key, &value))?)
}

/// Whether a value says nothing secret: a reference or nothing.
fn harmless(value: &str) -> bool {
    value == "null" || config::is_reference(value)
}
