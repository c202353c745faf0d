//! Translates POSIX regular expressions, basic and extended with GNU's additions, to the syntax of crate `regex`.
//!
//! One difference stays: alternatives are tried from left to right, where POSIX takes the longest match.

/// The two syntaxes of POSIX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    /// `grep`, `grep -G`.
    Basic,
    /// `grep -E`.
    Extended,
}

/// What a pattern means in the syntax of crate `regex`.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Translated {
    pub(crate) pattern: String,
    /// Whether it refers back to a group, which needs a backtracking engine.
    pub(crate) refers_back: bool,
}

/// Translates `pattern`; the error is the sentence that grep prints.
pub(crate) fn translate(pattern: &str, syntax: Syntax) -> Result<Translated, &'static str> {
    let mut reader = Reader {
        rest: pattern.chars().collect::<Vec<_>>().into_iter().peekable(),
        syntax,
        out: String::with_capacity(pattern.len() + 8),
        groups: Vec::new(),
        last: Last::Nothing,
        refers_back: false,
    };
    reader.read()?;
    match reader.groups.is_empty() {
        true => Ok(Translated { pattern: reader.out, refers_back: reader.refers_back }),
        false => Err("Unmatched ( or \\("),
    }
}

/// What a repetition would repeat.
#[derive(Clone, Copy)]
enum Last {
    /// The start of a branch: a star is a plain character there.
    Nothing,
    /// An assertion.
    Anchor,
    /// An atom, from this byte of the output on.
    Atom(usize),
    /// An atom that is repeated already: a further `?` must not make it lazy.
    Repeated(usize),
}

/// A piece of the pattern; basic and extended syntax differ only in how they are written.
enum Token {
    Plain(char),
    Escaped(char),
    Any,
    Bracket,
    Open,
    Close,
    Or,
    Repeat(char),
    Interval,
    Start,
    End,
}

struct Reader {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    syntax: Syntax,
    out: String,
    groups: Vec<usize>,
    last: Last,
    refers_back: bool,
}

