//! The command line of `find`, and the expression it makes.

use chiton_posix_regex::Syntax;

use super::Problem;
use super::action::Action;
use super::pattern;
use super::test::Test;
use super::walk::{Answer, Entry, Walk};

/// Which links are followed.
#[derive(Clone, Copy, PartialEq)]
pub enum Follow {
    /// `-P`: none.
    Never,
    /// `-H`: those on the command line.
    Roots,
    /// `-L`: all.
    Always,
}

/// What holds for the whole walk.
pub struct Options {
    /// Which links are followed.
    pub follow: Follow,
    /// Directories below a root that are entered, at most.
    pub max_depth: Option<usize>,
    /// Files nearer to a root than this are not looked at.
    pub min_depth: usize,
    /// A directory comes after what is in it.
    pub depth_first: bool,
}

/// What is true or not for a file; evaluating it may do something.
pub enum Expression {
    /// Both, the second only if the first is true.
    And(Box<Expression>, Box<Expression>),
    /// Either, the second only if the first is false.
    Or(Box<Expression>, Box<Expression>),
    /// The second's value; the first is evaluated before.
    Then(Box<Expression>, Box<Expression>),
    /// The opposite.
    Not(Box<Expression>),
    /// A question about the file.
    Test(Test),
    /// Something to do, with the value of its success.
    Action(Action),
}

impl Expression {
    /// Whether it is true for this file.
    pub fn evaluate(&mut self, entry: &Entry, walk: &mut Walk, answer: &mut Answer) -> bool {
        if answer.quit {
            return false;
        }
        match self {
            Self::And(first, second) => first.evaluate(entry, walk, answer) && second.evaluate(entry, walk, answer),
            Self::Or(first, second) => first.evaluate(entry, walk, answer) || second.evaluate(entry, walk, answer),
            Self::Then(first, second) => {
                first.evaluate(entry, walk, answer);
                second.evaluate(entry, walk, answer)
            }
            Self::Not(inner) => !inner.evaluate(entry, walk, answer),
            Self::Test(test) => test.holds(entry),
            Self::Action(action) => action.perform(entry, walk, answer),
        }
    }

    /// Runs what waits for more files (`-exec ... +`) and tells whether all programs succeeded.
    pub fn finish(&mut self) -> bool {
        match self {
            Self::And(first, second) | Self::Or(first, second) | Self::Then(first, second) => {
                first.finish() & second.finish()
            }
            Self::Not(inner) => inner.finish(),
            Self::Test(_) => true,
            Self::Action(action) => action.finish(),
        }
    }

    /// Whether it prints or does anything, so that no `-print` is to be added.
    fn acts(&self) -> bool {
        match self {
            Self::And(first, second) | Self::Or(first, second) | Self::Then(first, second) => {
                first.acts() || second.acts()
            }
            Self::Not(inner) => inner.acts(),
            Self::Test(_) => false,
            Self::Action(action) => action.replaces_print(),
        }
    }
}

/// Reads the whole command line: options, roots, expression.
pub fn parse(words: &[String]) -> Result<(Options, Vec<String>, Expression), Problem> {
    let mut options = Options { follow: Follow::Never, max_depth: None, min_depth: 0, depth_first: false };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "-P" => options.follow = Follow::Never,
            "-H" => options.follow = Follow::Roots,
            "-L" => options.follow = Follow::Always,
            "--" => {
                at += 1;
                break;
            }
            _ => break,
        }
        at += 1;
    }
    let count = words[at..].iter().take_while(|word| !begins_expression(word)).count();
    let roots = if count == 0 { vec![".".to_owned()] } else { words[at..at + count].to_vec() };
    let mut parser = Parser { words: &words[at + count..], at: 0, options, syntax: Syntax::Emacs };
    let expression =
        if parser.words.is_empty() { Expression::Test(Test::Constant(true)) } else { parser.sequence()? };
    if parser.at < parser.words.len() {
        return Err(Problem::Structure("you have too many ')'"));
    }
    let expression = if expression.acts() {
        expression
    } else {
        Expression::And(Box::new(expression), Box::new(Expression::Action(Action::print())))
    };
    Ok((parser.options, roots, expression))
}

fn begins_expression(word: &str) -> bool {
    (word.starts_with('-') && word.len() > 1) || matches!(word, "(" | ")" | "!" | ",")
}

