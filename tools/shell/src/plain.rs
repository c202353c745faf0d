//! Commands that mean the same to everyone who reads them: one program and literal words.

use crate::error::SyntaxError;
use crate::syntax;
use crate::words::{self, Piece};
use brush_parser::ast::{
    Command, CommandPrefixOrSuffixItem, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    SeparatorOperator, SimpleCommand, Word,
};

/// One program of a pipeline, with literal words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Its name and its arguments, without quotes.
    pub words: Vec<String>,
    /// Where its errors go, as the shell reads it: nothing, `2>&1` or `2>/dev/null`.
    pub errors: &'static str,
}

/// The programs of a command that is a program with literal words, quoted or not, or a pipeline of such. `None` when it
/// is anything else: a list, an expansion, a pattern, another redirection, an assignment.
///
/// # Errors
/// When it is no command at all.
pub fn plain(source: &str) -> Result<Option<Vec<Plain>>, SyntaxError> {
    let program = syntax::program(source)?;
    let [list] = &program.complete_commands[..] else { return Ok(None) };
    let [item] = &list.0[..] else { return Ok(None) };
    if !item.0.additional.is_empty() || !matches!(item.1, SeparatorOperator::Sequence) {
        return Ok(None);
    }
    let Pipeline { timed: None, bang: false, seq } = &item.0.first else { return Ok(None) };
    let one = |command: &Command| match command {
        Command::Simple(command) => literal_words(command),
        _ => Ok(None),
    };
    seq.iter().map(one).collect()
}

fn literal_words(command: &SimpleCommand) -> Result<Option<Plain>, SyntaxError> {
    let (None, Some(name)) = (&command.prefix, &command.word_or_name) else { return Ok(None) };
    let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
    let (mut words, mut errors) = (Vec::new(), "");
    for item in suffix.clone() {
        if let CommandPrefixOrSuffixItem::IoRedirect(redirect) = item {
            let Some(where_to) = errors_of(redirect).filter(|_| errors.is_empty()) else { return Ok(None) };
            errors = where_to;
        }
    }
    let words_of = suffix.filter(|item| !matches!(item, CommandPrefixOrSuffixItem::IoRedirect(_))).map(word_of);
    for word in std::iter::once(Some(name)).chain(words_of) {
        let Some(literal) = word.map(literal).transpose()?.flatten() else { return Ok(None) };
        words.push(literal);
    }
    Ok(Some(Plain { words, errors }))
}

/// What a redirection does if it sends errors to the output or away.
fn errors_of(redirect: &IoRedirect) -> Option<&'static str> {
    match redirect {
        IoRedirect::File(Some(2), IoFileRedirectKind::DuplicateOutput, IoFileRedirectTarget::Duplicate(word)) => {
            (word.value == "1").then_some("2>&1")
        }
        IoRedirect::File(Some(2), IoFileRedirectKind::DuplicateOutput, IoFileRedirectTarget::Fd(1)) => Some("2>&1"),
        IoRedirect::File(Some(2), IoFileRedirectKind::Write, IoFileRedirectTarget::Filename(word)) => {
            (word.value == "/dev/null").then_some("2>/dev/null")
        }
        _ => None,
    }
}

fn word_of(item: &CommandPrefixOrSuffixItem) -> Option<&Word> {
    match item {
        // An assignment after the name of a program is an argument of it.
        CommandPrefixOrSuffixItem::Word(word) | CommandPrefixOrSuffixItem::AssignmentWord(_, word) => Some(word),
        _ => None,
    }
}

fn literal(word: &Word) -> Result<Option<String>, SyntaxError> {
    Ok(words::word(&word.value)?.iter().map(text).collect())
}

fn text(piece: &Piece) -> Option<String> {
    match piece {
        Piece::Text(text) => (!text.contains(['*', '?', '[', '{'])).then(|| text.clone()),
        Piece::Quoted(text) => Some(text.clone()),
        Piece::Double(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                // Between quotes nothing is a pattern.
                Piece::Text(text) | Piece::Quoted(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Plain, plain};

    #[test]
    fn literal_words_are_plain() {
        let cases: [(&str, &[&str]); 7] = [
            ("scripts/get.sh", &["scripts/get.sh"]),
            ("python3 get.py 'New York' --units=metric", &["python3", "get.py", "New York", "--units=metric"]),
            (r#"get.sh "a *? [b] {c,d}" '$HOME `x`' e\ f"#, &["get.sh", "a *? [b] {c,d}", "$HOME `x`", "e f"]),
            ("get.sh ''", &["get.sh", ""]),
            ("get.sh a=b", &["get.sh", "a=b"]),
            ("get.sh x # why", &["get.sh", "x"]),
            ("get.sh $'a\\nb'", &["get.sh", "a\nb"]),
        ];
        for (source, words) in cases {
            let expected: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let expected = Plain { words: expected, errors: "" };
            assert_eq!(plain(source), Ok(Some(vec![expected])), "{source}");
        }
    }

    #[test]
    fn a_pipeline_of_plain_programs_is_plain() {
        let shown = |source: &str| {
            let stages = plain(source).unwrap().unwrap();
            stages.iter().map(|stage| stage.words.join("+") + stage.errors).collect::<Vec<_>>()
        };
        assert_eq!(shown("a x | 'b' 2>&1 | c y 2>/dev/null"), ["a+x", "b2>&1", "c+y2>/dev/null"]);
        assert_eq!(shown("a |& b"), ["a2>&1", "b"]);
    }

    #[test]
    fn everything_that_runs_or_expands_more_is_not_plain() {
        let cases = [
            "a; b",
            "a && b",
            "a || b",
            "a | $b",
            "a 2> f",
            "a 2>&1 2>&1",
            "a 1>&2",
            "a &",
            "a\nb",
            "! a",
            "time a",
            "a > f",
            "a < f",
            "X=1 a",
            "X=1",
            "a $X",
            "a \"$X\"",
            "a $(b)",
            "a `b`",
            "a \"$(b)\"",
            "a *",
            "a {b,c}",
            "a ?",
            "~/a",
            "a <(b)",
            "(a)",
            "{ a; }",
            "if a; then b; fi",
            "f() { a; }",
            "a <<E\nb\nE",
            "a $((1))",
            "[[ a ]]",
            "",
        ];
        for source in cases {
            assert!(matches!(plain(source), Ok(None)), "{source}: {:?}", plain(source));
        }
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(plain("a 'b").is_err());
    }
}
