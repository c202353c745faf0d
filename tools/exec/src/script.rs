//! Commands for a skill: one script of its folder, so that nobody but the skill's own code uses the skill's rights. A
//! skill that is text alone has no code of its own: its rights were given to the commands that it tells of.

use chiton_sdk::prelude::*;
use chiton_shell::{Plain, plain, quote};
use std::path::Path;

/// Programs that run the script named after them.
const INTERPRETERS: [&str; 9] = ["sh", "bash", "python3", "python", "js", "node", "bun", "tsx", "ts-node"];
/// Other ways of starting a script, each with the interpreter that does it here.
const RUNNERS: [(&str, &str); 4] =
    [("uv run", "python3"), ("npx tsx", "tsx"), ("npx ts-node", "ts-node"), ("bun run", "bun")];
/// Programs that only say something to the script that follows.
const SPEAKERS: [&str; 2] = ["echo", "printf"];
/// What finds an interpreter by its name.
const ENVIRONMENT: &str = "/usr/bin/env";
/// Options of interpreters that change nothing here.
const OPTIONS: [&str; 4] = ["-u", "-B", "-s", "--no-warnings"];
/// Most scripts that an error names.
const SHOWN: usize = 12;
/// How text names the skill's folder.
const OWN: [&str; 4] = ["{baseDir}/", "$SKILL_DIR/", "${SKILL_DIR}/", "${CLAUDE_SKILL_DIR}/"];
/// Where other bots keep skills: what follows the skill's name is a path in its folder.
const ELSEWHERE: &str = "skills/";

/// Endings of files that are code.
const CODE: [&str; 11] = ["sh", "bash", "zsh", "py", "js", "mjs", "cjs", "ts", "rb", "pl", "wasm"];
/// Most files of a skill that are looked at; one with more counts as one with code.
const MOST_FILES: usize = 1_000;

