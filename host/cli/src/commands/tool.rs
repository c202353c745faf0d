//! `chiton tool`

use super::{look, print, print_json, print_line};
use crate::arguments::Tool;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::host::unknown_tool;
use crate::process;
use crate::request::{Reply, Request};
use crate::rows::{self, Rows};
use crate::settings::{Settings, current_directory};
use crate::terminal::progress::{self, COMPILING};
use crate::terminal::style::{Style, one_line};
use crate::tools::{self, Tools};
use chiton_sandbox::LoadedTool;
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, Read};
use std::path::Path;

/// Most bytes of arguments from standard input.
const MAX_ARGUMENTS: u64 = 4 << 20;

/// Lists, shows, calls, approves or revokes tools.
pub async fn run(command: Tool, json: bool) -> Result<(), Failure> {
    match command {
        Tool::List => list(json).await,
        Tool::Show { name } => show(&name, json).await,
        Tool::Call { name, arguments, grants } => {
            let grants = rows::parse_all(&grants.grant, &current_directory()?)?;
            let arguments = read_arguments(&arguments)?;
            call(Request::Call { tool: name, arguments, grants }, json).await
        }
        Tool::Approve { file, name, grants } => {
            let base = current_directory()?;
            let grants = grants.grant.iter().map(|grant| rows::absolute(grant, &base)).collect::<Result<_, _>>()?;
            // The file itself is what is approved and watched, not a link to it.
            let file = file.canonicalize().map_err(|error| {
                Failure::new(
                    Exit::NotFound,
                    format!("cannot read the component {}: {error}; check the path", file.display()),
                )
            })?;
            let name = name.unwrap_or_else(|| name_of(&file));
            approve(Request::Approve { name, file, grants }, json).await
        }
        Tool::Revoke { name } => {
            let door = Door::open(Settings::load()?).await?;
            let result = door.done(Request::Revoke { name: name.clone() }).await;
            door.close().await;
            let revoked = result?;
            match json {
                true => print_json(&revoked),
                false => print_line(&format!("revoked {name}")),
            }
        }
    }
}

async fn open() -> Result<(Tools, Rows), Failure> {
    let settings = Settings::load()?;
    let store = look(&settings)?;
    let opening = Tools::open(&settings, store.as_ref(), tools::no_audit());
    let tools = progress::while_slow(COMPILING, opening).await?;
    for notice in &tools.notices {
        eprintln!("warning: {notice}");
    }
    Ok((tools, Rows::read(&settings, store.as_ref()).await?))
}

async fn list(json: bool) -> Result<(), Failure> {
    let (tools, rows) = open().await?;
    let snapshot = tools.sandbox.snapshot();
    if json {
        let all: Vec<_> = snapshot.iter().map(|tool| described(tool, &rows)).collect();
        return print_json(&all.into());
    }
    let width = snapshot.iter().map(|tool| tool.definition.name.len()).max().unwrap_or_default();
    for tool in snapshot.iter() {
        let name = format!("{:width$}", tool.definition.name);
        let first = tool.definition.description.lines().next().unwrap_or_default();
        print_line(&format!("{}  {}  {}", Style::Bold.paint(name), tool.slot, Style::Dim.paint(one_line(first, 90))))?;
    }
    Ok(())
}

async fn show(name: &str, json: bool) -> Result<(), Failure> {
    let (tools, rows) = open().await?;
    let snapshot = tools.sandbox.snapshot();
    let meant = |tool: &&std::sync::Arc<LoadedTool>| tool.definition.name == name || tool.slot == name;
    let found: Vec<_> = snapshot.iter().filter(meant).collect();
    if found.is_empty() {
        return Err(unknown_tool(name, snapshot.nearest(name)));
    }
    if json {
        let all: Vec<_> = found.iter().map(|tool| described(tool, &rows)).collect();
        return match all.as_slice() {
            [one] => print_json(one),
            _ => print_json(&all.into()),
        };
    }
    for (index, tool) in found.iter().enumerate() {
        let effects: Vec<_> = tool.definition.effects.names().collect();
        let effects = if effects.is_empty() { "none".to_owned() } else { effects.join(", ") };
        let grants = rows.described(&tool.slot).join(", ");
        let grants = if grants.is_empty() { "nothing" } else { &grants };
        let gap = if index > 0 { "\n" } else { "" };
        print_line(&format!(
            "{gap}{}\n{}\n\ncomponent  {} {}\neffects    {effects}\ngrants     {grants}\narguments  {:#}",
            Style::Bold.paint(&tool.definition.name),
            tool.definition.description,
            tool.slot,
            tool.component.digest(),
            tool.definition.parameters,
        ))?;
    }
    Ok(())
}