/// Reads an expression, one function for each level of precedence.
pub struct Parser<'a> {
    words: &'a [String],
    at: usize,
    /// Set by `-maxdepth` and its like, wherever they stand.
    pub options: Options,
    /// Set by `-regextype` for what comes after it.
    pub syntax: Syntax,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).map(String::as_str)
    }

    /// The value that belongs to a predicate.
    pub fn value(&mut self, predicate: &str) -> Result<&'a str, Problem> {
        let value = self.peek().ok_or_else(|| Problem::MissingArgument(predicate.to_owned()))?;
        self.at += 1;
        Ok(value)
    }

    fn accept(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }

    fn sequence(&mut self) -> Result<Expression, Problem> {
        let mut left = self.disjunction()?;
        while self.accept(&[","]) {
            left = Expression::Then(Box::new(left), Box::new(self.disjunction()?));
        }
        Ok(left)
    }

    fn disjunction(&mut self) -> Result<Expression, Problem> {
        let mut left = self.conjunction()?;
        while self.accept(&["-o", "-or"]) {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression, Problem> {
        let mut left = self.negation()?;
        loop {
            if !self.accept(&["-a", "-and"]) && matches!(self.peek(), None | Some(")" | "," | "-o" | "-or")) {
                return Ok(left);
            }
            left = Expression::And(Box::new(left), Box::new(self.negation()?));
        }
    }

    fn negation(&mut self) -> Result<Expression, Problem> {
        if self.accept(&["!", "-not"]) {
            return Ok(Expression::Not(Box::new(self.negation()?)));
        }
        if self.accept(&["("]) {
            if self.peek() == Some(")") {
                return Err(Problem::Structure("empty parentheses are not allowed"));
            }
            let inner = self.sequence()?;
            return if self.accept(&[")"]) {
                Ok(inner)
            } else {
                Err(Problem::Structure("I was expecting to find a ')' somewhere but did not see one"))
            };
        }
        let predicate = self.peek().ok_or(Problem::Structure("something is missing after an operator"))?;
        if matches!(predicate, ")" | "," | "-o" | "-or" | "-a" | "-and") {
            return Err(Problem::Structure("an operator stands with nothing before it"));
        }
        self.at += 1;
        self.predicate(predicate)
    }

    fn predicate(&mut self, predicate: &str) -> Result<Expression, Problem> {
        if let Some(()) = self.option(predicate)? {
            return Ok(Expression::Test(Test::Constant(true)));
        }
        if let Some(action) = Action::parse(predicate, self)? {
            return Ok(Expression::Action(action));
        }
        Test::parse(predicate, self).map(Expression::Test)
    }

    /// Options may stand among the predicates; they are true.
    fn option(&mut self, predicate: &str) -> Result<Option<()>, Problem> {
        match predicate {
            "-maxdepth" => self.options.max_depth = Some(self.number(predicate)?),
            "-mindepth" => self.options.min_depth = self.number(predicate)?,
            "-depth" | "-d" => self.options.depth_first = true,
            "-follow" => self.options.follow = Follow::Always,
            "-regextype" => {
                let name = self.value(predicate)?;
                self.syntax = pattern::syntax(name).ok_or_else(|| invalid(predicate, name))?;
            }
            // One file system is all there is, and nothing is ever said without need.
            "-xdev"
            | "-mount"
            | "-noleaf"
            | "-warn"
            | "-nowarn"
            | "-ignore_readdir_race"
            | "-noignore_readdir_race" => {}
            _ => return Ok(None),
        }
        Ok(Some(()))
    }

    fn number(&mut self, predicate: &str) -> Result<usize, Problem> {
        let value = self.value(predicate)?;
        value.parse().map_err(|_| invalid(predicate, value))
    }

    /// The words up to `;`, or up to `{} +`, and which of them it was.
    pub fn command(&mut self, predicate: &str) -> Result<(Vec<String>, bool), Problem> {
        let mut command: Vec<String> = Vec::new();
        loop {
            match self.value(predicate)? {
                ";" => break Ok((command, false)),
                "+" if command.last().is_some_and(|word| word == "{}") => {
                    command.pop();
                    break Ok((command, true));
                }
                word => command.push(word.to_owned()),
            }
        }
        .and_then(|(command, many)| match command.is_empty() {
            true => Err(Problem::MissingArgument(predicate.to_owned())),
            false => Ok((command, many)),
        })
    }
}

/// A value that a predicate cannot read.
pub fn invalid(predicate: &str, value: &str) -> Problem {
    Problem::InvalidArgument { predicate: predicate.to_owned(), value: value.to_owned() }
}