impl Reader {
    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(next) = self.rest.next() {
            match self.token(next)? {
                Token::Plain(plain) => self.atom(|out| literal(out, plain)),
                Token::Escaped(escaped) => self.escape(escaped),
                Token::Any => self.atom(|out| out.push('.')),
                Token::Bracket => {
                    let start = self.out.len();
                    self.bracket()?;
                    self.last = Last::Atom(start);
                }
                Token::Open => {
                    self.groups.push(self.out.len());
                    self.out.push('(');
                    self.last = Last::Nothing;
                }
                Token::Close => match self.groups.pop() {
                    Some(start) => {
                        self.out.push(')');
                        self.last = Last::Atom(start);
                    }
                    None if self.syntax == Syntax::Extended => self.atom(|out| literal(out, ')')),
                    None => return Err("Unmatched ) or \\)"),
                },
                Token::Or => {
                    self.out.push('|');
                    self.last = Last::Nothing;
                }
                Token::Repeat(sign) => self.repeat(&sign.to_string()),
                Token::Interval => self.interval()?,
                Token::Start => self.anchor('^'),
                Token::End => self.anchor('$'),
            }
        }
        Ok(())
    }

    fn token(&mut self, next: char) -> Result<Token, &'static str> {
        let basic = self.syntax == Syntax::Basic;
        let at_start = matches!(self.last, Last::Nothing);
        Ok(match next {
            '\\' => {
                let escaped = self.rest.next().ok_or("Trailing backslash")?;
                match escaped {
                    '(' if basic => Token::Open,
                    ')' if basic => Token::Close,
                    '{' if basic && !at_start => Token::Interval,
                    '|' if basic => Token::Or,
                    '+' | '?' if basic && !at_start => Token::Repeat(escaped),
                    other => Token::Escaped(other),
                }
            }
            '.' => Token::Any,
            '[' => Token::Bracket,
            '*' if at_start || (basic && matches!(self.last, Last::Anchor)) => Token::Plain('*'),
            '*' => Token::Repeat('*'),
            '^' if !basic || at_start => Token::Start,
            '$' if !basic || self.ends_branch() => Token::End,
            '(' if !basic => Token::Open,
            ')' if !basic => Token::Close,
            '|' if !basic => Token::Or,
            '+' | '?' if !basic && !at_start => Token::Repeat(next),
            '{' if !basic && !at_start && self.interval_follows() => Token::Interval,
            other => Token::Plain(other),
        })
    }

    /// Whether a basic `$` is the last of its branch, where it is an anchor.
    fn ends_branch(&self) -> bool {
        let mut ahead = self.rest.clone();
        match ahead.next() {
            None => true,
            Some('\\') => matches!(ahead.next(), Some(')' | '|')),
            Some(_) => false,
        }
    }

    /// Whether an extended `{` begins `{N}`, `{N,}`, `{,M}` or `{N,M}`; else it is a plain character.
    fn interval_follows(&self) -> bool {
        let inside: String = self.rest.clone().take_while(|next| *next != '}').collect();
        let closed = self.rest.clone().any(|next| next == '}');
        closed && inside.len() <= 11 && !inside.is_empty() && inside.chars().all(|c| c.is_ascii_digit() || c == ',')
    }

    fn atom(&mut self, write: impl FnOnce(&mut String)) {
        self.last = Last::Atom(self.out.len());
        write(&mut self.out);
    }

    fn anchor(&mut self, sign: char) {
        self.out.push(sign);
        self.last = Last::Anchor;
    }

    fn repeat(&mut self, sign: &str) {
        match self.last {
            Last::Nothing | Last::Anchor => {}
            Last::Atom(start) => {
                self.out.push_str(sign);
                self.last = Last::Repeated(start);
            }
            Last::Repeated(start) => {
                self.out.insert_str(start, "(?:");
                self.out.push(')');
                self.out.push_str(sign);
            }
        }
    }

    fn interval(&mut self) -> Result<(), &'static str> {
        let close = if self.syntax == Syntax::Basic { "\\}" } else { "}" };
        let mut inside = String::new();
        while !inside.ends_with(close) {
            inside.push(self.rest.next().ok_or("Unmatched { or \\{")?);
        }
        inside.truncate(inside.len() - close.len());
        let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
        let number = |text: &str| text.is_empty() || text.parse::<u16>().is_ok();
        if !number(least) || !number(most) || (least.is_empty() && !inside.contains(',')) {
            return Err("Invalid content of \\{\\}");
        }
        let least = if least.is_empty() { "0" } else { least };
        let comma = if inside.contains(',') { "," } else { "" };
        let most = if inside.contains(',') { most } else { "" };
        self.repeat(&format!("{{{least}{comma}{most}}}"));
        Ok(())
    }

    fn escape(&mut self, escaped: char) {
        match escaped {
            '<' => self.out.push_str(r"\b{start}"),
            '>' => self.out.push_str(r"\b{end}"),
            'b' | 'B' => self.out.extend(['\\', escaped]),
            '`' => self.out.push_str(r"\A"),
            '\'' => self.out.push_str(r"\z"),
            'w' | 'W' | 's' | 'S' => return self.atom(|out| out.extend(['\\', escaped])),
            '1'..='9' => {
                self.refers_back = true;
                return self.atom(|out| out.extend(['\\', escaped]));
            }
            other => return self.atom(|out| literal(out, other)),
        }
        self.last = Last::Anchor;
    }

    /// After `[`: in POSIX a backslash is a plain character here, and `]` too when it comes first.
    fn bracket(&mut self) -> Result<(), &'static str> {
        const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            // A negated set never takes the end of the line.
            self.out.push_str("^\\n");
        }
        let mut first = true;
        loop {
            let next = self.rest.next().ok_or(UNMATCHED)?;
            match next {
                ']' if !first => break,
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => {
                    let kind = self.rest.next().ok_or(UNMATCHED)?;
                    let mut name = String::new();
                    while !name.ends_with(&[kind, ']'][..].iter().collect::<String>()) {
                        name.push(self.rest.next().ok_or(UNMATCHED)?);
                    }
                    let name = name.trim_end_matches(']').trim_end_matches(kind);
                    match kind {
                        ':' => self.out.push_str(&format!("[:{name}:]")),
                        _ => name.chars().for_each(|c| literal(&mut self.out, c)),
                    }
                }
                // Between two characters it is a range, first or last it is itself.
                '-' if !first && self.rest.peek() != Some(&']') => self.out.push('-'),
                other => literal(&mut self.out, other),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }
}

