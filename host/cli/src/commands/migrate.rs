//! `chiton migrate`

use super::{look, print_json, print_line};
use crate::arguments::Migrate;
use crate::exit::Failure;
use crate::host::Host;
use crate::migrate::{self, Fate, Source, Target};
use crate::settings::{Settings, expand_home};
use crate::terminal::style::Style;
use serde_json::json;

/// Brings another bot over and says what became of each thing.
pub async fn run(command: Migrate, json: bool) -> Result<(), Failure> {
    let Migrate::Nanobot { from, dry_run } = command;
    let source = Source::open(&from.unwrap_or_else(|| expand_home("~/.nanobot")))?;
    let settings = Settings::load()?;
    let (skills, workspace, document) = (settings.home.skills(), settings.workspace.clone(), settings.document.clone());
    let (host, store) = if dry_run {
        (None, look(&settings)?)
    } else {
        let lock = settings.home.lock()?;
        let host = Host::open(settings, lock)?;
        let store = host.store().clone();
        (Some(host), Some(store))
    };
    let target = Target { skills, workspace, document, store, host };
    let report = migrate::nanobot(&source, &target).await;
    if let Some(host) = target.host {
        host.close().await;
    }
    let report = report?;
    if json {
        return print_json(&json!({ "dry_run": dry_run, "items": report }));
    }
    for item in report {
        let style = match item.fate {
            Fate::Brought => Style::Good,
            Fate::Kept => Style::Dim,
            Fate::Left => Style::Notice,
            Fate::Warning => Style::Bad,
        };
        let (what, why) = (chiton_agent::inert(&item.what), chiton_agent::inert(&item.why));
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        print_line(&format!("{}  {}{why}", style.paint(item.fate.words()), Style::Bold.paint(what)))?;
    }
    if dry_run { print_line("nothing was written; run it without --dry-run to bring this over") } else { Ok(()) }
}
