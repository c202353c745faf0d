//! Commands that mean the same to everyone who reads them: one program and literal words.

use crate::error::SyntaxError;
use crate::syntax;
use crate::words::{self, Piece};
use brush_parser::ast::{Command, CommandPrefixOrSuffixItem, Pipeline, SeparatorOperator, SimpleCommand, Word};

/// The words of a command that is a single program with literal words, quoted or not. `None` when it is anything
/// else: a list, a pipeline, an expansion, a pattern, a redirection, an assignment.
///
/// # Errors
/// When it is no command at all.
pub fn plain_words(source: &str) -> Result<Option<Vec<String>>, SyntaxError> {
    let program = syntax::program(source)?;
    let [list] = &program.complete_commands[..] else { return Ok(None) };
    let [item] = &list.0[..] else { return Ok(None) };
    if !item.0.additional.is_empty() || !matches!(item.1, SeparatorOperator::Sequence) {
        return Ok(None);
    }
    let Pipeline { timed: None, bang: false, seq } = &item.0.first else { return Ok(None) };
    match &seq[..] {
        [Command::Simple(command)] => literal_words(command),
        _ => Ok(None),
    }
}

fn literal_words(command: &SimpleCommand) -> Result<Option<Vec<String>>, SyntaxError> {
    let (None, Some(name)) = (&command.prefix, &command.word_or_name) else { return Ok(None) };
    let suffix = command.suffix.iter().flat_map(|suffix| &suffix.0);
    let mut words = Vec::new();
    for word in std::iter::once(Some(name)).chain(suffix.map(word_of)) {
        let Some(literal) = word.map(literal).transpose()?.flatten() else { return Ok(None) };
        words.push(literal);
    }
    Ok(Some(words))
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
    use super::plain_words;

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
            assert_eq!(plain_words(source), Ok(Some(expected)), "{source}");
        }
    }

    #[test]
    fn everything_that_runs_or_expands_more_is_not_plain() {
        let cases = [
            "a; b",
            "a && b",
            "a || b",
            "a | b",
            "a &",
            "a\nb",
            "! a",
            "time a",
            "a > f",
            "a < f",
            "a 2>&1",
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
            assert!(matches!(plain_words(source), Ok(None)), "{source}: {:?}", plain_words(source));
        }
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(plain_words("a 'b").is_err());
    }
}
