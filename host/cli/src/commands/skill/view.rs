//! What skills there are, and what one may touch, did and was refused.

use super::super::{look, print, print_json, print_line};
use super::print_dialog;
use crate::bundled;
use crate::config::nearest;
use crate::dialog::number;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::request::Request;
use crate::rows::{self, Rows};
use crate::settings::Settings;
use crate::terminal::style::{Style, one_line};
use chiton_skills::inert::line;
use chiton_store::{SkillRow, SkillState, Store};
use serde_json::{Value, json};

/// How far back the view of a skill looks.
const DAYS: i64 = 30;
/// Most lines of what a skill did, and of what it was refused.
const LINES: usize = 12;

async fn versions(store: Option<&Store>) -> Result<Vec<SkillRow>, Failure> {
    match store {
        Some(store) => Ok(store.skills().await?),
        None => Ok(Vec::new()),
    }
}

/// Lists what runs, what waits, and what is bundled.
pub async fn list(json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let store = look(&settings)?;
    let rows = versions(store.as_ref()).await?;
    let off = &settings.config.agents.defaults.disabled_skills;
    let state = |row: &SkillRow| match row.state {
        SkillState::Active if off.contains(&row.name) => "off",
        state => state.as_str(),
    };
    let shown: Vec<_> = rows.iter().filter(|row| row.state != SkillState::Retired).collect();
    let bundled = bundled::all().iter().filter(|skill| !shown.iter().any(|row| row.name == skill.name));
    if json {
        let added = shown.iter().map(|row| json!({"name": row.name, "version": row.version, "state": state(row), "source": row.source, "digest": row.digest, "number": number(row)}));
        let bundled =
            bundled.map(|skill| json!({"name": skill.name, "state": "bundled", "description": skill.description}));
        return print_json(&added.chain(bundled).collect::<Vec<_>>().into());
    }
    for row in &shown {
        let advice = match row.state {
            SkillState::Waiting => format!("  `chiton skill approve {}`", number(row)),
            _ => String::new(),
        };
        let line = format!(
            "{:8} {} {}  from {}{advice}",
            state(row),
            Style::Bold.paint(&row.name),
            row.version,
            line(&row.source)
        );
        print_line(&line)?;
    }
    for skill in bundled {
        let line = format!(
            "{:8} {}  {}",
            "bundled",
            Style::Bold.paint(skill.name),
            Style::Dim.paint(one_line(skill.description, 80))
        );
        print_line(&line)?;
    }
    match shown.is_empty() {
        true => print_line(
            "No skills were added; `chiton skill add NAME` adds a bundled one, or one from a folder, an archive or a registry.",
        ),
        false => Ok(()),
    }
}

/// Shows one skill on one screen.
pub async fn show(name: &str, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let store = look(&settings)?;
    let rows = versions(store.as_ref()).await?;
    let own: Vec<&SkillRow> = rows.iter().filter(|row| row.name == name).collect();
    let (Some(store), Some(newest)) = (&store, own.last()) else {
        return Err(unknown(name, rows.iter().map(|row| row.name.as_str())));
    };
    let main = own.iter().find(|row| row.state == SkillState::Active).unwrap_or(newest);
    let grants = Rows::read(&settings, Some(store)).await?;
    let may = if main.state == SkillState::Active { grants.described(name) } else { Vec::new() };
    let since = jiff::Timestamp::now().as_millisecond() - DAYS * 86_400_000;
    let done = store.audit_summary(name, since).await?;
    let publisher = store.publisher(name).await?.unwrap_or_default();
    if json {
        let did = done.iter().map(|(operation, target, verdict, times)| json!({"operation": operation, "target": target, "verdict": verdict, "times": times}));
        return print_json(&json!({
            "name": name, "version": main.version, "state": main.state, "source": main.source, "digest": main.digest,
            "grants": may, "asked": rows::from_json(&main.asked_json), "publisher": publisher, "versions": own,
            "last30Days": did.collect::<Vec<_>>(),
        }));
    }
    let key = if publisher.key.is_empty() { "not signed".to_owned() } else { format!("signed with {}", publisher.key) };
    let mut text = format!(
        "{} {}  {}, from {}, {key}\n",
        Style::Bold.paint(name),
        main.version,
        main.state.as_str(),
        line(&main.source)
    );
    let words = may.iter().map(|grant| format!("{}  {}", chiton_skills::words(grant), Style::Dim.paint(grant)));
    section(&mut text, "It may:", words.collect(), "touch nothing");
    let lines = |denied: bool| {
        let meant = done.iter().filter(move |(_, _, verdict, _)| (verdict == "denied") == denied);
        let line = |(operation, target, verdict, times): &(String, String, String, u32)| {
            let verdict = if denied || verdict == "allowed" { String::new() } else { format!(", {verdict}") };
            format!("{times:5} x {operation} {}{verdict}", chiton_agent::inert(&one_line(target, 100)))
        };
        meant.map(line).take(LINES).collect::<Vec<_>>()
    };
    section(&mut text, &format!("In the last {DAYS} days it did:"), lines(false), "nothing");
    section(&mut text, "It was refused:", lines(true), "nothing");
    let version = |row: &&SkillRow| {
        format!("{:8} {}  {}", row.state.as_str(), row.version, row.digest.get(..12).unwrap_or_default())
    };
    section(&mut text, "Versions:", own.iter().map(version).collect(), "");
    print(text.as_bytes())
}

fn section(text: &mut String, title: &str, lines: Vec<String>, none: &str) {
    let lines = if lines.is_empty() { vec![none.to_owned()] } else { lines };
    text.push_str(&format!("{title}\n"));
    lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
}

/// Shows what the version that waits asks and changes.
pub async fn diff(name: &str, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let (name, _) = super::waiting(&settings, name).await?;
    let door = Door::open(settings).await?;
    let shown = door.done(Request::DescribeSkill { name }).await;
    door.close().await;
    let value: Value = shown?;
    if json {
        return print_json(&value);
    }
    let dialog = serde_json::from_value(value).map_err(|error| Failure::new(Exit::Failure, error))?;
    print_dialog(&dialog)
}

/// What to say when there is no such skill.
pub fn unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let advice = match nearest(name, names) {
        Some(near) => format!("did you mean '{near}'?"),
        None if bundled::named(name).is_some() => format!("it is bundled; add it with: chiton skill add {name}"),
        None => "`chiton skill list` shows all".to_owned(),
    };
    Failure::new(Exit::NotFound, format!("there is no skill '{name}'; {advice}"))
}
