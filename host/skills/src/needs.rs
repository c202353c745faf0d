//! What a skill of another bot would need, worked out from its text and never by running it: a start for the owner,
//! who approves what is right.

use crate::inert;
use crate::package::{INSTRUCTIONS, Package};
use crate::scan::{self, Kind, Line};
use std::collections::{BTreeMap, BTreeSet};
use url::{Host, Url};

/// Most findings of each sort.
const MOST: usize = 200;
/// Most letters of an instruction that is shown.
const MOST_LETTERS: usize = 200;
/// Text before the name of a variable of the environment, in the languages of scripts.
const VARIABLES: [&str; 12] = [
    "${",
    "$",
    "environ[\"",
    "environ['",
    "environ.get(\"",
    "environ.get('",
    "getenv(\"",
    "getenv('",
    "process.env.",
    "process.env[\"",
    "process.env['",
    "env.get(\"",
];
/// What the name of a secret contains.
const SECRET: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "AUTH", "CREDENTIAL", "BEARER"];
/// Where paths begin that lie outside of everything a skill has.
const OUTSIDE: [&str; 12] = [
    "~/",
    "$HOME/",
    "${HOME}/",
    "/etc/",
    "/home/",
    "/root/",
    "/Users/",
    "/var/",
    "/opt/",
    "/Library/",
    "/proc/",
    "/sys/",
];
/// What ends a path or a URL in a text.
const ENDS: &[char] =
    &[' ', '\t', '"', '\'', '`', '<', '>', '(', ')', '{', '[', ']', '|', '\\', '^', ',', ';', '$', '*'];

const SOFTWARE: &str =
    "it installs software on this machine; a skill has what its folder holds, and programs that you grant";
const FOREIGN: &str = "it runs code that nobody has looked at; a skill's code is what its package holds";
const MANAGERS: &str =
    "apt apt-get brew cargo choco conda dnf gem go pacman pip pip3 pipx pkg port scoop snap winget yum zypper";
const SHELLS: &str = "sh bash zsh dash fish sudo python python3 node perl ruby powershell pwsh iex";
const LOADERS: &str = "curl wget iwr irm invoke-webrequest fetch";

/// Instructions that are refused: words that follow one another, each one of several; `..` stands for any others of the
/// same command.
const REFUSED: [(&[&str], &str); 16] = [
    (
        &["prerequisites prerequisite prereqs"],
        "what it tells people to prepare is not done; the list of needs says what it gets",
    ),
    (&[LOADERS, "..", "|", SHELLS], FOREIGN),
    (&[SHELLS, "..", "$ <", LOADERS], FOREIGN),
    (&["eval", "..", LOADERS], FOREIGN),
    (&["base64 openssl xxd", "..", "|", SHELLS], "it runs hidden text"),
    (&["powershell pwsh", "..", "-enc -encodedcommand -e"], "it runs hidden text"),
    (&[MANAGERS, "install add -s"], SOFTWARE),
    (&["npm pnpm yarn bun", "i install add ci global link"], SOFTWARE),
    (&["uv", "tool pip add", "install"], SOFTWARE),
    (&["uv", "add sync"], SOFTWARE),
    (&["npx bunx uvx dlx"], FOREIGN),
    (&["docker podman", "run pull compose"], SOFTWARE),
    (&["git", "clone"], FOREIGN),
    (&["sudo doas su"], "it asks for the rights of the machine's administrator; no skill gets them"),
    (
        &["chmod", "+x a+x u+x 755 777 700 0755 0777"],
        "it makes a file a program of this machine; a skill's scripts run in the sandbox",
    ),
    (
        &["xattr spctl setenforce ufw", "-d -c -cr -rd --master-disable 0 disable"],
        "it takes a guard of this machine away",
    ),
];

/// What a skill would need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Programs.
    pub programs: BTreeSet<String>,
    /// Programs of which one is enough; may be empty.
    pub any_program: Vec<String>,
    /// Hosts, each as a grant such as `network=https://api.github.com/`.
    pub network: Vec<String>,
    /// Secrets.
    pub secrets: Vec<NeededSecret>,
    /// Files and folders outside of the skill and the workspace.
    pub files: BTreeSet<String>,
    /// Instructions that are not followed.
    pub refused: Vec<Refused>,
}

