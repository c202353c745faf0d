//! `chiton grant`

use super::{look, print_json, print_line};
use crate::arguments::{Grant, GrantChange};
use crate::config::nearest;
use crate::door::Door;
use crate::exit::Failure;
use crate::host::unknown_tool;
use crate::request::Request;
use crate::rows::{self, Rows};
use crate::settings::{Settings, current_directory};
use crate::terminal::progress::{self, COMPILING};
use crate::tools::{self, Tools};
use serde_json::{Value, json};

/// Adds, removes or lists grants.
pub async fn run(command: Grant, json: bool) -> Result<(), Failure> {
    match command {
        Grant::List { tool } => list(tool, json).await,
        Grant::Add(GrantChange { tool, grant }) => {
            let grant = rows::absolute(&grant, &current_directory()?)?;
            change(Request::AddGrant { tool, grant }, json).await
        }
        Grant::Remove(GrantChange { tool, grant }) => {
            let base = current_directory()?;
            change(Request::RemoveGrant { tool, grant, base }, json).await
        }
    }
}

async fn change(request: Request, json: bool) -> Result<(), Failure> {
    let door = Door::open(Settings::load()?).await?;
    let result = door.done(request).await;
    door.close().await;
    let row = result?;
    match json {
        true => print_json(&row),
        false => print_row(&row),
    }
}

async fn list(tool: Option<String>, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let store = look(&settings)?;
    let rows = Rows::read(&settings, store.as_ref()).await?;
    let only = match tool {
        None => None,
        Some(name) if rows.get(&name).is_some() => Some(name),
        Some(name) => {
            let opening = Tools::open(&settings, store.as_ref(), tools::no_audit());
            let tools = progress::while_slow(COMPILING, opening).await?;
            let snapshot = tools.sandbox.snapshot();
            let names = rows.iter().map(|(name, _)| name.as_str());
            let near = snapshot.nearest(&name).or_else(|| nearest(&name, names));
            let found = snapshot.get(&name).map(|tool| tool.slot.clone());
            Some(found.ok_or_else(|| unknown_tool(&name, near))?)
        }
    };
    let wanted = rows.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == *name));
    let described: Vec<_> = wanted
        .map(|(name, row)| json!({"name": name, "grants": rows.described(name), "source": row.source.name()}))
        .collect();
    match json {
        true => print_json(&described.into()),
        false => described.iter().try_for_each(print_row),
    }
}

fn print_row(row: &Value) -> Result<(), Failure> {
    let name = row["name"].as_str().unwrap_or_default();
    let grants = row["grants"].as_array().map(Vec::as_slice).unwrap_or_default();
    if grants.is_empty() {
        return print_line(&format!("{name}: nothing"));
    }
    grants.iter().try_for_each(|grant| print_line(&format!("{name}: {}", grant.as_str().unwrap_or_default())))
}
