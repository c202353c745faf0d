//! Patterns as in pathname expansion, `case` and `${x#...}`.
//!
//! A pattern is matched by the set of all positions that it can reach, so that no pattern needs exponential time.

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `[...]`
    Class {
        negated: bool,
        items: Vec<ClassItem>,
    },
    /// `?(...)`, `*(...)`, `+(...)`, `@(...)`, `!(...)`
    Group(char, Vec<Vec<Token>>),
}

#[derive(Debug, Clone, PartialEq)]
enum ClassItem {
    Range(char, char),
    Named(String),
}

/// A pattern, ready to be matched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

/// Text in which quoted characters stand for themselves.
pub(crate) type Quoted = Vec<(char, bool)>;

/// `text` with every character quoted or none.
pub(crate) fn characters(text: &str, quoted: bool) -> Quoted {
    text.chars().map(|next| (next, quoted)).collect()
}

/// Whether there is anything in it but literal text.
pub(crate) fn is_pattern(text: &[(char, bool)], extended: bool) -> bool {
    let mut previous_group = false;
    for (next, quoted) in text {
        match next {
            '*' | '?' | '[' if !quoted => return true,
            '(' if !quoted && previous_group && extended => return true,
            _ => previous_group = !quoted && "@!+".contains(*next),
        }
    }
    false
}

impl Pattern {
    /// Reads a pattern; `extended` allows groups such as `@(a|b)`.
    pub(crate) fn new(text: &[(char, bool)], extended: bool) -> Self {
        let mut reader = Reader { text, at: 0, extended };
        let mut tokens = Vec::new();
        while reader.at < text.len() {
            tokens.push(reader.token());
        }
        Self { tokens }
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        ends(&self.tokens, &text, vec![0]).last() == Some(&text.len())
    }

    /// The length of the shortest or longest start of `text` that matches.
    pub(crate) fn prefix(&self, text: &[char], longest: bool) -> Option<usize> {
        let ends = ends(&self.tokens, text, vec![0]);
        if longest { ends.last().copied() } else { ends.first().copied() }
    }

    /// The length of the shortest or longest end of `text` that matches.
    pub(crate) fn suffix(&self, text: &[char], longest: bool) -> Option<usize> {
        let reversed: Vec<char> = text.iter().rev().copied().collect();
        Self { tokens: reverse(&self.tokens) }.prefix(&reversed, longest)
    }

    /// The text, if the pattern is nothing else.
    pub(crate) fn literal(&self) -> Option<String> {
        let character = |token: &Token| if let Token::Char(next) = token { Some(*next) } else { None };
        self.tokens.iter().map(character).collect()
    }
}

fn reverse(tokens: &[Token]) -> Vec<Token> {
    let turned = |token: &Token| match token {
        Token::Group(kind, choices) => Token::Group(*kind, choices.iter().map(|choice| reverse(choice)).collect()),
        other => other.clone(),
    };
    tokens.iter().rev().map(turned).collect()
}

/// All positions, sorted, that `tokens` reach from any of `starts`.
fn ends(tokens: &[Token], text: &[char], starts: Vec<usize>) -> Vec<usize> {
    let mut positions = starts;
    for token in tokens {
        positions = match token {
            Token::Star => positions.first().map_or(Vec::new(), |first| (*first..=text.len()).collect()),
            Token::Group(kind, choices) => group_ends(*kind, choices, text, positions),
            single => {
                let fits = |at: &usize| text.get(*at).is_some_and(|next| single_matches(single, *next));
                positions.into_iter().filter(fits).map(|at| at + 1).collect()
            }
        };
        if positions.is_empty() {
            break;
        }
    }
    positions
}

fn group_ends(kind: char, choices: &[Vec<Token>], text: &[char], starts: Vec<usize>) -> Vec<usize> {
    let once = |starts: &[usize]| union(choices.iter().map(|choice| ends(choice, text, starts.to_vec())));
    match kind {
        '@' => once(&starts),
        '?' => union([once(&starts), starts]),
        '!' => {
            let other = |start: usize| {
                let taken = once(&[start]);
                (start..=text.len()).filter(move |end| taken.binary_search(end).is_err()).collect()
            };
            union(starts.into_iter().map(other))
        }
        _ => {
            let mut reached = if kind == '*' { starts.clone() } else { Vec::new() };
            let mut newest = starts;
            loop {
                newest = once(&newest);
                newest.retain(|end| reached.binary_search(end).is_err());
                if newest.is_empty() {
                    return reached;
                }
                reached = union([reached, newest.clone()]);
            }
        }
    }
}