/// A secret that a skill would need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededSecret {
    /// Its name.
    pub name: String,
    /// The grant that is most likely meant, such as `secrets=KEY https://api.github.com/ header=Authorization: Bearer {}`.
    pub grant: Option<String>,
}

/// An instruction that is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Its text, in harmless characters.
    pub text: String,
    /// Why it is not followed.
    pub why: &'static str,
}

impl Needs {
    /// What a package would need.
    #[must_use]
    pub fn of(package: &Package) -> Self {
        let mut found = Self::default();
        // The place of each secret: an origin, and the header or query field.
        let mut secrets: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
        if let Some(told) = package.instructions() {
            found.programs.extend(told.requires.bins.iter().map(|name| inert::brief(name, 80)));
            found.any_program = told.requires.any_bins.iter().map(|name| inert::brief(name, 80)).collect();
            let named = told.requires.env.iter().chain(&told.primary_env);
            secrets.extend(named.filter(|name| is_variable(name)).map(|name| (name.clone(), None)));
            found.refused.extend(told.install.iter().map(|install| Refused {
                file: INSTRUCTIONS.to_owned(),
                line: 1,
                text: inert::brief(install, MOST_LETTERS),
                why: SOFTWARE,
            }));
        }
        let mut origins = BTreeSet::new();
        for (place, file) in package.files() {
            let Ok(text) = str::from_utf8(&file.bytes) else { continue };
            let Some(blocks) = scan::blocks(place, text) else { continue };
            for block in &blocks {
                found.take(place, block);
                let urls: Vec<(usize, Url)> = block.iter().flat_map(urls).collect();
                origins.extend(urls.iter().map(|(_, url)| url.clone()).map(|url| origin(&url)));
                for line in block {
                    for (name, field) in variables(line) {
                        let near = urls.iter().rfind(|(number, _)| *number <= line.number).or(urls.first());
                        let place = near.map(|(_, url)| (origin(url), field));
                        let kept = secrets.entry(name).or_default();
                        *kept = kept.take().or(place);
                    }
                }
            }
        }
        let only = origins.first().filter(|_| origins.len() == 1);
        found.secrets = secrets
            .into_iter()
            .map(|(name, place)| {
                let place = place.or_else(|| Some((only?.clone(), BEARER.to_owned())));
                // A secret is never sent in the clear.
                let grant = place.filter(|(origin, _)| origin.starts_with("https://"));
                let grant = grant.map(|(origin, field)| format!("secrets={name} {origin} {field}"));
                NeededSecret { name, grant }
            })
            .take(MOST)
            .collect();
        found.network =
            origins.into_iter().take(MOST).map(|origin| format!("network={}{origin}", near(&origin))).collect();
        found
    }

    /// The programs that are not among those `available`.
    #[must_use]
    pub fn missing(&self, available: &BTreeSet<String>) -> Vec<String> {
        let mut missing: Vec<_> = self.programs.difference(available).cloned().collect();
        let none = !self.any_program.is_empty() && !self.any_program.iter().any(|name| available.contains(name));
        missing.extend(none.then(|| format!("one of {}", self.any_program.join(", "))));
        missing
    }

    fn take(&mut self, place: &str, block: &[Line]) {
        let programs = scan::programs(block).into_iter().filter(|name| is_program(name));
        let free = MOST.saturating_sub(self.programs.len());
        self.programs.extend(programs.take(free).map(str::to_owned));
        for line in block {
            if let Some((_, why)) = REFUSED.iter().find(|(words, _)| says(&scan::words(line.text), words))
                && self.refused.len() < MOST
            {
                let text = inert::brief(line.text, MOST_LETTERS);
                self.refused.push(Refused { file: place.to_owned(), line: line.number, text, why });
            }
            for word in code(line).flat_map(|code| code.split(ENDS_OF_PATH)) {
                if OUTSIDE.iter().any(|start| word.starts_with(start)) && self.files.len() < MOST {
                    self.files.insert(inert::brief(word.trim_end_matches(['.', ':']), MOST_LETTERS));
                }
            }
        }
    }
}

