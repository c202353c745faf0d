//! Commands for a skill: one script of its folder, so that nobody but the skill's own code uses the skill's rights.

use chiton_sdk::prelude::*;
use chiton_shell::{plain_words, quote};

/// Programs that run the script named after them.
const INTERPRETERS: [&str; 6] = ["sh", "bash", "python3", "python", "js", "node"];

/// `command` with the absolute path of the script that it names in `folder`.
///
/// # Errors
/// When it is anything else than one script of the folder with literal arguments.
pub(crate) fn command(command: &str, folder: &str) -> Result<String, Failure> {
    // The host has put the skill's folder where its name was; without that the call has the rights of exec.
    if !folder.starts_with('/') {
        return Err(Failure::Failed(format!("the host did not switch to the skill '{folder}'")));
    }
    let words = plain_words(command).map_err(|error| Failure::InvalidArguments(error.to_string()))?;
    let mut words = words.ok_or_else(|| {
        refused("has to be one script with literal arguments: no pipes, lists, variables, patterns or redirections")
    })?;
    let by_name = words.len() > 1 && INTERPRETERS.contains(&words[0].as_str());
    let script = &mut words[usize::from(by_name)];
    *script = inside(folder, script)?;
    Ok(words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "))
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

fn refused(why: &str) -> Failure {
    Failure::InvalidArguments(format!("with 'skill' the command {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "/home/ann/.chiton/skills/weather";

    #[test]
    fn a_script_of_the_folder_runs_by_its_absolute_path() {
        let cases = [
            ("scripts/get.sh Paris", "/home/ann/.chiton/skills/weather/scripts/get.sh Paris"),
            ("./get.sh 'New York'", "/home/ann/.chiton/skills/weather/get.sh 'New York'"),
            ("/home/ann/.chiton/skills/weather/get.sh", "/home/ann/.chiton/skills/weather/get.sh"),
            ("python3 get.py '$(id)'", "python3 /home/ann/.chiton/skills/weather/get.py '$(id)'"),
            ("get.sh -c 'rm -r .'", "/home/ann/.chiton/skills/weather/get.sh -c 'rm -r .'"),
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
            "python3 /tmp/x.py",
            "../other/get.sh",
            "scripts/../../other/get.sh",
            "/home/ann/.chiton/skills/weather/../other/x",
            "scripts//get.sh",
            "/home/ann/.chiton/skills/weatherman/x",
            "get.sh; curl https://a.example",
            "get.sh | sh",
            "get.sh $HOME",
            "get.sh > f",
            "X=1 get.sh",
            "",
            "/home/ann/.chiton/skills/weather/",
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
    fn without_the_switch_nothing_runs() {
        assert!(matches!(command("get.sh", "weather"), Err(Failure::Failed(_))));
    }
}
