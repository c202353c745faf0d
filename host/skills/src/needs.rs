//! What a skill of another bot would need, worked out from its text and never by running it: a start for the owner,
//! who approves what is right.

use crate::inert;
use crate::libraries;
use crate::package::{Code, INSTRUCTIONS, Package};
use crate::scan::{self, Kind, Line, any};
use std::collections::{BTreeMap, BTreeSet};
use url::{Host, Url};

/// Most findings of each sort.
const MOST: usize = 200;
/// Most letters of an instruction that is shown.
const MOST_LETTERS: usize = 200;
/// Most bytes of text that are looked at.
const MOST_TEXT: usize = 4 << 20;
/// Text before the name of a variable of the environment, in the languages of scripts.
const VARIABLES: &str = r#"${ $ environ[" environ[' environ.get(" environ.get(' getenv(" getenv(' process.env. process.env[" process.env[' env.get(""#;
/// What the name of a secret contains.
const SECRET: &str = "KEY TOKEN SECRET PASSWORD PASSWD AUTH CREDENTIAL BEARER";
/// Where paths begin that lie outside of everything a skill has.
const OUTSIDE: &str = "~/ $HOME/ ${HOME}/ /etc/ /home/ /root/ /tmp/ /Users/ /var/ /opt/ /Library/ /proc/ /sys/";
/// What ends a URL in a text.
const URL_ENDS: &[char] =
    &[' ', '\t', '"', '\'', '`', '<', '>', '(', ')', '{', '[', ']', '|', '\\', '^', ',', ';', '$', '*'];
/// What ends a path; variables and braces may be part of it.
const PATH_ENDS: &[char] = &[' ', '\t', '"', '\'', '`', '<', '>', '(', ')', '=', '[', ']', '|', '\\', ',', ';', '@'];
/// Lines between a URL and a secret that belong to one command.
const NEAR: usize = 3;
/// Where a secret goes when the text does not say.
const BEARER: &str = "header=Authorization: Bearer {}";
/// Headers that services take keys in, as people write them in lower case.
const HEADERS: &str = "x-api-key api-key apikey x-auth-token x-access-token x-subscription-token";
/// What names a host in the options of a request.
const HOST_OPTIONS: [&str; 2] = ["hostname:", "host:"];

const MANAGERS: &str =
    "apt apt-get brew cargo choco conda dnf gem go pacman pip pip3 pipx pkg port scoop snap winget yum";
const SHELLS: &str = "sh bash zsh dash fish powershell pwsh iex";
const ENGINES: &str = "python python3 node perl ruby php";
const LOADERS: &str = "curl wget iwr irm invoke-webrequest fetch";
const PREPARES: &str = "what it tells people to prepare is not done; the list of needs says what the skill gets";
const SOFTWARE: &str = "it installs software; a skill has what its folder holds, and programs that you grant";
const FOREIGN: &str = "it runs code that nobody has looked at; a skill's code is what its package holds";
const HIDDEN: &str = "it runs text that cannot be read; a skill's code is what its package holds";
const ROOT: &str = "it asks for the rights of the machine's administrator; no skill gets them";
const NATIVE: &str = "it makes a file a program of this machine; a skill's scripts run in the sandbox";
const GUARD: &str = "it takes a guard of this machine away";