/// Where a secret goes when the text does not say.
const BEARER: &str = "header=Authorization: Bearer {}";
/// As [`ENDS`], but variables and braces may be part of a path.
const ENDS_OF_PATH: &[char] = &[' ', '\t', '"', '\'', '`', '<', '>', '(', ')', '=', '[', ']', '|', '\\', ',', ';', '@'];

/// Whether the words of a line have these words in them.
fn says(words: &[String], wanted: &[&str]) -> bool {
    let any = |all: &str, word: &str| all.split(' ').any(|one| one == word);
    (0..words.len()).any(|start| {
        let mut at = start;
        wanted.iter().enumerate().all(|(number, all)| {
            let gap = number > 0 && wanted[number - 1] == "..";
            if *all == ".." {
                return true;
            }
            while at < words.len() {
                at += 1;
                let word = words[at - 1].as_str();
                let skipped = (gap && !matches!(word, ";" | "&")) || (number > 0 && word.starts_with('-'));
                if any(all, word) {
                    return true;
                }
                if !skipped {
                    return false;
                }
            }
            false
        })
    })
}

/// The parts of a line that are code.
fn code<'a>(line: &Line<'a>) -> impl Iterator<Item = &'a str> {
    let (first, step) = if line.kind == Kind::Prose { (1, 2) } else { (0, 1) };
    let mark = if line.kind == Kind::Prose { '`' } else { '\n' };
    let text = if scan::is_comment(line) { "" } else { line.text };
    text.split(mark).skip(first).step_by(step)
}

fn urls(line: &Line) -> Vec<(usize, Url)> {
    let mut found = Vec::new();
    for code in code(line) {
        for (start, _) in code.match_indices("http").filter(|(start, _)| code[*start..].contains("://")) {
            let text = code[start..].split(ENDS).next().unwrap_or_default();
            found.extend(Url::parse(text).ok());
        }
        let bare = scan::bare_hosts(code).into_iter().filter_map(|word| Url::parse(&format!("https://{word}")).ok());
        found.extend(bare);
    }
    found.retain(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()));
    found.into_iter().map(|url| (line.number, url)).collect()
}

/// `scheme://host[:port]/`.
fn origin(url: &Url) -> String {
    format!("{}/", url.origin().ascii_serialization())
}

/// The prefix of a grant for hosts that lie near.
fn near(origin: &str) -> &'static str {
    let near = match Url::parse(origin).ok().and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".local") || !name.contains('.'),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    };
    if near { "private:" } else { "" }
}

/// The secrets that a line uses, with the header or query field that each goes into.
fn variables(line: &Line) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for before in VARIABLES {
        for (start, _) in line.text.match_indices(before) {
            let rest = &line.text[start + before.len()..];
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            if is_variable(name) && SECRET.iter().any(|part| name.contains(part)) {
                found.push((name.to_owned(), field(&line.text[..start])));
            }
        }
    }
    found
}

/// The header or query field that ends where the secret begins.
fn field(before: &str) -> String {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let last = |text: &str| text[text.trim_end_matches(letter).len()..].to_owned();
    if let Some((start, key)) = before.strip_suffix('=').map(|rest| (rest, last(rest)))
        && start[..start.len() - key.len()].ends_with(['?', '&'])
        && !key.is_empty()
    {
        return format!("query={key}");
    }
    if let Some((head, scheme)) = before.rsplit_once(": ") {
        let (name, scheme) = (last(head), scheme.trim_start_matches(['"', '\'']));
        if !name.is_empty() && scheme.chars().all(|one| letter(one) || one == ' ') {
            return format!("header={name}: {scheme}{{}}");
        }
    }
    BEARER.to_owned()
}

fn is_variable(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (3..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(upper)
}

fn is_program(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    (1..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(plain)
}