fn described(tool: &LoadedTool, rows: &Rows) -> Value {
    json!({
        "name": tool.definition.name,
        "component": tool.slot,
        "description": tool.definition.description,
        "effects": tool.definition.effects.names().collect::<Vec<_>>(),
        "grants": rows.described(&tool.slot),
        "digest": tool.component.digest(),
        "imports": tool.component.imports(),
        "parameters": tool.definition.parameters,
    })
}

fn read_arguments(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut input = String::new();
    let text = match text {
        "-" => {
            std::io::stdin().lock().take(MAX_ARGUMENTS).read_to_string(&mut input)?;
            input.as_str()
        }
        text => text,
    };
    let wrong = |reason: String| {
        Failure::new(
            Exit::Usage,
            format!("the arguments are not a JSON object: {reason}; write them such as '{{\"path\": \"notes.md\"}}'"),
        )
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(wrong("they are another JSON value".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

async fn call(request: Request, json: bool) -> Result<(), Failure> {
    if process::is_root() {
        eprintln!("{}", process::ROOT_WARNING);
    }
    let door = Door::open(Settings::load()?).await?;
    let result = tokio::select! {
        result = called(&door, request) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Exit::Cancelled, "the call was cancelled")),
    };
    door.close().await;
    let outcome = result?;
    match json {
        true => print_json(&outcome),
        false => print_parts(&outcome),
    }
}

async fn called(door: &Door, request: Request) -> Result<Value, Failure> {
    let bar = std::io::stderr().is_terminal().then(|| progress::spinner("running"));
    let mut replies = door.ask(request).await?;
    let mut result = Err(door::ended(&"it closed the connection"));
    while let Some(reply) = replies.recv().await {
        match reply {
            Reply::Progress(text) => bar.iter().for_each(|bar| bar.set_message(text.clone())),
            Reply::Taken | Reply::Event(_) => {}
            Reply::Done(value) => result = Ok(value),
            Reply::Failed { exit, message } => result = Err(Failure { exit, message }),
        }
    }
    bar.iter().for_each(|bar| bar.finish_and_clear());
    result
}

/// Prints what a tool gave: as it is into a file or pipe, harmless on a terminal.
fn print_parts(outcome: &Value) -> Result<(), Failure> {
    let terminal = std::io::stdout().is_terminal();
    for missing in outcome["missing"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("chiton: {missing}");
    }
    for part in outcome["parts"].as_array().into_iter().flatten() {
        let text = match (&part["text"], part.get("json")) {
            (Value::String(text), _) => text.clone(),
            (_, Some(document)) => format!("{document:#}"),
            _ => format!("({}, {} bytes)", part["mime"].as_str().unwrap_or_default(), part["bytes"]),
        };
        let text = if terminal { chiton_agent::inert(&text).into_owned() } else { text };
        print(text.as_bytes())?;
        if !text.ends_with('\n') {
            print(b"\n")?;
        }
    }
    Ok(())
}

async fn approve(request: Request, json: bool) -> Result<(), Failure> {
    let door = Door::open(Settings::load()?).await?;
    let result = progress::while_slow("checking and compiling", door.done(request)).await;
    door.close().await;
    let approved = result?;
    if json {
        return print_json(&approved);
    }
    let list = |key: &str| {
        let items = approved[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(", ")
    };
    let grants = list("grants");
    let grants = if grants.is_empty() { "nothing" } else { &grants };
    print_line(&format!(
        "approved {} ({}): tools {}; may touch {grants}",
        approved["name"].as_str().unwrap_or_default(),
        approved["digest"].as_str().unwrap_or_default().get(..12).unwrap_or_default(),
        list("tools"),
    ))
}

/// The name of a component after its file.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    stem.replace(['_', ' ', '.'], "-")
}
