//! Reads a program: rules, functions, statements.

mod expression;

use std::collections::HashMap;

use crate::ast::{Expression, Function, Pattern, Place, Program, Redirection, Statement, Target};
use crate::lexer::{Token, words};

type Parsed<T> = Result<T, String>;

/// Variables with a meaning of their own, in the order of their numbers.
pub const SPECIAL: &[&str] = &[
    "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "SUBSEP", "CONVFMT", "OFMT", "FILENAME", "RSTART", "RLENGTH",
    "ENVIRON", "ARGC", "ARGV", "RT", "PROCINFO",
];

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    program: Program,
    globals: HashMap<String, usize>,
    functions: HashMap<String, usize>,
    /// Functions that were defined and not only called.
    defined: Vec<bool>,
    locals: Vec<String>,
    /// Not inside parentheses, where `>` would write to a file.
    in_print: bool,
}

/// Reads a program.
///
/// # Errors
/// What is wrong, and on which line.
pub fn parse(text: &str) -> Parsed<Program> {
    let mut parser = Parser {
        tokens: words(text)?,
        at: 0,
        program: Program::default(),
        globals: HashMap::new(),
        functions: HashMap::new(),
        defined: Vec::new(),
        locals: Vec::new(),
        in_print: false,
    };
    for name in SPECIAL {
        parser.global(name);
    }
    parser.program()?;
    let missing = parser.functions.iter().find(|(_, number)| !parser.defined[**number]);
    match missing {
        Some((name, _)) => Err(format!("function `{name}' is not defined")),
        None => Ok(parser.program),
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn take(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if *found == word)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.accept(sign) { Ok(()) } else { Err(self.error(&format!("`{sign}` expected"))) }
    }

    fn error(&self, problem: &str) -> String {
        let (token, line) = &self.tokens[self.at];
        let found = match token {
            Token::Newline => "a newline".to_owned(),
            Token::End => "the end of the program".to_owned(),
            Token::Sign(text) | Token::Word(text) | Token::Builtin(text) => format!("`{text}`"),
            Token::Name(text) | Token::Call(text) => format!("`{text}`"),
            Token::Number(number) => format!("{number}"),
            Token::Text(text) => format!("\"{text}\""),
            Token::Regex(text) => format!("/{text}/"),
        };
        format!("syntax error on line {line}: {problem}, found {found}")
    }

    fn newlines(&mut self) {
        while matches!(self.peek(), Token::Newline) {
            self.at += 1;
        }
    }

    fn terminators(&mut self) {
        while matches!(self.peek(), Token::Newline) || self.is_sign(";") {
            self.at += 1;
        }
    }

    fn global(&mut self, name: &str) -> usize {
        let next = self.program.globals.len();
        let number = *self.globals.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.program.globals.push(name.to_owned());
        }
        number
    }

    fn place(&mut self, name: &str) -> Place {
        match self.locals.iter().position(|local| local == name) {
            Some(number) => Place::Local(number),
            None => Place::Global(self.global(name)),
        }
    }

    fn function(&mut self, name: &str) -> usize {
        let next = self.program.functions.len();
        let number = *self.functions.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.program.functions.push(Function::default());
            self.defined.push(false);
        }
        number
    }

    fn program(&mut self) -> Parsed<()> {
        self.terminators();
        while *self.peek() != Token::End {
            if self.accept_word("function") {
                self.definition()?;
            } else {
                let rule = self.rule()?;
                self.program.rules.push(rule);
            }
            self.terminators();
        }
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        let (Token::Call(name) | Token::Name(name)) = self.take() else {
            return Err(self.error("the name of a function expected"));
        };
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.is_sign(")") {
            let Token::Name(parameter) = self.take() else {
                return Err(self.error("the name of a parameter expected"));
            };
            parameters.push(parameter);
            self.newlines();
            if !self.accept(",") {
                break;
            }
            self.newlines();
        }
        self.expect(")")?;
        self.newlines();
        let number = self.function(&name);
        self.defined[number] = true;
        let count = parameters.len();
        self.locals = parameters;
        let body = self.block()?;
        self.locals.clear();
        self.program.functions[number] = Function { parameters: count, body };
        Ok(())
    }

    fn rule(&mut self) -> Parsed<(Pattern, Option<Vec<Statement>>)> {
        let pattern = if self.accept_word("BEGIN") {
            Pattern::Begin
        } else if self.accept_word("END") {
            Pattern::End
        } else if self.is_sign("{") {
            Pattern::Always
        } else {
            let first = self.expression()?;
            if self.accept(",") {
                self.newlines();
                let last = self.expression()?;
                self.program.ranges += 1;
                Pattern::Range(first, last, self.program.ranges - 1)
            } else {
                Pattern::When(first)
            }
        };
        let action = if self.is_sign("{") { Some(self.block()?) } else { None };
        if action.is_none() && matches!(pattern, Pattern::Begin | Pattern::End) {
            return Err(self.error("`{` expected"));
        }
        Ok((pattern, action))
    }

    fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.expect("{")?;
        let mut statements = Vec::new();
        self.terminators();
        while !self.accept("}") {
            statements.push(self.statement()?);
            self.terminators();
        }
        Ok(statements)
    }

    /// A statement; a simple one with its end, which may also be the `}` that follows.
    fn statement(&mut self) -> Parsed<Statement> {
        if self.is_sign("{") {
            return self.block().map(Statement::Block);
        }
        if let Token::Word(word) = *self.peek()
            && matches!(word, "if" | "while" | "do" | "for")
        {
            self.at += 1;
            return match word {
                "if" => self.condition(),
                "while" => {
                    let test = self.parenthesized()?;
                    Ok(Statement::While(test, self.body()?))
                }
                "do" => self.do_while(),
                _ => self.for_loop(),
            };
        }
        let statement = self.simple()?;
        if !self.is_sign("}") && !self.accept(";") {
            match self.peek() {
                Token::Newline => self.at += 1,
                Token::End => {}
                _ => return Err(self.error("an operator, `;` or a newline expected")),
            }
        }
        Ok(statement)
    }

    fn parenthesized(&mut self) -> Parsed<Expression> {
        self.expect("(")?;
        let inner = self.expression()?;
        self.expect(")")?;
        Ok(inner)
    }

    /// What a loop or condition does; `;` for nothing.
    fn body(&mut self) -> Parsed<Box<Statement>> {
        self.newlines();
        if self.accept(";") { Ok(Box::new(Statement::Block(Vec::new()))) } else { self.statement().map(Box::new) }
    }

    fn condition(&mut self) -> Parsed<Statement> {
        let test = self.parenthesized()?;
        let then = self.body()?;
        let before = self.at;
        self.terminators();
        if self.accept_word("else") {
            return Ok(Statement::If(test, then, Some(self.body()?)));
        }
        self.at = before;
        Ok(Statement::If(test, then, None))
    }

    fn do_while(&mut self) -> Parsed<Statement> {
        let body = self.body()?;
        self.terminators();
        if !self.accept_word("while") {
            return Err(self.error("`while` expected"));
        }
        Ok(Statement::Do(body, self.parenthesized()?))
    }

    fn for_loop(&mut self) -> Parsed<Statement> {
        self.expect("(")?;
        if let (Token::Name(variable), Token::Word("in"), Token::Name(array), Token::Sign(")")) = (
            self.peek().clone(),
            &self.tokens[self.at + 1].0,
            &self.tokens[(self.at + 2).min(self.tokens.len() - 1)].0,
            &self.tokens[(self.at + 3).min(self.tokens.len() - 1)].0,
        ) {
            let array = array.clone();
            self.at += 4;
            let (variable, array) = (self.place(&variable), self.place(&array));
            return Ok(Statement::ForIn(Target::Variable(variable), array, self.body()?));
        }
        let first = if self.is_sign(";") { None } else { Some(Box::new(self.simple()?)) };
        self.expect(";")?;
        self.newlines();
        let test = if self.is_sign(";") { None } else { Some(self.expression()?) };
        self.expect(";")?;
        self.newlines();
        let step = if self.is_sign(")") { None } else { Some(Box::new(self.simple()?)) };
        self.expect(")")?;
        Ok(Statement::For(first, test, step, self.body()?))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        let Token::Word(word) = *self.peek() else { return self.expression().map(Statement::Expression) };
        if word == "getline" {
            return self.expression().map(Statement::Expression);
        }
        self.at += 1;
        Ok(match word {
            "print" | "printf" => return self.print(word == "printf"),
            "next" => Statement::Next,
            "nextfile" => Statement::NextFile,
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "exit" => Statement::Exit(self.optional()?),
            "return" => Statement::Return(self.optional()?),
            "delete" => {
                let (Token::Name(name) | Token::Call(name)) = self.take() else {
                    return Err(self.error("the name of an array expected"));
                };
                let place = self.place(&name);
                let subscripts = if self.accept("[") { Some(self.list("]")?) } else { None };
                Statement::Delete(place, subscripts)
            }
            _ => {
                self.at -= 1;
                return Err(self.error("a statement expected"));
            }
        })
    }

    fn ends_statement(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End | Token::Sign(";" | "}"))
    }

    fn optional(&mut self) -> Parsed<Option<Expression>> {
        if self.ends_statement() { Ok(None) } else { self.expression().map(Some) }
    }

    fn print(&mut self, formatted: bool) -> Parsed<Statement> {
        self.in_print = true;
        let mut values = Vec::new();
        if !self.ends_statement() && !matches!(self.peek(), Token::Sign(">" | ">>" | "|")) {
            values.push(self.expression()?);
            while self.accept(",") {
                self.newlines();
                values.push(self.expression()?);
            }
        }
        self.in_print = false;
        // `print (a, b)` is a list in parentheses.
        if let [Expression::Group(list)] = &mut values[..] {
            values = std::mem::take(list);
        }
        let redirection = match *self.peek() {
            Token::Sign(sign @ (">" | ">>" | "|")) => {
                self.at += 1;
                Some(Redirection { sign, name: self.joined()? })
            }
            _ => None,
        };
        Ok(if formatted { Statement::Printf(values, redirection) } else { Statement::Print(values, redirection) })
    }
}
