//! `chmod`: files have no modes inside the sandbox; whoever may use a file may read and run it. So modes that let
//! their owner do that are taken as given, and what would take a right away is refused rather than not done.

use std::ffi::OsString;
use std::fs;

use super::{Problem, about};

/// Runs `chmod`.
pub fn chmod(arguments: Vec<OsString>) -> Result<u8, Problem> {
    let words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let is_option =
        |word: &&String| matches!(word.as_str(), "-R" | "-v" | "-f" | "-c" | "--recursive" | "--verbose" | "--");
    let mut operands = words.iter().filter(|word| !is_option(word));
    let mode = operands.next().ok_or("usage: chmod [-R] MODE FILE...")?;
    let files: Vec<&String> = operands.collect();
    if files.is_empty() {
        return Err(format!("missing operand after \u{2018}{mode}\u{2019}").into());
    }
    if !only_gives(mode) {
        return Err(format!("mode {mode} takes rights away, which has no effect inside the sandbox; protect the file by not granting its directory").into());
    }
    for file in files {
        fs::metadata(file).map_err(|problem| about(file, &problem))?;
    }
    Ok(0)
}

/// Whether everybody may read with this mode: octal with `r` for all, or symbols that add.
fn only_gives(mode: &str) -> bool {
    if mode.bytes().all(|byte| byte.is_ascii_digit()) {
        return u32::from_str_radix(mode, 8).is_ok_and(|bits| bits & 0o444 == 0o444);
    }
    mode.split(',').all(|clause| {
        let (who, rights) = clause.split_at(clause.find(['+', '-', '=']).unwrap_or(clause.len()));
        rights.starts_with('+') && who.chars().all(|who| "ugoa".contains(who))
    })
}

#[cfg(test)]
mod tests {
    use super::only_gives;

    #[test]
    fn a_mode_that_hides_a_file_is_not_taken_as_given() {
        for mode in ["+x", "u+x", "755", "0644", "a+r,u+w"] {
            assert!(only_gives(mode), "{mode}");
        }
        for mode in ["600", "700", "go-r", "u=rw", "-x"] {
            assert!(!only_gives(mode), "{mode}");
        }
    }
}
