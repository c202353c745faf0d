//! Every script ends, and quoted text is read back as it was.
//! The first letter tells what follows: `q` text to quote, `a` an expression, any other a script.

use crate::quote;
use crate::testing::{Done, run, run_for};

/// The longest input that is tried, in bytes.
const LONGEST: usize = 1 << 10;
/// Commands and rounds of loops that a script may run: what is generated may loop and grow forever.
const STEPS: usize = 60;
/// Most brackets in text to quote: quoted ones count as nesting too.
const MOST_BRACKETS: usize = 40;
/// Places of the machine whose files have no end.
const ENDLESS: [&str; 3] = ["dev", "proc", "sys"];
/// What an expression is made of that is sure to be nothing else.
const OPERATORS: &str = " +-*/%<>=&|^!~?:,#";

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut letters = text.chars();
    let Some(kind) = letters.next() else { return };
    let text = letters.as_str();
    if text.len() > LONGEST || text.contains('\0') || ENDLESS.iter().any(|place| text.contains(place)) {
        return;
    }
    match kind {
        'q' if text.matches(['(', '{']).count() <= MOST_BRACKETS => quoted(text),
        'q' => {}
        'a' => evaluated(text),
        _ => drop(run_for(text, STEPS)),
    }
}

fn quoted(text: &str) {
    let command = format!("printf %s {}", quote(text));
    for script in [
        command.clone(),
        format!("eval {}", quote(&command)),
        format!("x={}; printf %s \"$x\"", quote(text)),
        format!("x=$(printf %q {}; echo .); eval \"printf %s ${{x%.}}\"", quote(text)),
        format!("x={}; y=$(declare -p x); unset x; eval \"$y\"; printf %s \"$x\"", quote(text)),
        format!("f() {{ printf %s \"$1\"; }}; set -- {}; f \"$@\"", quote(text)),
    ] {
        let done = run(&script);
        assert_eq!((done.output.as_str(), done.errors.as_str(), done.code), (text, "", Ok(0)), "{script}");
    }
}

/// What has a value has a number, and the same one where a variable holds the expression.
fn evaluated(text: &str) {
    let plain = |letter: char| letter.is_ascii_digit() || ('a'..='y').contains(&letter) || OPERATORS.contains(letter);
    if !text.chars().all(plain) {
        return drop(run(&format!("echo $(({text}))")));
    }
    let Some(value) = number(&run(&format!("echo $(({text}))"))) else { return };
    let held = number(&run(&format!("z={}; echo $((z))", quote(text))));
    assert_eq!(held.unwrap_or(value), value, "{text}");
    let tested = run(&format!("((({text}) != 0))"));
    if tested.errors.is_empty() {
        assert_eq!(tested.code, Ok(u8::from(value == 0)), "{text}");
    }
}

/// The number that a script gave without complaint.
fn number(done: &Done) -> Option<i64> {
    let good = done.errors.is_empty() && done.code == Ok(0);
    good.then(|| done.output.trim_end().parse().unwrap_or_else(|_| panic!("{:?} is no number", done.output)))
}
