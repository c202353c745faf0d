//! Grants in words, for the owner who is asked for them. Everything from strangers is in harmless characters, and
//! nothing is cut: what is asked for is shown whole.

use crate::inert;

/// How the chat or value of a kind is told. `{}` stands for it.
const KINDS: [(&str, &str); 9] = [
    ("messaging", "send messages to {}"),
    ("schedule", "make jobs that later write to {}"),
    ("memory", "read what was said before in {}"),
    ("agents", "start helpers: agents that act with the bot's tools"),
    ("storage", "keep values of its own: {}"),
    ("tools", "use the tool {}"),
    ("model", "ask the bot's model: {}"),
    ("skills", "act for the skill {}"),
    ("proposals", "put skills before the owner: {}"),
];

/// One grant, such as `files=workspace/notes:read`, as a plain sentence without its subject.
#[must_use]
pub fn words(grant: &str) -> String {
    inert::line(&told(grant).unwrap_or_else(|| format!("do what this host has no words for: {grant}")))
}

fn told(grant: &str) -> Option<String> {
    let (kind, value) = grant.split_once('=')?;
    match kind {
        "files" => files(value),
        "network" => Some(network(value)),
        "secrets" => secret(value),
        "programs" => Some(format!("run `{value}` on this machine, with whatever arguments follow")),
        _ => {
            let (_, sentence) = KINDS.iter().find(|row| row.0 == kind)?;
            let value = if value == "this-chat" { "the chat it is used in" } else { value };
            Some(sentence.replace("{}", value))
        }
    }
}

const CHANGE: &str = "read, change and remove files in";

fn files(value: &str) -> Option<String> {
    let (path, access) = value.rsplit_once(':')?;
    let (verb, most) = match access.split_once(',') {
        None if access == "read" => ("read files in", String::new()),
        None if access == "write" => (CHANGE, String::new()),
        Some(("write", size)) => (CHANGE, format!(", which may hold {size}")),
        _ => return None,
    };
    let place = match path.split_once('/') {
        None if path == "workspace" => "the whole workspace".to_owned(),
        None if path == "scratch" => "a scratch folder of its own".to_owned(),
        None if path == "skill" => "its own folder".to_owned(),
        Some(("workspace", below)) => format!("the workspace folder {below}"),
        _ => format!("the folder {path}"),
    };
    Some(format!("{verb} {place}{most}"))
}

fn network(value: &str) -> String {
    let (private, value) = value.strip_prefix("private:").map_or((false, value), |value| (true, value));
    let (methods, url) = value.split_once(' ').unwrap_or(("", value));
    let kind = match methods {
        "" => "any requests".to_owned(),
        methods => format!("{} requests", methods.replace(',', ", ")),
    };
    let place = match url.split_once("://*.") {
        _ if url == "public" => "any public host".to_owned(),
        Some((scheme, domain)) => format!("every host below {scheme}://{domain}"),
        None => url.to_owned(),
    };
    let near = if private { ", at a private address, too" } else { "" };
    format!("send {kind} to {place}{near}")
}

fn secret(value: &str) -> Option<String> {
    let (name, rest) = value.split_once(' ')?;
    let (url, place) = rest.split_once(' ')?;
    let place = match place.split_once('=')? {
        ("query", field) => format!("query field {field}"),
        ("header", header) => format!("header {}", header.replace("{}", name)),
        _ => return None,
    };
    Some(format!("have the host add the secret {name} to requests to {url} as {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grant_is_a_plain_sentence() {
        for (grant, sentence) in [
            ("files=workspace:read", "read files in the whole workspace"),
            ("files=workspace/notes:read", "read files in the workspace folder notes"),
            ("files=scratch:write", "read, change and remove files in a scratch folder of its own"),
            ("files=/srv/a:write,64MiB", "read, change and remove files in the folder /srv/a, which may hold 64MiB"),
            ("files=skill:read", "read files in its own folder"),
            ("files=/srv/a:b:write", "read, change and remove files in the folder /srv/a:b"),
            ("network=GET https://api.open-meteo.com/v1/", "send GET requests to https://api.open-meteo.com/v1/"),
            (
                "network=GET,POST https://*.example.com/",
                "send GET, POST requests to every host below https://example.com/",
            ),
            ("network=public", "send any requests to any public host"),
            ("network=private:http://nas.local/", "send any requests to http://nas.local/, at a private address, too"),
            (
                "secrets=KEY https://api.example.com/ query=appid",
                "have the host add the secret KEY to requests to https://api.example.com/ as query field appid",
            ),
            (
                "secrets=KEY https://api.example.com/ header=Authorization: Bearer {}",
                "have the host add the secret KEY to requests to https://api.example.com/ as header Authorization: Bearer KEY",
            ),
            ("programs=git status", "run `git status` on this machine, with whatever arguments follow"),
            ("messaging=this-chat", "send messages to the chat it is used in"),
            ("messaging=telegram:42", "send messages to telegram:42"),
            ("agents=spawn", "start helpers: agents that act with the bot's tools"),
            ("teleport=moon", "do what this host has no words for: teleport=moon"),
            ("nonsense", "do what this host has no words for: nonsense"),
            ("files=workspace:own", "do what this host has no words for: files=workspace:own"),
        ] {
            assert_eq!(words(grant), sentence);
        }
    }

    #[test]
    fn agt_10_nothing_in_a_grant_hides_moves_or_ends_the_line() {
        for hidden in ["\u{202e}", "\u{200b}", "\u{e0041}", "\u{1b}[2J", "\n", "\r", "\u{9b}", "\t", "\u{2066}"] {
            for grant in ["files=/srv/a{}b:read", "network=https://a{}b/", "programs=git {}status", "x{}=y"] {
                let sentence = words(&grant.replace("{}", hidden));
                assert!(sentence.chars().all(|letter| !letter.is_control()), "{sentence:?}");
                assert!(!sentence.contains(hidden) && sentence.contains('\\'), "{sentence:?}");
            }
        }
    }

    #[test]
    fn agt_10_a_long_command_is_shown_to_its_end() {
        let command = format!("programs=git {}; rm", "x".repeat(5_000));
        assert!(words(&command).contains("x; rm` on this machine"));
    }

    #[test]
    fn what_is_harmless_stays_readable() {
        assert_eq!(words("files=workspace/Grüße:read"), "read files in the workspace folder Grüße");
    }
}