/// Writes one character that stands for itself, inside and outside of brackets.
fn literal(out: &mut String, plain: char) {
    if plain.is_ascii_punctuation()
        && !matches!(plain, '<' | '>' | '_' | '"' | '\'' | '`' | '/' | ',' | ';' | ':' | '=' | '!' | '@' | '%')
    {
        out.push('\\');
    }
    out.push(plain);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pattern: &str) -> String {
        translate(pattern, Syntax::Basic).unwrap().pattern
    }

    fn extended(pattern: &str) -> String {
        translate(pattern, Syntax::Extended).unwrap().pattern
    }

    #[test]
    fn basic_syntax_escapes_what_extended_syntax_writes_plainly() {
        assert_eq!(basic(r"a+b?(c)|{1}"), r"a\+b\?\(c\)\|\{1\}");
        assert_eq!(basic(r"\(a\|b\)\{2,3\}x\+"), "(a|b){2,3}x+");
        assert_eq!(extended(r"(a|b){2,3}x+"), "(a|b){2,3}x+");
    }

    #[test]
    fn a_star_without_something_to_repeat_is_itself() {
        assert_eq!(basic("*a"), r"\*a");
        assert_eq!(basic(r"^*a"), r"^\*a");
        assert_eq!(basic(r"\(*a\)"), r"(\*a)");
    }

    #[test]
    fn anchors_are_plain_inside_a_basic_pattern() {
        assert_eq!(basic("a^b$c"), r"a\^b\$c");
        assert_eq!(basic(r"\(^a$\)"), "(^a$)");
        assert_eq!(extended("a^b$"), "a^b$");
    }

    #[test]
    fn a_backslash_in_brackets_is_itself() {
        assert_eq!(basic(r"[\d]"), r"[\\d]");
        assert_eq!(basic("[]a-z-]"), r"[\]a-z\-]");
        assert_eq!(basic("[^[:alpha:]_]"), r"[^\n[:alpha:]_]");
        assert_eq!(basic("[a&&b]"), r"[a\&\&b]");
    }

    #[test]
    fn repeating_a_repetition_does_not_make_it_lazy() {
        assert_eq!(extended("a+?"), "(?:a+)?");
        assert_eq!(extended("(ab)*?"), "(?:(ab)*)?");
    }

    #[test]
    fn a_brace_that_is_no_interval_is_itself() {
        assert_eq!(extended("a{b}"), r"a\{b\}");
        assert_eq!(extended("a{,3}"), "a{0,3}");
    }

    #[test]
    fn references_are_told() {
        assert!(translate(r"\(a\)\1", Syntax::Basic).unwrap().refers_back);
        assert!(!translate(r"\(a\)", Syntax::Basic).unwrap().refers_back);
    }

    #[test]
    fn broken_patterns_are_refused_in_the_words_of_grep() {
        assert_eq!(translate("(a", Syntax::Extended), Err("Unmatched ( or \\("));
        assert_eq!(translate("[a", Syntax::Basic), Err("Unmatched [, [^, [:, [., or [="));
        assert_eq!(translate("a\\", Syntax::Basic), Err("Trailing backslash"));
    }
}
