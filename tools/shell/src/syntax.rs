//! Scripts to syntax trees, by the grammar of `brush-parser`.

use crate::error::SyntaxError;
use crate::words;
use brush_parser::ast::Program;
use brush_parser::{ParserOptions, Token, parse_tokens, uncached_tokenize_str};

/// Deepest nesting of commands: the parser recurses, and the stack of a component is small.
const DEEPEST: usize = 60;
/// Deepest nesting of parentheses: the grammar tries each `((` as arithmetic too, which doubles its time.
const DEEPEST_PARENTHESES: usize = 16;

/// Reads a script.
///
/// # Errors
/// When it is no script; the text says where, and names constructs that are known and not supported.
pub(crate) fn program(source: &str) -> Result<Program, SyntaxError> {
    let options = ParserOptions::default();
    check_nesting(source)?;
    words::check_here_documents(source)?;
    let tokens = uncached_tokenize_str(source, &options.tokenizer_options())
        .map_err(|error| SyntaxError::new(format!("syntax error: {error}")))?;
    check(&tokens)?;
    let tokens = separate_for_parts(tokens);
    parse_tokens(&tokens, &options).map_err(|error| SyntaxError::new(explain(&error.to_string(), &tokens)))
}

/// Counts openings before the tokenizer does, which recurses on them too.
fn check_nesting(source: &str) -> Result<(), SyntaxError> {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for next in source.bytes() {
        match next {
            b'(' | b'{' => open += 1,
            b')' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    // Quoted brackets count too; text with so many of them belongs into a file.
    if deepest > DEEPEST {
        return Err(SyntaxError::new(format!("brackets are nested deeper than {DEEPEST}; move the text to a file")));
    }
    Ok(())
}

fn check(tokens: &[Token]) -> Result<(), SyntaxError> {
    const OPENING: [&str; 6] = ["if", "while", "until", "for", "case", "select"];
    const CLOSING: [&str; 3] = ["fi", "done", "esac"];
    let (mut open, mut parentheses) = (0_usize, 0_usize);
    for token in tokens {
        match token.to_str() {
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        if parentheses > DEEPEST_PARENTHESES {
            let message = format!("parentheses are nested deeper than {DEEPEST_PARENTHESES}");
            return Err(SyntaxError::new(message));
        }
        let Token::Word(word, _) = token else { continue };
        if word.len() > 9 && word.bytes().all(|next| next.is_ascii_digit()) && redirects(tokens, token) {
            // The grammar takes it for the number of a stream.
            return Err(SyntaxError::new(format!("{word}: Bad file descriptor")));
        }
        if OPENING.contains(&word.as_str()) {
            open += 1;
        } else if CLOSING.contains(&word.as_str()) {
            open = open.saturating_sub(1);
        }
        if open > 4 * DEEPEST {
            return Err(SyntaxError::new("commands are nested too deep"));
        }
    }
    Ok(())
}

/// `for ((;;))`: the grammar wants two separators where the tokenizer sees the end of a case.
fn separate_for_parts(tokens: Vec<Token>) -> Vec<Token> {
    let mut parts = Vec::with_capacity(tokens.len());
    let mut in_for = false;
    for token in tokens {
        match &token {
            Token::Word(word, _) => in_for |= word == "for",
            Token::Operator(operator, location) if in_for && operator == ";;" => {
                parts.push(Token::Operator(";".to_owned(), location.clone()));
                parts.push(Token::Operator(";".to_owned(), location.clone()));
                continue;
            }
            Token::Operator(operator, _) => in_for &= operator != "\n" && operator != ";" || is_open_for(&parts),
        }
        parts.push(token);
    }
    parts
}

/// Whether the last `for` is followed by `((` and not yet by `))`.
fn is_open_for(tokens: &[Token]) -> bool {
    let after = tokens.iter().rev().take_while(|token| token.to_str() != "for");
    let mut after: Vec<&str> = after.map(Token::to_str).collect();
    after.reverse();
    after.starts_with(&["(", "("]) && !after.windows(2).any(|pair| pair == [")", ")"])
}

fn redirects(tokens: &[Token], word: &Token) -> bool {
    tokens.windows(2).any(|pair| {
        std::ptr::eq(&pair[0], word)
            && matches!(&pair[1], Token::Operator(operator, _) if operator.starts_with(['<', '>']))
    })
}

/// A plain sentence for what the grammar refuses.
fn explain(error: &str, tokens: &[Token]) -> String {
    let has = |wanted: &str| tokens.iter().any(|token| matches!(token, Token::Word(word, _) if word == wanted));
    if has("select") {
        return "select is not supported: there is no terminal to choose at".to_owned();
    }
    if tokens.iter().any(|token| matches!(token, Token::Word(word, _) if word.contains("$(case ")))
        || (has("esac") && error.contains("syntax error"))
    {
        return format!("{error}; inside $(...) write the patterns of case with both parentheses: (pattern)");
    }
    error.to_owned()
}
