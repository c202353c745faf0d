//! What changes from one version of a skill to the next, in words: what it may touch first.

use crate::package::{INSTRUCTIONS, SIGNATURE};
use crate::words::words;
use crate::{Manifest, Package, inert};
use similar::TextDiff;
use std::time::Duration;

/// Most lines of the instructions that are shown.
const MOST_LINES: usize = 200;
/// Most letters of a line of the instructions, and of a description.
const MOST_LETTERS: usize = 300;
/// Longest time that lines are compared in detail.
const LONGEST: Duration = Duration::from_millis(200);

/// A tool as its code lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: String,
    /// What its calls may do, by the names of the contract.
    pub effects: Vec<String>,
}

/// One version of a skill.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its files.
    pub package: &'a Package,
    /// Its tools.
    pub tools: &'a [Tool],
    /// The key that signed it.
    pub signer: Option<&'a str>,
}

/// What changes, a line each, in harmless characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What it may touch.
    pub permissions: Vec<String>,
    /// Its tools.
    pub tools: Vec<String>,
    /// Version, signer, code and files.
    pub files: Vec<String>,
    /// The lines of its `SKILL.md`.
    pub instructions: Vec<String>,
    /// Whether it may touch more than before.
    pub wider: bool,
}

impl Difference {
    /// Everything, the most important first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.permissions, &self.tools, &self.files, &self.instructions];
        parts.into_iter().flatten().map(String::as_str)
    }
}

/// What changes from `old` to `new`.
#[must_use]
pub fn difference(old: Side, new: Side) -> Difference {
    let (before, after) = (old.package.asked(), new.package.asked());
    let (mut permissions, raised) = limits(old.package.manifest(), new.package.manifest());
    permissions.splice(0..0, grants(&before, &after));
    Difference {
        permissions,
        tools: tools(old.tools, new.tools),
        files: files(old, new),
        instructions: instructions(old.package, new.package),
        wider: raised || is_wider(&before, &after),
    }
}

/// Whether something in `new` goes beyond all of `old`. What cannot be compared counts as wider.
#[must_use]
pub fn is_wider(old: &[String], new: &[String]) -> bool {
    !new.iter().all(|row| old.iter().any(|given| covers(given, row)))
}

/// Whether one grant includes another for certain.
fn covers(given: &str, asked: &str) -> bool {
    let compared = || {
        let (kind, given) = given.split_once('=')?;
        let (other, asked) = asked.split_once('=')?;
        match kind {
            _ if kind != other => None,
            "files" => {
                let (folder, access) = given.rsplit_once(':')?;
                let (wanted, wish) = asked.rsplit_once(':')?;
                let bounded = access.contains(',');
                Some(below(folder, wanted) && (wish == "read" || !bounded && access.starts_with("write")))
            }
            "network" => {
                let (private, given) = private(given);
                let (near, asked) = self::private(asked);
                let (methods, place) = given.split_once(' ').unwrap_or(("", given));
                let (wishes, wanted) = asked.split_once(' ').unwrap_or(("", asked));
                let methods: Vec<_> = methods.split(',').collect();
                let allowed = methods == [""] || wishes.split(',').all(|wish| methods.contains(&wish));
                Some((private || !near) && allowed && below(place, wanted))
            }
            "programs" => Some(below_by(given, asked, ' ')),
            _ => None,
        }
    };
    given == asked || compared().unwrap_or(false)
}

fn private(value: &str) -> (bool, &str) {
    value.strip_prefix("private:").map_or((false, value), |rest| (true, rest))
}

fn below(folder: &str, wanted: &str) -> bool {
    below_by(folder.strip_suffix('/').unwrap_or(folder), wanted, '/')
}

fn below_by(start: &str, whole: &str, end: char) -> bool {
    whole.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(end))
}

fn grants(old: &[String], new: &[String]) -> Vec<String> {
    let added = new.iter().filter(|row| !old.contains(row)).map(|row| {
        let narrower = old.iter().any(|given| covers(given, row));
        let wider = old.iter().find(|given| !new.contains(given) && covers(row, given));
        match wider {
            _ if narrower => format!("narrower: it may {}", words(row)),
            Some(before) => format!("wider: it may {} (before: {})", words(row), words(before)),
            None => format!("new: it may {}", words(row)),
        }
    });
    let gone = old.iter().filter(|row| !new.iter().any(|kept| kept == *row || covers(kept, row)));
    let mut lines: Vec<_> = added.chain(gone.map(|row| format!("no longer: {}", words(row)))).collect();
    let order =
        |line: &String| ["new", "wider", "narrower"].iter().position(|word| line.starts_with(word)).unwrap_or(9);
    lines.sort_by_key(order);
    lines
}

