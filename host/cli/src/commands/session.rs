//! `chiton session`

use super::{look, print, print_json, print_line, tell};
use crate::arguments::{Forget, Session};
use crate::exit::{Exit, Failure};
use crate::host::known;
use crate::request::Request;
use crate::settings::Settings;
use crate::terminal::style::{Style, one_line};
use crate::transcript;
use chiton_store::{Found, MessageRow, Scope, SessionRow, Store};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Lists, shows, searches, exports, imports, deletes or copies sessions.
pub async fn run(command: Session, json: bool) -> Result<(), Failure> {
    match command {
        Session::List => show(&sessions().await?, json, "no sessions yet", session_line),
        Session::Show { key, limit } => {
            let store = store(&key)?;
            known(&store, &key).await?;
            show(&store.read_messages(&key, None, limit).await?, json, "no messages", message_line)
        }
        Session::Search { words, session, limit } => {
            let scope = session.map_or(Scope::All, Scope::Session);
            let found = match look(&Settings::load()?)? {
                Some(store) => store.search(&words.join(" "), scope, limit).await?,
                None => Vec::new(),
            };
            show(&found, json, "nothing found", found_line)
        }
        Session::Export { key, file } => export(&key, file.as_deref()).await,
        Session::Import { file, key } => {
            let file = std::path::absolute(file)?;
            let told = |done: &Value| format!("imported {} messages into {}", done["messages"], text(&done["session"]));
            tell(Request::ImportSession { file, key }, json, told).await
        }
        Session::Fork { key, new } => {
            let told = |done: &Value| format!("copied {} turns into {}", done["turns"], text(&done["session"]));
            tell(Request::ForkSession { key, new }, json, told).await
        }
        Session::Delete(forget) => {
            confirm(&forget)?;
            let request = match forget {
                Forget { person: Some(sender), .. } => Request::DeletePerson { sender },
                Forget { key, .. } => Request::DeleteSession { key: key.unwrap_or_default() },
            };
            tell(request, json, removed).await
        }
    }
}

async fn sessions() -> Result<Vec<SessionRow>, Failure> {
    match look(&Settings::load()?)? {
        Some(store) => Ok(store.sessions().await?),
        None => Ok(Vec::new()),
    }
}

/// The store for looking at a session.
fn store(key: &str) -> Result<Store, Failure> {
    let none = || Failure::new(Exit::NotFound, format!("there is no session '{key}'; there are none yet"));
    look(&Settings::load()?)?.ok_or_else(none)
}

async fn export(key: &str, file: Option<&Path>) -> Result<(), Failure> {
    let store = store(key)?;
    let state = known(&store, key).await?;
    let lines = transcript::write(key, &state, &store.export(key).await?)?;
    let Some(file) = file else { return print(lines.as_bytes()) };
    let unwritten = |error| Failure::new(Exit::Failure, format!("cannot write {}: {error}", file.display()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut made| made.write_all(lines.as_bytes())).map_err(unwritten)
}

/// Nothing is deleted that nobody confirmed.
fn confirm(Forget { key, person, yes }: &Forget) -> Result<(), Failure> {
    if *yes {
        return Ok(());
    }
    let what = match (key, person) {
        (_, Some(sender)) => format!("everything of '{sender}'"),
        (key, None) => format!("the session '{}'", key.as_deref().unwrap_or_default()),
    };
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, format!("nobody can confirm that {what} is deleted; add --yes")));
    }
    eprint!("Delete {} for good? [y/N] ", chiton_agent::inert(&what));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Denied, "nothing was deleted")),
    }
}

fn show<T: Serialize>(rows: &[T], json: bool, none: &str, line: impl Fn(&T) -> String) -> Result<(), Failure> {
    match rows {
        _ if json => print_json(&json!(rows)),
        [] => print_line(none),
        _ => rows.iter().try_for_each(|row| print_line(&line(row))),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn removed(done: &Value) -> String {
    let sessions: Vec<&str> = done["sessions"].as_array().into_iter().flatten().map(text).collect();
    let whole = if sessions.is_empty() { "no whole session".to_owned() } else { sessions.join(", ") };
    format!("deleted {} messages and {}, with all that belonged to them", done["messages"], chiton_agent::inert(&whole))
}

fn time(at: i64) -> String {
    let time = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
    Style::Dim.paint(time.strftime("%Y-%m-%d %H:%M"))
}

fn session_line(row: &SessionRow) -> String {
    let waiting = if row.waiting > 0 { format!(", {} waiting", row.waiting) } else { String::new() };
    let key = chiton_agent::inert(&row.session);
    format!("{}  {}  {} turns{waiting}", time(row.updated_at), Style::Bold.paint(key), row.turns)
}

fn message_line(row: &MessageRow) -> String {
    format!("{}  {:9}  {}", time(row.at_ms), row.role, one_line(&chiton_agent::inert(&row.text), 2_000))
}

fn found_line(found: &Found) -> String {
    let (key, snippet) = (chiton_agent::inert(&found.session), chiton_agent::inert(&found.snippet));
    format!("{}  {:9}  {snippet}  {}", time(found.at_ms), found.role, Style::Dim.paint(format!("[{key}]")))
}
