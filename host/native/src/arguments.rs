//! The arguments of a program, checked before it starts: sizes, refused options, and paths outside the grants.
//!
//! The walls confine the program whatever its arguments say. These checks refuse early and name the missing grant.

use crate::directory::{never, normal};
use crate::{Directory, NativeError, ProgramGrant, rules};
use std::path::Path;

/// Most words of a command.
const MAX_WORDS: usize = 4096;
/// Most bytes of all words of a command together.
const MAX_BYTES: usize = 128 << 10;
/// The one device that may stand as an argument.
const NULL_DEVICE: &str = "/dev/null";

/// Checks a command against its grant and the directories of the call.
pub(crate) fn check(
    grant: &ProgramGrant,
    argv: &[String],
    cwd: &Path,
    directories: &[Directory],
    has_input: bool,
) -> Result<(), NativeError> {
    check_sizes(argv)?;
    if !grant.covers(argv) {
        let reason = format!("`{}` is not covered by the grant `programs={grant}`", shown(argv));
        return Err(NativeError::Denied { grant: ProgramGrant::suggestion(argv), reason });
    }
    let rules = rules::of(grant.name());
    if let Some(option) = rules.and_then(|rules| rules.refused_option(argv)) {
        return Err(NativeError::Refused(format!(
            "`{}` with `{option}` never runs natively: the option can start other programs or leave the granted files",
            grant.name()
        )));
    }
    let mut text = false;
    for argument in &argv[1..] {
        if !text {
            check_path(argument, rules, cwd, directories, has_input)?;
        }
        text = rules.is_some_and(|rules| rules.takes_text(argument));
    }
    Ok(())
}

/// Checks what no grant can change.
pub(crate) fn check_sizes(argv: &[String]) -> Result<(), NativeError> {
    let bytes: usize = argv.iter().map(|word| word.len() + 1).sum();
    let refuse = |reason: String| Err(NativeError::Refused(reason));
    match argv {
        [] => refuse("a command needs at least the name of its program".to_owned()),
        _ if argv.len() > MAX_WORDS || bytes > MAX_BYTES => {
            refuse(format!("a command has at most {MAX_WORDS} words and {MAX_BYTES} bytes"))
        }
        _ if argv.iter().any(|word| word.contains('\0')) => refuse("an argument has a NUL byte".to_owned()),
        _ => Ok(()),
    }
}

/// Refuses an argument that names a file outside the granted directories.
fn check_path(
    argument: &str,
    rules: Option<&rules::Rules>,
    cwd: &Path,
    directories: &[Directory],
    has_input: bool,
) -> Result<(), NativeError> {
    if argument == "-" && !has_input {
        return Err(NativeError::Refused("`-` names the standard input, and there is none".to_owned()));
    }
    let Some(path) = path_of(argument, rules) else { return Ok(()) };
    let full = normal(cwd, Path::new(path));
    if path == NULL_DEVICE || directories.iter().any(|directory| full.starts_with(directory.path())) {
        return Ok(());
    }
    if never(&full) {
        return Err(NativeError::Refused(format!("`{path}` never goes to a native program, whatever is granted")));
    }
    let directory = full.parent().unwrap_or(&full);
    Err(NativeError::files(directory, "read", format!("`{path}` is outside the granted directories")))
}

/// The part of an argument that is a path leading elsewhere: an absolute one, or one with `..`. Plain relative ones
/// stay below the working directory.
fn path_of<'a>(argument: &'a str, rules: Option<&rules::Rules>) -> Option<&'a str> {
    let value = match (argument.strip_prefix("--"), argument.strip_prefix('-')) {
        (Some(_), _) => {
            let (option, value) = argument.split_once('=')?;
            if rules.is_some_and(|rules| rules.takes_text(option)) {
                return None;
            }
            value
        }
        // `-f/etc/passwd`, `-f../x`, `-f=/etc/passwd`: one letter, then its value.
        (None, Some(rest)) => {
            let letter = rest.chars().next()?;
            if rules.is_some_and(|rules| rules.takes_text(&argument[..1 + letter.len_utf8()])) {
                return None;
            }
            rest[letter.len_utf8()..].trim_start_matches('=')
        }
        (None, None) => argument,
    };
    let leads_up = Path::new(value).components().any(|component| component == std::path::Component::ParentDir);
    (value.starts_with('/') || leads_up).then_some(value)
}

/// A command for a message: its first words, with everything that could act on a terminal escaped.
pub(crate) fn shown(argv: &[String]) -> String {
    const MOST: usize = 120;
    let text = argv.join(" ");
    let cut: String = text.chars().take(MOST).collect();
    let dots = if cut.len() < text.len() { " ..." } else { "" };
    let escaped: String = cut
        .chars()
        .flat_map(|c| if (' '..='~').contains(&c) { vec![c] } else { c.escape_default().collect() })
        .collect();
    escaped + dots
}
