//! Options of uutils that need what the sandbox has not (threads, modes, owners), said in another way.

use std::ffi::OsString;

/// A short option of a utility, its long name, and what is said instead; none means that it is refused.
struct Rewrite {
    utility: &'static str,
    short: char,
    long: &'static str,
    instead: Option<&'static [&'static str]>,
}

const REWRITES: &[Rewrite] = &[
    // There are neither modes nor owners to keep.
    Rewrite { utility: "cp", short: 'a', long: "--archive", instead: Some(&["-dR", "--preserve=timestamps"]) },
    Rewrite { utility: "cp", short: 'p', long: "--preserve", instead: Some(&["--preserve=timestamps"]) },
    // Sorting sorted files gives what merging them does; both would take threads.
    Rewrite { utility: "sort", short: 'm', long: "--merge", instead: Some(&[]) },
    Rewrite { utility: "sort", short: 'c', long: "--check", instead: None },
    Rewrite { utility: "sort", short: 'C', long: "--check=quiet", instead: None },
];

/// Letters of short options that take the rest of their word as a value.
const WITH_VALUE: &[(&str, &str)] = &[("cp", "tS"), ("sort", "kotST")];

/// The arguments as the utility can follow them.
///
/// # Errors
/// The option that it cannot follow in any way.
pub fn rewrite(utility: &str, arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    if !REWRITES.iter().any(|rewrite| rewrite.utility == utility) {
        return Ok(arguments);
    }
    let mut out = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    out.extend(arguments.next());
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => {
                out.push(argument);
                out.extend(arguments.by_ref());
            }
            Some(word) if word.starts_with("--") => match of(utility, |rewrite| rewrite.long == word) {
                Some(rewrite) => out.extend(replacement(rewrite)?),
                None => out.push(argument),
            },
            Some(word) if word.starts_with('-') && word.len() > 1 => letters(utility, word, &mut out)?,
            _ => out.push(argument),
        }
    }
    Ok(out)
}

fn of(utility: &str, is: impl Fn(&Rewrite) -> bool) -> Option<&'static Rewrite> {
    REWRITES.iter().find(|rewrite| rewrite.utility == utility && is(rewrite))
}

fn replacement(rewrite: &Rewrite) -> Result<impl Iterator<Item = OsString>, String> {
    let words = rewrite
        .instead
        .ok_or_else(|| format!("{}: -{} is not offered inside the sandbox", rewrite.utility, rewrite.short))?;
    Ok(words.iter().map(OsString::from))
}

/// Short options in one word; those after a letter with a value are the value.
fn letters(utility: &str, word: &str, out: &mut Vec<OsString>) -> Result<(), String> {
    let with_value = WITH_VALUE.iter().find(|(name, _)| *name == utility).map_or("", |(_, letters)| letters);
    let mut kept = String::from("-");
    let mut rest = word[1..].chars();
    while let Some(letter) = rest.next() {
        if let Some(rewrite) = of(utility, |rewrite| rewrite.short == letter) {
            out.extend(replacement(rewrite)?);
            continue;
        }
        kept.push(letter);
        if with_value.contains(letter) {
            kept.push_str(rest.as_str());
            break;
        }
    }
    if kept.len() > 1 {
        out.push(kept.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    fn words(utility: &str, words: &[&str]) -> Result<Vec<String>, String> {
        let words = words.iter().map(std::ffi::OsString::from).collect();
        rewrite(utility, words).map(|words| words.iter().map(|word| word.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn what_cannot_be_kept_is_not_asked_for() {
        assert_eq!(
            words("cp", &["cp", "-av", "a", "b"]),
            Ok(["cp", "-dR", "--preserve=timestamps", "-v", "a", "b"].map(String::from).to_vec())
        );
        assert_eq!(words("cp", &["cp", "--", "-a"]), Ok(["cp", "--", "-a"].map(String::from).to_vec()));
    }

    #[test]
    fn a_value_is_not_taken_for_options() {
        assert_eq!(words("sort", &["sort", "-mnk2,2m"]), Ok(["sort", "-nk2,2m"].map(String::from).to_vec()));
        assert_eq!(words("sort", &["sort", "-tc"]), Ok(["sort", "-tc"].map(String::from).to_vec()));
        assert!(words("sort", &["sort", "-c"]).is_err());
    }
}
