//! The programs of the shell inside the sandbox: those that are part of this program, and those that the owner added.

use crate::builtin::BuiltIn;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use chiton_sandbox::{ComponentBytes, Digest, Sandbox};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is kept of a program that the owner added, beside its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// The names that start it.
    pub names: Vec<String>,
    /// The digest of its bytes.
    pub digest: String,
}

/// Makes all programs known to the sandbox; the owner's take the place of those of the same name.
/// Returns what is wrong with any of them.
pub fn publish(sandbox: &Sandbox, settings: &Settings) -> Vec<String> {
    for program in BuiltIn::programs() {
        let names: Vec<String> = program.names.iter().map(|name| (*name).to_owned()).collect();
        sandbox.publish_program(&names, program.digest, Arc::new(|| program.bytes()));
    }
    let mut wrong = Vec::new();
    for (name, added) in added(settings) {
        let digest =
            added.and_then(|added| Ok((added.digest.parse::<Digest>().map_err(|error| error.to_string())?, added)));
        match digest {
            Ok((digest, added)) => {
                let file = bytes_of(settings, &name);
                sandbox.publish_program(&added.names, digest, Arc::new(move || std::fs::read(&file)));
            }
            Err(reason) => wrong.push(format!("the program '{name}' is not known: {reason}; add it again")),
        }
    }
    wrong
}

/// The programs that the owner added, sorted by name.
pub fn added(settings: &Settings) -> Vec<(String, Result<Added, String>)> {
    let files = std::fs::read_dir(settings.home.programs()).into_iter().flatten().flatten();
    let mut all: Vec<_> = files
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), read(&path))))
        .collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// The engines of scripts, each with the built-in component that is it; without one, the program that the owner added
/// under the engine's name.
const ENGINES: [(&str, Option<&str>); 2] = [("js", Some("js")), ("python", None)];

/// The digest and the bytes of an engine.
///
/// # Errors
/// When there is none of this name, with what to do.
pub fn engine(settings: &Settings, name: &str) -> Result<(Digest, ComponentBytes), String> {
    let Some((_, built_in)) = ENGINES.iter().find(|(engine, _)| *engine == name) else {
        let names = ENGINES.map(|(engine, _)| engine).join(", ");
        return Err(format!("there is no engine '{name}'; the engines are: {names}"));
    };
    if let Some(engine) = built_in.and_then(BuiltIn::named) {
        return Ok((engine.digest, Arc::new(|| engine.bytes())));
    }
    let missing = || {
        format!(
            "the engine '{name}' is not here; build it with `tools/programs/{name}/build.sh {name}.wasm` and add it \
             with `chiton program add {name}.wasm --name {name}`"
        )
    };
    let named = |(file, added): (String, Result<Added, String>)| {
        let added = added.ok().filter(|added| added.names.iter().any(|other| other == name))?;
        Some((added.digest.parse().ok()?, bytes_of(settings, &file)))
    };
    let (digest, file) = added(settings).into_iter().find_map(named).ok_or_else(missing)?;
    Ok((digest, Arc::new(move || std::fs::read(&file))))
}

fn read(path: &Path) -> Result<Added, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    toml::from_str(&text).map_err(|error| error.message().to_owned())
}

fn bytes_of(settings: &Settings, name: &str) -> PathBuf {
    settings.home.programs().join(format!("{name}.wasm"))
}

fn record_of(settings: &Settings, name: &str) -> PathBuf {
    settings.home.programs().join(format!("{name}.toml"))
}

/// Keeps a program and makes it known.
pub async fn add(sandbox: &Sandbox, settings: &Settings, bytes: Vec<u8>, names: Vec<String>) -> Result<Added, Failure> {
    let Some(name) = names.first().cloned() else {
        return Err(Failure::new(Exit::Usage, "a program needs a name; give one with --name"));
    };
    for name in &names {
        check_name(name)?;
    }
    let digest = Digest::of(&bytes);
    // What is refused is refused before anything is kept.
    sandbox.check_program(digest, bytes.clone()).await?;
    let added = Added { names, digest: digest.to_string() };
    let state = Failure::because(Exit::State);
    let record = toml::to_string(&added).map_err(|error| Failure::new(Exit::State, error))?;
    super::host::keep(&bytes_of(settings, &name), &bytes).map_err(state)?;
    super::host::keep(&record_of(settings, &name), record.as_bytes()).map_err(Failure::because(Exit::State))?;
    let file = bytes_of(settings, &name);
    sandbox.publish_program(&added.names, digest, Arc::new(move || std::fs::read(&file)));
    Ok(added)
}

/// Takes away a program that the owner added.
pub fn remove(sandbox: Option<&Sandbox>, settings: &Settings, name: &str) -> Result<(), Failure> {
    let record = record_of(settings, name);
    if !record.exists() {
        let built_in = BuiltIn::programs().any(|program| program.names.contains(&name));
        let message = match built_in {
            true => format!("'{name}' is part of Chiton and cannot be removed; add one of that name to replace it"),
            false => format!("there is no added program '{name}'; `chiton program list` shows all"),
        };
        return Err(Failure::new(Exit::NotFound, message));
    }
    std::fs::remove_file(record)?;
    std::fs::remove_file(bytes_of(settings, name)).ok();
    if let Some(sandbox) = sandbox {
        sandbox.remove_program(name);
        publish(sandbox, settings);
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._+-[".contains(letter);
    if (1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['-', '.']) {
        return Ok(());
    }
    let message = format!("'{name}' is no name for a program; give 1 to 64 letters, digits and . _ + - with --name");
    Err(Failure::new(Exit::Usage, message))
}
