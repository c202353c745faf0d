//! A command that the rules accept is covered by its grant, has no option that starts programs, and names no file
//! outside the granted directories: derived again from the words alone.
//! The input is a grant and the words of a command, one a line.

use std::path::Path;

use crate::{Directory, ProgramGrant, arguments, rules};

/// Programs that run what they are told.
const RUNNERS: [&str; 14] =
    ["sh", "bash", "dash", "env", "python", "perl", "node", "sudo", "xargs", "vim", "ssh", "make", "find", "busybox"];
/// Subcommands of git that start programs or reach others.
const SUBCOMMANDS: [&str; 14] = [
    "archive",
    "bisect",
    "clone",
    "config",
    "difftool",
    "fetch",
    "filter-branch",
    "hook",
    "mergetool",
    "pull",
    "push",
    "rebase",
    "remote",
    "submodule",
];
/// Options of git that start programs or lead elsewhere.
const OPTIONS: [&str; 9] = [
    "--exec-path",
    "--ext-diff",
    "--git-dir",
    "--gpg-sign",
    "--open-files-in-pager",
    "--output",
    "--template",
    "--textconv",
    "--work-tree",
];
/// Options of git behind which text stands.
const TEXT: [&str; 18] = [
    "-m",
    "--message",
    "--grep",
    "--author",
    "--committer",
    "--format",
    "--pretty",
    "--since",
    "--until",
    "--after",
    "--before",
    "--date",
    "-S",
    "-G",
    "-e",
    "--trailer",
    "--sort",
    "--contains",
];

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').map(str::to_owned);
    let Ok(grant) = ProgramGrant::parse(&lines.next().unwrap_or_default()) else { return };
    assert_eq!(ProgramGrant::parse(&grant.to_string()).as_ref(), Ok(&grant));
    no_runner(grant.name());

    let argv: Vec<String> = lines.collect();
    let directory = Directory::open(&std::env::temp_dir(), true).expect("there is a temporary directory");
    let place = directory.path().to_owned();
    if arguments::check(&grant, &argv, &place, &[directory], false).is_err() {
        return;
    }
    assert!(argv.starts_with(grant.words()) && argv.iter().all(|word| !word.contains('\0')), "{argv:?}");
    if grant.name() == "git" {
        git(&argv);
    }
    if grant.name() != "git" || !argv.iter().any(|word| TEXT.iter().any(|option| word.starts_with(option))) {
        argv.iter().skip(1).for_each(|word| leads_nowhere(word, &place));
    }
}

/// `vim.tiny`, `python3.12` and `BASH` are what they are.
fn no_runner(name: &str) {
    let name = name.to_lowercase();
    let end = name.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(name.len());
    let known = RUNNERS.contains(&&name[..end]) && name[end..].bytes().all(|byte| b"0123456789.".contains(&byte));
    assert!(!known, "{name} is granted");
}

fn git(argv: &[String]) {
    let subcommand = argv[1].as_str();
    assert!(!subcommand.starts_with('-') && !SUBCOMMANDS.contains(&subcommand), "{argv:?}");
    for word in &argv[2..] {
        let option = word.split('=').next().unwrap_or_default();
        let known = |full: &&str| {
            full.starts_with(option) && (option != "--text" && (subcommand, option) != ("rev-parse", "--git-dir"))
        };
        assert!(option.len() < 3 || !option.starts_with("--") || !OPTIONS.iter().any(known), "{argv:?}");
        if ["diff", "log", "show", "grep"].contains(&subcommand) && word.starts_with('-') && !word.starts_with("--") {
            let flags = word[1..].trim_start_matches(|flag: char| "pwbaRzhi".contains(flag));
            assert!(!flags.starts_with('O'), "{argv:?}");
        }
    }
    let completed = rules::of("git").expect("git has rules").completed(argv);
    assert_eq!((&completed[..2], completed.ends_with(&argv[2..])), (&argv[..2], true), "{completed:?}");
    if ["diff", "log", "show"].contains(&subcommand) {
        assert_eq!(completed[2..4], ["--no-ext-diff", "--no-textconv"]);
    }
}

/// What may be a path in a word leads from `place` no further than into it.
fn leads_nowhere(word: &str, place: &Path) {
    assert_ne!(word, "-", "there is no standard input");
    let value = match word.strip_prefix('-') {
        Some(option) if option.starts_with('-') => option.split_once('=').map_or("", |(_, value)| value),
        Some(option) => option.char_indices().nth(1).map_or("", |(at, _)| &option[at..]).trim_start_matches('='),
        None => word,
    };
    if value == "/dev/null" {
        return;
    }
    let mut whole: Vec<&str> = match value.starts_with('/') {
        true => Vec::new(),
        false => place.to_str().expect("it is text").split('/').skip(1).collect(),
    };
    for part in value.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    assert!(Path::new(&format!("/{}", whole.join("/"))).starts_with(place), "{word:?} leads to {whole:?}");
}
