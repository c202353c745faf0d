//! Brings a NanoBot home over. The source is only read, and what is here already stays as it is.

mod files;
mod jobs;
mod sessions;
mod settings;
mod source;

pub use source::Source;

use crate::config::Document;
use crate::exit::Failure;
use crate::host::Host;
use chiton_store::Store;
use serde::Serialize;
use std::path::PathBuf;

/// Where everything goes.
pub struct Target {
    /// The folder of skills.
    pub skills: PathBuf,
    /// The directory that the bot works in.
    pub workspace: PathBuf,
    /// The configuration.
    pub document: Document,
    /// The durable state; none where there is no database yet.
    pub store: Option<Store>,
    /// Writes; none for a run that only looks.
    pub host: Option<Host>,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is here now.
    Brought,
    /// Something of that name was here already.
    Kept,
    /// It was not brought over.
    Left,
    /// It needs the owner's attention.
    Warning,
}

impl Fate {
    /// For a screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::Brought => "brought",
            Self::Kept => "kept",
            Self::Left => "not brought over",
            Self::Warning => "warning",
        }
    }
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub struct Item {
    /// What became of it.
    pub fate: Fate,
    /// The thing.
    pub what: String,
    /// Why, or what was brought; may be empty.
    pub why: String,
}

/// The report while it grows.
#[derive(Default)]
struct Report(Vec<Item>);

impl Report {
    fn add(&mut self, fate: Fate, what: impl Into<String>, why: impl Into<String>) {
        self.0.push(Item { fate, what: what.into(), why: why.into() });
    }

    /// What a text that was read becomes; what cannot be read is reported.
    fn read<T>(&mut self, what: &str, read: Result<Option<T>, String>) -> Option<T> {
        read.unwrap_or_else(|reason| {
            self.add(Fate::Left, what, reason);
            None
        })
    }
}

/// Brings a NanoBot home over and says what became of each thing.
pub async fn nanobot(source: &Source, target: &Target) -> Result<Vec<Item>, Failure> {
    let mut report = Report::default();
    let config = settings::read(source, &mut report);
    settings::bring(&config, target, &mut report)?;
    if let Some(workspace) = report.read("workspace", source.workspace(&config).map(Some)) {
        files::workspace(&workspace, target, &mut report)?;
        files::skills(&workspace, target, &mut report)?;
        files::history(&workspace, target, &mut report)?;
        jobs::bring(&workspace, &config, target, &mut report).await?;
    }
    sessions::bring(source, target, &mut report).await?;
    Ok(report.0)
}

/// The session that was `key` there.
fn session(key: &str) -> String {
    match key.strip_prefix("cli:") {
        Some("direct") => "terminal:default".to_owned(),
        Some(chat) => format!("terminal:{chat}"),
        None => key.to_owned(),
    }
}

/// ` (left out: N files)`, or nothing.
fn without(count: usize, what: &str) -> String {
    if count == 0 { String::new() } else { format!(" (left out: {count} {what})") }
}
