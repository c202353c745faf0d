//! `chiton program`

use super::{print_json, print_line};
use crate::arguments::Program;
use crate::builtin::BuiltIn;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::programs;
use crate::request::Request;
use crate::settings::Settings;
use crate::terminal::style::Style;
use serde_json::{Value, json};
use std::path::Path;

/// Lists, adds or removes programs.
pub async fn run(command: Program, json: bool) -> Result<(), Failure> {
    match command {
        Program::List => list(json),
        Program::Add { file, name } => {
            let file = file.canonicalize().map_err(|error| {
                Failure::new(
                    Exit::NotFound,
                    format!("cannot read the program {}: {error}; check the path", file.display()),
                )
            })?;
            let names = if name.is_empty() { vec![name_of(&file)] } else { name };
            let added = done(Request::AddProgram { file, names }).await?;
            match json {
                true => print_json(&added),
                false => print_line(&format!("added {}", joined(&added["names"]))),
            }
        }
        Program::Remove { name } => {
            let removed = done(Request::RemoveProgram { name: name.clone() }).await?;
            match json {
                true => print_json(&removed),
                false => print_line(&format!("removed {name}")),
            }
        }
    }
}

async fn done(request: Request) -> Result<Value, Failure> {
    let door = Door::open(Settings::load()?).await?;
    let result = door.done(request).await;
    door.close().await;
    result
}

fn list(json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let mut all: Vec<Value> = BuiltIn::programs()
        .map(|program| json!({"name": program.name, "names": program.names, "source": "built-in"}))
        .collect();
    for (name, added) in programs::added(&settings) {
        all.push(match added {
            Ok(added) => json!({"name": name, "names": added.names, "source": "owner", "digest": added.digest}),
            Err(reason) => json!({"name": name, "names": [], "source": "owner", "error": reason}),
        });
    }
    if json {
        return print_json(&all.into());
    }
    for program in &all {
        let what = program["error"]
            .as_str()
            .map_or_else(|| joined(&program["names"]), |error| format!("cannot be used: {error}"));
        let source = program["source"].as_str().unwrap_or_default();
        let name = program["name"].as_str().unwrap_or_default();
        print_line(&format!("{}  {}  {what}", Style::Bold.paint(format!("{name:10}")), Style::Dim.paint(source)))?;
    }
    Ok(())
}

fn joined(names: &Value) -> String {
    names.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// The file's name, without what follows the first dot.
fn name_of(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}
