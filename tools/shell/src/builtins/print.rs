//! `echo`.

use crate::error::Run;
use crate::quote::{Escapes, unescape};
use crate::shell::Shell;
use crate::system::System;

/// `echo [-neE] words...`
pub(super) fn echo<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut rest = words.get(1..).unwrap_or_default();
    let (mut newline, mut escapes) = (true, false);
    while let [option, others @ ..] = rest {
        let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
        if !letters.chars().all(|letter| "neE".contains(letter)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                other => escapes = other == 'e',
            }
        }
        rest = others;
    }
    let text = rest.join(" ");
    let (mut bytes, ended) = if escapes { unescape(&text, Escapes::Echo) } else { (text.into_bytes(), false) };
    if newline && !ended {
        bytes.push(b'\n');
    }
    shell.print(&bytes)
}
