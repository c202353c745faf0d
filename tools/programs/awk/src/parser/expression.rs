//! Reads expressions, one function for each level of precedence.

use std::rc::Rc;

use super::{Parsed, Parser};
use crate::ast::{Expression, Source, Target};
use crate::lexer::Token;
use crate::pattern;

impl Parser {
    /// Expressions up to a closing bracket.
    pub(super) fn list(&mut self, end: &str) -> Parsed<Vec<Expression>> {
        let in_print = std::mem::take(&mut self.in_print);
        let mut values = Vec::new();
        self.newlines();
        while !self.is_sign(end) {
            values.push(self.expression()?);
            self.newlines();
            if !self.accept(",") {
                break;
            }
            self.newlines();
        }
        self.expect(end)?;
        self.in_print = in_print;
        Ok(values)
    }

    /// A whole expression.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        let left = self.choice()?;
        let Token::Sign(sign) = *self.peek() else { return Ok(left) };
        let operator = match sign {
            "=" | "+=" | "-=" | "*=" | "/=" | "%=" | "^=" | "**=" => sign,
            _ => return Ok(left),
        };
        let Expression::Read(target) = left else {
            return Err(self.error("an assignment to something that cannot be assigned to"));
        };
        self.at += 1;
        self.newlines();
        let value = Box::new(self.expression()?);
        Ok(match operator {
            "=" => Expression::Assign(target, value),
            "**=" => Expression::Update(target, "^", value),
            _ => Expression::Update(target, &operator[..1], value),
        })
    }

    fn choice(&mut self) -> Parsed<Expression> {
        let test = self.or()?;
        if !self.accept("?") {
            return Ok(test);
        }
        self.newlines();
        let one = self.expression()?;
        self.newlines();
        self.expect(":")?;
        self.newlines();
        let other = self.expression()?;
        Ok(Expression::Choice(Box::new(test), Box::new(one), Box::new(other)))
    }

    fn or(&mut self) -> Parsed<Expression> {
        let mut left = self.and()?;
        while self.accept("||") {
            self.newlines();
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.membership()?;
        while self.accept("&&") {
            self.newlines();
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expression> {
        let mut left = self.matching()?;
        while self.accept_word("in") {
            let Token::Name(array) = self.take() else { return Err(self.error("the name of an array expected")) };
            let place = self.place(&array);
            left = Expression::In(if let Expression::Group(list) = left { list } else { vec![left] }, place);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        while let Token::Sign(sign @ ("~" | "!~")) = *self.peek() {
            self.at += 1;
            left = Expression::Match(Box::new(left), Box::new(self.comparison()?), sign == "~");
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.piped()?;
        match *self.peek() {
            Token::Sign(">") if self.in_print => Ok(left),
            Token::Sign(sign @ ("<" | "<=" | "==" | "!=" | ">" | ">=")) => {
                self.at += 1;
                Ok(Expression::Binary(sign, Box::new(left), Box::new(self.piped()?)))
            }
            _ => Ok(left),
        }
    }

    /// `command | getline`
    fn piped(&mut self) -> Parsed<Expression> {
        let mut left = self.joined()?;
        while self.is_sign("|") && self.tokens[self.at + 1].0 == Token::Word("getline") {
            self.at += 2;
            let target = self.getline_target()?;
            left = Expression::Getline(Source::Command(Box::new(left)), target);
        }
        Ok(left)
    }

    /// Strings behind each other.
    pub(super) fn joined(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        while self.begins_operand() {
            left = Expression::Join(Box::new(left), Box::new(self.sum()?));
        }
        Ok(left)
    }

    fn begins_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_)
            | Token::Text(_)
            | Token::Regex(_)
            | Token::Name(_)
            | Token::Call(_)
            | Token::Builtin(_) => true,
            Token::Sign(sign) => matches!(*sign, "$" | "(" | "++" | "--"),
            _ => false,
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        while let Token::Sign(sign @ ("+" | "-")) = *self.peek() {
            self.at += 1;
            left = Expression::Binary(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.unary()?;
        while let Token::Sign(sign @ ("*" | "/" | "%")) = *self.peek() {
            self.at += 1;
            left = Expression::Binary(sign, Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        if self.accept("!") {
            return Ok(Expression::Not(Box::new(self.unary()?)));
        }
        if self.accept("-") {
            return Ok(Expression::Minus(Box::new(self.unary()?)));
        }
        if self.accept("+") {
            return Ok(Expression::Plus(Box::new(self.unary()?)));
        }
        self.power()
    }

    fn power(&mut self) -> Parsed<Expression> {
        let base = self.step()?;
        if self.accept("^") || self.accept("**") {
            // Binds to the right, and `2 ^ -1` is allowed.
            let exponent =
                if self.is_sign("-") || self.is_sign("+") || self.is_sign("!") { self.unary()? } else { self.power()? };
            return Ok(Expression::Binary("^", Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn step(&mut self) -> Parsed<Expression> {
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.accept(sign) {
                let Expression::Read(target) = self.primary()? else { return Err(self.error("a variable expected")) };
                return Ok(Expression::Step(target, by, false));
            }
        }
        let value = self.primary()?;
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.is_sign(sign) {
                if let Expression::Read(target) = value {
                    self.at += 1;
                    return Ok(Expression::Step(target, by, true));
                }
                return Ok(value);
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        match self.take() {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(text.into())),
            Token::Regex(text) => Ok(Expression::Regex(Rc::new(pattern::compile(&text)?))),
            Token::Sign("$") => {
                // `$i++` is `($i)++`, and `$++i` and `$-1` are read as they look.
                let number = match *self.peek() {
                    Token::Sign("++" | "--") => self.step()?,
                    Token::Sign("-" | "+" | "!") => self.unary()?,
                    _ => self.primary()?,
                };
                Ok(Expression::Read(Target::Field(Box::new(number))))
            }
            Token::Sign("(") => {
                let mut list = self.list(")")?;
                match list.len() {
                    0 => Err(self.error("an expression expected")),
                    // Parentheses keep what is inside from being assigned to as a whole.
                    1 => Ok(list.remove(0)),
                    _ => Ok(Expression::Group(list)),
                }
            }
            Token::Sign("-") => Ok(Expression::Minus(Box::new(self.unary()?))),
            Token::Sign("+") => Ok(Expression::Plus(Box::new(self.unary()?))),
            Token::Sign("!") => Ok(Expression::Not(Box::new(self.unary()?))),
            Token::Name(name) => {
                let place = self.place(&name);
                let target =
                    if self.accept("[") { Target::Element(place, self.list("]")?) } else { Target::Variable(place) };
                Ok(Expression::Read(target))
            }
            Token::Call(name) => {
                let number = self.function(&name);
                self.expect("(")?;
                Ok(Expression::Call(number, self.list(")")?))
            }
            Token::Builtin(name) => {
                // `length` may stand without parentheses.
                let values = if self.accept("(") { self.list(")")? } else { Vec::new() };
                Ok(Expression::Builtin(name, values))
            }
            Token::Word("getline") => {
                let target = self.getline_target()?;
                let source = if self.accept("<") { Source::File(Box::new(self.step()?)) } else { Source::Input };
                Ok(Expression::Getline(source, target))
            }
            _ => {
                self.at = self.at.saturating_sub(1);
                Err(self.error("an expression expected"))
            }
        }
    }

    fn getline_target(&mut self) -> Parsed<Option<Target>> {
        if !matches!(self.peek(), Token::Name(_) | Token::Sign("$")) {
            return Ok(None);
        }
        match self.primary()? {
            Expression::Read(target) => Ok(Some(target)),
            _ => Err(self.error("a variable expected")),
        }
    }
}
