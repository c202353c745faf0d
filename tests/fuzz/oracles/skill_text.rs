//! Whatever a `SKILL.md` says, reading it and working out its needs ends in bounded time with harmless, bounded words.

use std::time::{Duration, Instant};

use crate::{File, Files, Needs, Package};

/// Longest time for one text.
const LONGEST: Duration = Duration::from_secs(20);
/// Most findings of each sort.
const MOST: usize = 201;

pub fn check(data: &[u8]) {
    let start = Instant::now();
    let file = || File { bytes: data.to_vec(), executable: false };
    let files: Files = [("SKILL.md".to_owned(), file()), ("run.sh".to_owned(), file())].into();
    let package = match Package::new("fuzz", files) {
        Ok(package) => package,
        Err(error) => return harmless(&error.to_string()),
    };
    harmless(&package.description());
    let needs = Needs::of(&package);
    assert!(needs.programs.len() < MOST + data.len() && needs.network.len() <= MOST && needs.secrets.len() <= MOST);
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    for refused in &needs.refused {
        assert!((1..=lines).contains(&refused.line), "{refused:?}");
        harmless(&refused.text);
    }
    let secrets = needs.secrets.iter().filter_map(|secret| secret.grant.as_deref());
    let shown = needs.programs.iter().chain(&needs.files).map(String::as_str);
    for text in shown.chain(needs.network.iter().map(String::as_str)).chain(secrets) {
        harmless(text);
    }
    assert!(start.elapsed() < LONGEST, "it took {:?}", start.elapsed());
}

fn harmless(text: &str) {
    let plain =
        text.chars().all(|letter| !letter.is_control() && !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{200b}'));
    assert!(plain && text.len() <= 8_000, "{text:?}");
}