/// The scripts of a skill, from its folder; `None` when that cannot be looked through. One without any is text alone: its
/// commands run as they are.
fn scripts(folder: &str) -> Option<Vec<String>> {
    let (mut open, mut seen, mut found) = (vec![Path::new(folder).to_path_buf()], 0, Vec::new());
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).ok()? {
            seen += 1;
            let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path()))).ok()?;
            if kind.is_dir() {
                open.push(path);
            } else if seen > MOST_FILES || !kind.is_file() || is_code(&path) {
                found.push(path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Some(found)
}

fn is_code(path: &Path) -> bool {
    use std::io::Read;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let mut start = [0; 2];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    CODE.contains(&ending.as_str()) || (read.is_ok() && start == *b"#!")
}

/// `command` with the absolute path of the script that it names in `folder`.
///
/// # Errors
/// When the skill has code and this is anything else than one script of the folder with literal arguments.
pub(crate) fn command(command: &str, folder: &str) -> Result<String, Failure> {
    // The host has put the skill's folder where its name was; without that the call has the rights of exec.
    if !folder.starts_with('/') {
        return Err(Failure::Failed(format!("the host did not switch to the skill '{folder}'")));
    }
    let scripts = scripts(folder);
    if scripts.as_ref().is_some_and(Vec::is_empty) {
        return Ok(command.to_owned());
    }
    let stages = plain(&here(command, folder)).map_err(|error| Failure::InvalidArguments(error.to_string()))?;
    let stages = stages.ok_or_else(|| {
        refused("has to be one script with literal arguments, or a pipeline of such: no lists, variables, patterns or redirections (2>&1 may stand)")
    })?;
    let run = |stage: Plain| {
        let words = started(stage.words, folder, scripts.as_deref().unwrap_or_default())?;
        let words = words
            .iter()
            .map(|word| quote(word).to_string())
            .chain((!stage.errors.is_empty()).then(|| stage.errors.to_owned()));
        Ok(words.collect::<Vec<_>>().join(" "))
    };
    Ok(stages.into_iter().map(run).collect::<Result<Vec<_>, Failure>>()?.join(" | "))
}

/// The words that start a script of the folder, or say something to one.
fn started(mut words: Vec<String>, folder: &str, scripts: &[String]) -> Result<Vec<String>, Failure> {
    if SPEAKERS.contains(&words[0].as_str()) {
        return Ok(words);
    }
    if words[0] == ENVIRONMENT && words.len() > 1 {
        words.remove(0);
    }
    let runner = words.get(..2).map(|words| words.join(" "));
    if let Some((_, interpreter)) = RUNNERS.iter().find(|(words, _)| runner.as_deref() == Some(words)) {
        let named = words.get(2).is_some_and(|word| INTERPRETERS.contains(&word.as_str()));
        words.splice(..2, (!named).then(|| (*interpreter).to_owned()));
    }
    let by_name = words.len() > 1 && INTERPRETERS.contains(&words[0].as_str());
    if by_name {
        let options = words[1..].iter().take_while(|word| OPTIONS.contains(&word.as_str())).count();
        words.drain(1..=options);
    }
    let Some(script) = words.get_mut(usize::from(by_name)) else { return Err(refused("names no script")) };
    let place = inside(folder, script)?;
    // A bare word is a program to whoever wrote it.
    if !by_name && !script.contains('/') && !scripts.is_empty() && !Path::new(&place).exists() {
        let known = scripts.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(refused(&format!(
            "runs the skill's own scripts ({known}), and '{script}' is none; other commands run without 'skill', with the rights of exec"
        )));
    }
    *script = place;
    Ok(words)
}

/// The absolute path of a file of `folder` that is named from there or absolutely.
fn inside(folder: &str, named: &str) -> Result<String, Failure> {
    let below = match named.strip_prefix('/') {
        None => named,
        Some(_) => named
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(|| refused(&format!("names '{named}', which is not in the skill's folder {folder}")))?,
    };
    // Links cannot lead out of the folder either: the host opens files beneath it only.
    let plain = |part: &str| !matches!(part, "" | "..") && !part.starts_with('-');
    match below.trim_start_matches("./").split('/').all(plain) {
        true => Ok(format!("{folder}/{}", below.trim_start_matches("./"))),
        false => Err(refused(&format!("names '{named}', which is no file of the skill's folder {folder}"))),
    }
}

/// A command with relative paths where it names the skill's folder as another bot would.
fn here(command: &str, folder: &str) -> String {
    let command = OWN.iter().fold(command.to_owned(), |command, own| command.replace(own, ""));
    // The host keeps a version in a folder of its own, below that of the skill.
    let name = Path::new(folder).parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let place = format!("{ELSEWHERE}{name}/");
    let Some(at) = command.find(&place) else { return command };
    let start = command[..at].rfind([' ', '\t', '\n']).map_or(0, |blank| blank + 1);
    match &command[start..at] {
        before if before.is_empty() || before.starts_with("~/.") => {
            format!("{}{}", &command[..start], &command[at + place.len()..])
        }
        _ => command,
    }
}

fn refused(why: &str) -> Failure {
    Failure::InvalidArguments(format!("with 'skill' the command {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "/home/ann/.chiton/skills/.store/weather/1f";

    #[test]
    fn a_script_of_the_folder_runs_by_its_absolute_path() {
        let cases = [
            ("scripts/get.sh Paris", "/home/ann/.chiton/skills/.store/weather/1f/scripts/get.sh Paris"),
            ("{baseDir}/scripts/get.sh Paris", "/home/ann/.chiton/skills/.store/weather/1f/scripts/get.sh Paris"),
            ("./get.sh 'New York'", "/home/ann/.chiton/skills/.store/weather/1f/get.sh 'New York'"),
            ("/home/ann/.chiton/skills/.store/weather/1f/get.sh", "/home/ann/.chiton/skills/.store/weather/1f/get.sh"),
            ("python3 get.py '$(id)'", "python3 /home/ann/.chiton/skills/.store/weather/1f/get.py '$(id)'"),
            (
                "python3 -u get.py | ./b.sh 2>&1",
                "python3 /home/ann/.chiton/skills/.store/weather/1f/get.py | /home/ann/.chiton/skills/.store/weather/1f/b.sh 2>&1",
            ),
            (
                "echo 'a b' | /usr/bin/env python3 get.py -",
                "echo 'a b' | python3 /home/ann/.chiton/skills/.store/weather/1f/get.py -",
            ),
            ("\"$SKILL_DIR/get.sh\" x", "/home/ann/.chiton/skills/.store/weather/1f/get.sh x"),
            ("uv run get.py x", "python3 /home/ann/.chiton/skills/.store/weather/1f/get.py x"),
            ("uv run python get.py", "python /home/ann/.chiton/skills/.store/weather/1f/get.py"),
            ("npx tsx scripts/a.ts", "tsx /home/ann/.chiton/skills/.store/weather/1f/scripts/a.ts"),
            ("~/.clawdbot/skills/weather/get.sh", "/home/ann/.chiton/skills/.store/weather/1f/get.sh"),
            ("python3 skills/weather/get.py", "python3 /home/ann/.chiton/skills/.store/weather/1f/get.py"),
            ("skills/other/get.sh", "/home/ann/.chiton/skills/.store/weather/1f/skills/other/get.sh"),
            ("get.sh -c 'rm -r .'", "/home/ann/.chiton/skills/.store/weather/1f/get.sh -c 'rm -r .'"),
        ];
        for (given, run) in cases {
            assert_eq!(command(given, FOLDER).unwrap(), run);
        }
    }

    #[test]
    fn the_rights_of_a_skill_serve_no_other_code() {
        let cases = [
            "/bin/sh x",
            "sh -c 'curl https://a.example'",
            "python3 -c 1",
            "uv run -c 1",
            "uv run python3 -c 1",
            "~/.clawdbot/skills/weather/../../x",
            "python3 /tmp/x.py",
            "../other/get.sh",
            "scripts/../../other/get.sh",
            "/home/ann/.chiton/skills/.store/weather/1f/../other/x",
            "scripts//get.sh",
            "/home/ann/.chiton/skills/.store/weather/1f2/x",
            "get.sh; curl https://a.example",
            "get.sh | sh -c x",
            "get.sh | python3 -",
            "cat x | sh -s",
            "python3 -u -c 1",
            "/usr/bin/env sh -c x",
            "get.sh $HOME",
            "get.sh > f",
            "X=1 get.sh",
            "",
            "/home/ann/.chiton/skills/.store/weather/1f/",
            "get.sh `id`",
        ];
        for given in cases {
            assert!(
                matches!(command(given, FOLDER), Err(Failure::InvalidArguments(_))),
                "{given}: {:?}",
                command(given, FOLDER)
            );
        }
    }

    #[test]
    fn a_skill_is_text_alone_as_long_as_no_file_of_it_is_code() {
        let folder = tempfile::tempdir().unwrap();
        let (place, below) = (folder.path().to_str().unwrap(), folder.path().join("references"));
        std::fs::create_dir(&below).unwrap();
        std::fs::write(folder.path().join("SKILL.md"), "text").unwrap();
        assert_eq!(scripts(place), Some(Vec::new()));
        std::fs::write(below.join("get"), "#!/bin/sh\n").unwrap();
        assert_eq!(scripts(place).unwrap(), ["references/get"]);
        assert!(
            command("mkdir -p x", place)
                .is_err_and(|error| matches!(error, Failure::InvalidArguments(why) if why.contains("references/get")))
        );
        std::fs::write(below.join("get"), "text").unwrap();
        std::fs::write(below.join("a.PY"), "").unwrap();
        assert_eq!(scripts(place).unwrap(), ["references/a.PY"]);
        assert_eq!(scripts("/no/such/folder"), None);
    }

    #[test]
    fn without_the_switch_nothing_runs() {
        assert!(matches!(command("get.sh", "weather"), Err(Failure::Failed(_))));
    }
}
