//! The commands: each reads its arguments, asks the host or looks into the home, and prints.

mod audit;
mod chat;
mod config;
mod cron;
mod doctor;
mod grant;
mod migrate;
mod program;
mod provider;
mod session;
mod setup;
mod skill;
mod tool;

use crate::arguments::{Arguments, Chat, Command};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::request::Request;
use crate::settings::Settings;
use chiton_store::{Store, StoreError};
use clap::CommandFactory;
use serde_json::Value;
use std::io::{self, Write};
use tokio::runtime::{Builder, Runtime};

/// Runs one command.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let json = arguments.json;
    match arguments.command.unwrap_or(Command::Chat(Chat::default())) {
        Command::Chat(chat) => chat::run(&runtime()?, chat, json),
        Command::Tool(tool) => runtime()?.block_on(tool::run(tool, json)),
        Command::Grant(grant) => runtime()?.block_on(grant::run(grant, json)),
        Command::Audit(filter) => runtime()?.block_on(audit::run(filter, json)),
        Command::Session(command) => runtime()?.block_on(session::run(command, json)),
        Command::Cron(command) => runtime()?.block_on(cron::run(command, json)),
        Command::Config(config) => config::run(config),
        Command::Migrate(command) => runtime()?.block_on(migrate::run(command, json)),
        Command::Doctor => runtime()?.block_on(doctor::run(json)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "chiton", &mut script);
            print(&script)
        }
        Command::Provider(command) => runtime()?.block_on(provider::run(command, json)),
        Command::Skill(command) => runtime()?.block_on(skill::run(command, json)),
        Command::Program(command) => runtime()?.block_on(program::run(command, json)),
        Command::Compile | Command::Native => Ok(()),
    }
}

fn runtime() -> Result<Runtime, Failure> {
    chiton_providers::install_tls();
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failure, format!("the program cannot start its threads: {error}")))
}

/// The store for looking only; none where there is no database yet.
fn look(settings: &Settings) -> Result<Option<Store>, Failure> {
    match Store::open_read_only(settings.home.database()) {
        Ok(store) => {
            for warning in store.warnings() {
                eprintln!("warning: {warning}");
            }
            Ok(Some(store))
        }
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks the host for a change and tells what it did.
async fn tell(request: Request, json: bool, words: impl Fn(&Value) -> String) -> Result<(), Failure> {
    let door = Door::open(Settings::load()?).await?;
    let result = door.done(request).await;
    door.close().await;
    let value = result?;
    match json {
        true => print_json(&value),
        false => print_line(&words(&value)),
    }
}

/// Writes to standard output. A reader who has seen enough is no failure.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints one line.
fn print_line(line: &str) -> Result<(), Failure> {
    print(format!("{line}\n").as_bytes())
}

/// Prints JSON for programs to read.
fn print_json(value: &Value) -> Result<(), Failure> {
    print_line(&format!("{value:#}"))
}