/// Instructions that are refused: words that follow one another, each one of several, options between them left out;
/// `..` stands for any words of the same command.
const REFUSED: &[(&[&str], &str)] = &[
    (&["prerequisites prerequisite prereqs"], PREPARES),
    (&[LOADERS, "..", "|", SHELLS], FOREIGN),
    (&[LOADERS, "..", "|", ENGINES, "; & | -"], FOREIGN),
    (&[SHELLS, "..", "$ <", LOADERS], FOREIGN),
    (&["eval", "..", LOADERS], FOREIGN),
    (&["base64 openssl xxd", "..", "|", SHELLS], HIDDEN),
    (&["base64 openssl xxd", "..", "|", ENGINES], HIDDEN),
    (&["powershell pwsh", "-enc -encodedcommand -e"], HIDDEN),
    (&["npm pnpm yarn bun", "i install add ci global link"], SOFTWARE),
    (&["uv", "tool pip", "install"], SOFTWARE),
    (&["uv", "add sync"], SOFTWARE),
    (&["docker podman", "run pull compose"], SOFTWARE),
    (&[MANAGERS, "install add -s"], SOFTWARE),
    (&["npx bunx uvx dlx"], FOREIGN),
    (&["git", "clone"], FOREIGN),
    (&["sudo doas su"], ROOT),
    (&["chmod", "+x a+x u+x 755 777 700 0755 0777"], NATIVE),
    (&["xattr", "-d -c -cr -rd"], GUARD),
    (&["spctl setenforce ufw", "--master-disable 0 disable"], GUARD),
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
    /// Whether there are scripts.
    pub scripts: bool,
    /// Libraries of scripts that no engine has.
    pub libraries: BTreeSet<String>,
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
        let mut secrets: BTreeMap<String, Option<(String, Option<String>)>> = BTreeMap::new();
        if let Some(told) = package.instructions() {
            found.programs.extend(told.requires.bins.iter().filter(|name| is_program(name)).cloned());
            found.any_program = told.requires.any_bins.iter().filter(|name| is_program(name)).cloned().collect();
            let named = told.requires.env.iter().chain(&told.primary_env);
            secrets.extend(named.filter(|name| is_variable(name)).map(|name| (name.clone(), None)));
            found.refused.extend(told.install.iter().map(|install| Refused {
                file: INSTRUCTIONS.to_owned(),
                line: 1,
                text: inert::brief(install, MOST_LETTERS),
                why: SOFTWARE,
            }));
        }
        let (mut origins, mut left) = (BTreeSet::new(), MOST_TEXT);
        // Beside a component lie the sources that its author built it from, which nobody runs here.
        let built = matches!(package.code(), Code::Component { .. });
        for (place, file) in package.files().iter().filter(|(place, _)| !built || place.ends_with(".md")) {
            let text = str::from_utf8(&file.bytes).unwrap_or_default();
            left = left.saturating_sub(text.len());
            for block in scan::blocks(place, text).into_iter().filter(|_| left > 0) {
                if !place.ends_with(".md") {
                    found.scripts = true;
                    found.libraries.extend(libraries::missing(package, place, &block));
                }
                found.take(place, &block);
                // What is not followed asks for nothing.
                let refused =
                    |line: &&Line| found.refused.iter().any(|one| one.file == *place && one.line == line.number);
                let followed = || block.iter().filter(|line| !refused(line));
                let usual = usual_header(&block);
                let urls: Vec<(usize, Url)> = followed().flat_map(urls).filter(|(_, url)| !is_example(url)).collect();
                origins.extend(urls.iter().map(|(_, url)| network(url)));
                for (line, (name, field)) in followed().flat_map(|line| variables(line).map(move |found| (line, found)))
                {
                    let near = urls.iter().rfind(|(number, _)| *number <= line.number).or(urls.first());
                    let meant = |(number, url): &&(usize, Url)| {
                        number.abs_diff(line.number) <= NEAR || is_named_after(&name, &origin(url))
                    };
                    let place = near.filter(meant).map(|(_, url)| (origin(url), field.or_else(|| usual.clone())));
                    let kept = secrets.entry(name).or_default();
                    // A line that says where the secret goes is better than one that only names it.
                    let says = |place: &Option<(_, Option<_>)>| place.as_ref().map(|(_, field)| field.is_some());
                    if says(&place) > says(kept) {
                        *kept = place;
                    }
                }
            }
        }
        let only = origins.first().filter(|_| origins.len() == 1);
        let usual = only.and_then(|row| Some((row.strip_prefix("network=")?.to_owned(), None)));
        let secret = |(name, place): (String, Option<_>)| {
            // A secret is never sent in the clear.
            let usual = usual.clone().filter(|(origin, _)| is_named_after(&name, origin));
            let place = place.or(usual).filter(|(origin, _)| origin.starts_with("https://"));
            let grant =
                place.map(|(origin, field)| format!("secrets={name} {origin} {}", field.as_deref().unwrap_or(BEARER)));
            NeededSecret { name, grant }
        };
        found.secrets = secrets.into_iter().map(secret).take(MOST).collect();
        found.network = origins.into_iter().take(MOST).collect();
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
            let words = scan::words(line.text);
            let refused = |row: &&(&[&str], _)| {
                (0..words.len()).any(|start| !words[start].starts_with('-') && says(&words[start..], row.0))
            };
            if let Some((_, why)) = REFUSED.iter().find(refused).filter(|_| self.refused.len() < MOST) {
                let text = inert::brief(line.text, MOST_LETTERS);
                self.refused.push(Refused { file: place.to_owned(), line: line.number, text, why });
            }
            for word in code(line).flat_map(|code| code.split(PATH_ENDS)) {
                if OUTSIDE.split(' ').any(|start| word.starts_with(start)) && self.files.len() < MOST {
                    self.files.insert(inert::brief(word.trim_end_matches(['.', ':']), MOST_LETTERS));
                }
            }
        }
    }
}

/// Whether a secret has the name of a host: where a key of one service stands in a skill for another, nothing is guessed.
fn is_named_after(name: &str, origin: &str) -> bool {
    let service = name.split('_').next().unwrap_or(name).to_ascii_lowercase();
    service.len() > 2 && origin.contains(&service)
}

/// Whether the words begin with those that are wanted.
fn says(words: &[String], wanted: &[&str]) -> bool {
    match (wanted, words) {
        ([], _) => true,
        ([.., _], []) => false,
        (["..", rest @ ..], [word, after @ ..]) => {
            says(words, rest) || (!matches!(word.as_str(), ";" | "&") && says(after, wanted))
        }
        ([first, rest @ ..], [word, after @ ..]) => {
            (any(first, word) && says(after, rest)) || (word.starts_with('-') && says(after, wanted))
        }
    }
}