fn union(sets: impl IntoIterator<Item = Vec<usize>>) -> Vec<usize> {
    let mut all: Vec<usize> = sets.into_iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn single_matches(token: &Token, next: char) -> bool {
    match token {
        Token::Char(wanted) => *wanted == next,
        Token::Any => true,
        Token::Class { negated, items } => items.iter().any(|item| item.holds(next)) != *negated,
        Token::Star | Token::Group(..) => false,
    }
}

impl ClassItem {
    fn holds(&self, next: char) -> bool {
        match self {
            Self::Range(first, last) => (*first..=*last).contains(&next),
            Self::Named(name) => match name.as_str() {
                "alpha" => next.is_alphabetic(),
                "digit" => next.is_ascii_digit(),
                "alnum" => next.is_alphanumeric(),
                "upper" => next.is_uppercase(),
                "lower" => next.is_lowercase(),
                "space" => next.is_whitespace(),
                "blank" => next == ' ' || next == '\t',
                "punct" => next.is_ascii_punctuation(),
                "xdigit" => next.is_ascii_hexdigit(),
                "cntrl" => next.is_control(),
                "print" => !next.is_control(),
                "graph" => !next.is_control() && !next.is_whitespace(),
                "word" => next.is_alphanumeric() || next == '_',
                _ => false,
            },
        }
    }
}

struct Reader<'a> {
    text: &'a [(char, bool)],
    at: usize,
    extended: bool,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<(char, bool)> {
        self.text.get(self.at + ahead).copied()
    }

    fn token(&mut self) -> Token {
        let Some((next, quoted)) = self.peek(0) else { return Token::Star };
        if quoted {
            self.at += 1;
            return Token::Char(next);
        }
        if self.extended
            && "?*+@!".contains(next)
            && self.peek(1) == Some(('(', false))
            && let Some(group) = self.group(next)
        {
            return group;
        }
        if next == '['
            && let Some(class) = self.class()
        {
            return class;
        }
        self.at += 1;
        match next {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => {
                // A backslash that came out of an expansion escapes the next character.
                let escaped = self.peek(0).map_or('\\', |(escaped, _)| escaped);
                self.at += 1;
                Token::Char(escaped)
            }
            other => Token::Char(other),
        }
    }

    /// `X(a|b)`; `None`, with nothing taken, if it is not closed.
    fn group(&mut self, kind: char) -> Option<Token> {
        let start = self.at;
        self.at += 2;
        let mut choices = vec![Vec::new()];
        loop {
            match self.peek(0) {
                Some((')', false)) => {
                    self.at += 1;
                    return Some(Token::Group(kind, choices));
                }
                Some(('|', false)) => {
                    self.at += 1;
                    choices.push(Vec::new());
                }
                Some(_) => {
                    let token = self.token();
                    choices.last_mut()?.push(token);
                }
                None => {
                    self.at = start;
                    // Not a group, then; and so are those further in, which keeps this linear.
                    self.extended = false;
                    return None;
                }
            }
        }
    }

    /// `[...]`; `None`, with nothing taken, if it is not closed.
    fn class(&mut self) -> Option<Token> {
        let mut at = self.at + 1;
        let get = |at: usize| self.text.get(at).copied();
        let negated = matches!(get(at), Some(('!' | '^', false)));
        at += usize::from(negated);
        let mut items = Vec::new();
        let first = at;
        loop {
            let (next, quoted) = get(at)?;
            if next == ']' && !quoted && at > first {
                self.at = at + 1;
                return Some(Token::Class { negated, items });
            }
            if next == '[' && !quoted && get(at + 1) == Some((':', false)) {
                let name: String =
                    self.text.get(at + 2..)?.iter().map(|(next, _)| *next).take_while(|next| *next != ':').collect();
                let end = at + 2 + name.chars().count();
                if get(end + 1).is_some_and(|(next, _)| next == ']') {
                    items.push(ClassItem::Named(name));
                    at = end + 2;
                    continue;
                }
            }
            let escaped = next == '\\' && !quoted;
            at += usize::from(escaped);
            let (low, _) = get(at)?;
            at += 1;
            match (get(at), get(at + 1)) {
                (Some(('-', false)), Some((high, high_quoted))) if high != ']' || high_quoted => {
                    items.push(ClassItem::Range(low, high));
                    at += 2;
                }
                _ => items.push(ClassItem::Range(low, low)),
            }
        }
    }
}