/// Changed limits, and whether one is higher than before.
fn limits(old: Option<&Manifest>, new: Option<&Manifest>) -> (Vec<String>, bool) {
    let rows = |manifest: Option<&Manifest>| {
        let limits = manifest.map(|manifest| manifest.limits.clone()).unwrap_or_default();
        let size = |size: Option<crate::Size>| size.map(|size| (size.0, size.to_string()));
        let time = limits.time.map(|time| (time.0.as_millis() as u64, time.to_string()));
        [("memory", size(limits.memory)), ("time", time), ("result", size(limits.output))]
    };
    let (mut lines, mut raised) = (Vec::new(), false);
    for ((kind, before), (_, after)) in rows(old).into_iter().zip(rows(new)).filter(|(one, other)| one != other) {
        // Where none is given the usual one holds, which the host alone knows.
        raised |= after.is_some() && after > before;
        let told = |limit: Option<(u64, String)>| limit.map_or("the usual".to_owned(), |(_, text)| text);
        lines.push(format!("limit of {kind}: {} (before: {})", told(after), told(before)));
    }
    (lines, raised)
}

fn tools(old: &[Tool], new: &[Tool]) -> Vec<String> {
    let mut lines = Vec::new();
    let brief = |text: &str| inert::brief(text, MOST_LETTERS);
    for tool in new {
        let name = brief(&tool.name);
        let Some(before) = old.iter().find(|before| before.name == tool.name) else {
            lines.push(format!("new tool {name} ({}): {}", tool.effects.join(", "), brief(&tool.description)));
            continue;
        };
        if before.effects != tool.effects {
            let (now, then) = (tool.effects.join(", "), before.effects.join(", "));
            lines.push(format!("effects of tool {name}: {now} (before: {then})"));
        }
        if before.description != tool.description {
            let (now, then) = (brief(&tool.description), brief(&before.description));
            lines.push(format!("description of tool {name}: {now} (before: {then})"));
        }
        if before.parameters != tool.parameters {
            lines.push(format!("the arguments of tool {name} changed"));
        }
    }
    let gone = old.iter().filter(|before| new.iter().all(|tool| tool.name != before.name));
    lines.extend(gone.map(|tool| format!("tool {} is gone", brief(&tool.name))));
    lines
}

fn files(old: Side, new: Side) -> Vec<String> {
    let version = |side: Side| side.package.version().map_or("none".to_owned(), ToString::to_string);
    let signer = |side: Side| side.signer.map_or("nobody".to_owned(), |key| inert::brief(key, 80));
    let mut lines = Vec::new();
    for (kind, before, after) in [("version", version(old), version(new)), ("signed by", signer(old), signer(new))] {
        if before != after {
            lines.push(format!("{kind}: {after} (before: {before})"));
        }
    }
    if old.package.code() != new.package.code() {
        lines.push("its code changed".to_owned());
    }
    let (before, after) = (old.package.files(), new.package.files());
    let change = |place: &str| match (before.get(place), after.get(place)) {
        (None, Some(_)) => Some("new file"),
        (Some(_), None) => Some("removed file"),
        (old, new) if old != new => Some("changed file"),
        _ => None,
    };
    let places: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for place in places.into_iter().filter(|place| *place != SIGNATURE) {
        lines.extend(change(place).map(|kind| format!("{kind}: {}", inert::line(place))));
    }
    lines
}

fn instructions(old: &Package, new: &Package) -> Vec<String> {
    let text = |package: &Package| {
        let file = package.files().get(INSTRUCTIONS);
        file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default()
    };
    let (before, after) = (text(old), text(new));
    let compared = TextDiff::configure().timeout(LONGEST).diff_lines(&before, &after);
    let unified = compared.unified_diff().context_radius(1).to_string();
    let mut lines: Vec<_> = unified.lines().map(line_of).collect();
    let left_out = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    lines.extend((left_out > 0).then(|| format!("({left_out} more lines; read the file itself)")));
    lines
}

/// A line with its sign and its indent.
fn line_of(line: &str) -> String {
    let cut: String = line.chars().take(MOST_LETTERS).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    inert::line(&cut) + more
}