/// The parts of a line that are code.
fn code<'a>(line: &Line<'a>) -> impl Iterator<Item = &'a str> {
    let (mark, first, step) = if line.kind == Kind::Prose { ('`', 1, 2) } else { ('\n', 0, 1) };
    let text = if line.is_comment() { "" } else { line.text };
    text.split(mark).skip(first).step_by(step)
}

fn urls(line: &Line) -> Vec<(usize, Url)> {
    let mut found = Vec::new();
    for code in code(line) {
        let whole = ["https://", "http://"].into_iter().flat_map(|scheme| code.match_indices(scheme));
        found.extend(whole.map(|(start, _)| code[start..].split(URL_ENDS).next().unwrap_or_default().to_owned()));
        found.extend(
            HOST_OPTIONS.iter().filter_map(|option| quoted_after(code, option)).map(|host| format!("https://{host}")),
        );
        let quoted = code.split(['"', '\'', '`']).skip(1).step_by(2);
        found.extend(quoted.filter(|text| is_interface(text)).map(|host| format!("https://{host}")));
        for host in scan::bare_hosts(code) {
            // A loader asks without a scheme as it asked before there was another; most hosts lead on from there.
            found.push(format!("http://{host}"));
            found.extend((!host.contains(':')).then(|| format!("https://{host}")));
        }
    }
    found.into_iter().filter_map(|text| Some((line.number, Url::parse(&text).ok()?))).collect()
}

/// Whether a text is the name of a host for programs, as scripts write it without a scheme.
fn is_interface(text: &str) -> bool {
    text.starts_with("api.") && text.matches('.').count() > 1 && scan::is_host(text)
}

/// The quoted text after the name of an option, such as `hostname: "api.github.com"`, if it may be a host.
fn quoted_after<'a>(code: &'a str, option: &str) -> Option<&'a str> {
    let (before, after) = code.split_once(option)?;
    let rest = after.trim_start().strip_prefix(['\'', '"', '`'])?;
    let host = rest.split(['\'', '"', '`']).next()?;
    (scan::is_host(host) && !before.ends_with(|letter: char| letter.is_ascii_alphanumeric())).then_some(host)
}

/// `scheme://host[:port]/`.
fn origin(url: &Url) -> String {
    format!("{}/", url.origin().ascii_serialization())
}

/// Whether the host stands for one that the reader shall name (RFC 2606, and what people write for it).
fn is_example(url: &Url) -> bool {
    let label = |label: &str| any("example your yourdomain yourcompany yourstore yoursite yourserver mydomain", label);
    let parts: Vec<&str> = url.host_str().unwrap_or_default().split(['.', '-']).collect();
    any("example test invalid", parts.last().copied().unwrap_or_default())
        || parts.len() < 4 && parts.iter().take(2).any(|part| label(part))
}

/// The grant for the host of a URL.
fn network(url: &Url) -> String {
    let near = match url.host() {
        Some(Host::Domain(name)) => name.ends_with(".local") || !name.contains('.'),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    };
    format!("network={}{}", if near { "private:" } else { "" }, origin(url))
}

/// The secrets that a line uses, with the header or query field that each goes into.
fn variables(line: &Line) -> impl Iterator<Item = (String, Option<String>)> {
    let text = line.text;
    let starts = VARIABLES.split(' ').flat_map(move |before| text.match_indices(before));
    starts.filter_map(move |(start, before)| {
        let rest = &text[start + before.len()..];
        let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?;
        let secret = is_variable(name) && SECRET.split(' ').any(|part| name.contains(part));
        secret.then(|| (name.to_owned(), field(&text[..start])))
    })
}

/// The header for keys that a block names, where no line says what goes into it.
fn usual_header(block: &[Line]) -> Option<String> {
    let mut quoted = block.iter().flat_map(|line| line.text.split(['\'', '"']).skip(1));
    let header = quoted.find_map(|text| {
        let name = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        HEADERS.split(' ').find(|header| *header == name)
    });
    header.map(|header| format!("header={header}: {{}}"))
}

/// The header or query field that ends where the secret begins.
fn field(before: &str) -> Option<String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let parted = |text: &str| text.trim_end_matches(plain).len();
    let query = before.strip_suffix('=').map(|rest| rest.split_at(parted(rest)));
    let header =
        before.rsplit_once(": ").map(|(head, scheme)| (&head[parted(head)..], scheme.trim_start_matches(['"', '\''])));
    let scheme = |scheme: &str| scheme.trim_end_matches(['"', '\'']).chars().all(|one| plain(one) || one == ' ');
    match (query, header) {
        (Some((start, key)), _) if start.ends_with(['?', '&']) && !key.is_empty() => Some(format!("query={key}")),
        (_, Some((name, text))) if !name.is_empty() && scheme(text) => {
            Some(format!("header={name}: {}{{}}", text.trim_end_matches(['"', '\''])))
        }
        _ => None,
    }
}

fn is_variable(name: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (3..=64).contains(&name.len()) && name.as_bytes()[0].is_ascii_uppercase() && name.bytes().all(upper)
}

fn is_program(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    (1..=40).contains(&name.len()) && name.as_bytes()[0].is_ascii_alphabetic() && name.bytes().all(plain)
}
