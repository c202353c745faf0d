//! Arithmetic of `$((...))`, `((...))` and `let`: 64-bit integers that wrap, with the operators of C.
//!
//! Expressions are evaluated while they are read. What must have no effect, such as the other branch of `?:`, is read
//! with `skipping` set.

use crate::error::SyntaxError;

/// Deepest nesting of parentheses and of variables whose values are expressions.
const DEEPEST: usize = 64;

/// The variables of an expression.
pub(crate) trait Names {
    /// The value of a variable or of one element; the subscript is as written.
    ///
    /// # Errors
    /// When it must be set and is not.
    fn get(&mut self, name: &str, subscript: Option<&str>) -> Result<String, SyntaxError>;

    /// Sets a variable or one element.
    ///
    /// # Errors
    /// When it cannot be changed.
    fn set(&mut self, name: &str, subscript: Option<&str>, value: i64) -> Result<(), SyntaxError>;
}

/// The value of an expression; an empty one is 0.
///
/// # Errors
/// When it is no expression, divides by zero, or a variable refuses.
pub(crate) fn evaluate(text: &str, names: &mut dyn Names) -> Result<i64, SyntaxError> {
    evaluate_at(text, names, 0)
}

fn evaluate_at(text: &str, names: &mut dyn Names, depth: usize) -> Result<i64, SyntaxError> {
    if depth > DEEPEST {
        return Err(SyntaxError::new(format!("{text}: expression recursion level exceeded")));
    }
    if let Ok(number) = text.trim().parse::<i64>()
        && !text.trim_start_matches([' ', '-', '+']).starts_with('0')
    {
        return Ok(number);
    }
    let mut reader = Reader { text, at: 0, names, depth, skipping: false };
    reader.space();
    if reader.rest().is_empty() {
        return Ok(0);
    }
    let value = reader.comma()?;
    reader.space();
    if reader.rest().is_empty() { Ok(value) } else { Err(reader.error("syntax error in expression")) }
}

/// Binary operators, longest first, with their binding strength.
const BINARY: [(&str, u8); 19] = [
    ("**", 11),
    ("<<", 8),
    (">>", 8),
    ("<=", 7),
    (">=", 7),
    ("==", 6),
    ("!=", 6),
    ("&&", 2),
    ("||", 1),
    ("<", 7),
    (">", 7),
    ("&", 5),
    ("^", 4),
    ("|", 3),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

/// Operators that may stand before `=` in an assignment.
const ASSIGNABLE: [&str; 11] = ["", "<<", ">>", "+", "-", "*", "/", "%", "&", "^", "|"];

struct Reader<'a> {
    text: &'a str,
    at: usize,
    names: &'a mut dyn Names,
    depth: usize,
    skipping: bool,
}

/// A variable, or an element of an array.
struct Target<'a> {
    name: &'a str,
    subscript: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// White space and quotes mean nothing here.
    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '"']).len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn error(&self, what: &str) -> SyntaxError {
        SyntaxError::new(format!("{}: {what} (error token is \"{}\")", self.text.trim(), self.rest()))
    }

    fn skip<T>(&mut self, skipping: bool, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.skipping;
        self.skipping |= skipping;
        let value = read(self);
        self.skipping = before;
        value
    }

    fn comma(&mut self) -> Result<i64, SyntaxError> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<i64, SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("expression recursion level exceeded"));
        }
        self.space();
        let start = self.at;
        if let Some(target) = self.target()? {
            self.space();
            let operator = ASSIGNABLE.into_iter().find(|operator| {
                let after = self.rest().strip_prefix(operator).and_then(|rest| rest.strip_prefix('='));
                after.is_some_and(|rest| !(operator.is_empty() && rest.starts_with('=')))
            });
            if let Some(operator) = operator {
                self.at += operator.len() + 1;
                let right = self.assignment()?;
                let value = if operator.is_empty() { right } else { self.apply(operator, &target, right)? };
                self.store(&target, value)?;
                self.depth -= 1;
                return Ok(value);
            }
        }
        self.at = start;
        let value = self.conditional();
        self.depth -= 1;
        value
    }

    fn apply(&mut self, operator: &str, target: &Target<'_>, right: i64) -> Result<i64, SyntaxError> {
        let left = self.load(target)?;
        self.binary_value(operator, left, right)
    }

    fn conditional(&mut self) -> Result<i64, SyntaxError> {
        let condition = self.binary(1)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.skip(condition == 0, Self::comma)?;
        if !self.take(":") {
            return Err(self.error("`:' expected for conditional expression"));
        }
        let no = self.skip(condition != 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    /// The operator ahead, if it is one and not an assignment.
    fn operator(&mut self) -> Option<(&'static str, u8)> {
        self.space();
        let rest = self.rest();
        let (operator, strength) = BINARY.into_iter().find(|(operator, _)| rest.starts_with(operator))?;
        let after = rest.get(operator.len()..).unwrap_or_default();
        let assigns = after.starts_with('=') && ASSIGNABLE.contains(&operator);
        (!assigns).then_some((operator, strength))
    }

    fn binary(&mut self, weakest: u8) -> Result<i64, SyntaxError> {
        let mut left = self.unary()?;
        while let Some((operator, strength)) = self.operator().filter(|(_, strength)| *strength >= weakest) {
            self.at += operator.len();
            let skipping = (operator == "&&" && left == 0) || (operator == "||" && left != 0);
            // All operators but the power group to the left.
            let next = if operator == "**" { strength } else { strength + 1 };
            let right = self.skip(skipping, |reader| reader.binary(next))?;
            left = self.binary_value(operator, left, right)?;
        }
        Ok(left)
    }

    fn binary_value(&self, operator: &str, left: i64, right: i64) -> Result<i64, SyntaxError> {
        let truth = |value: bool| i64::from(value);
        Ok(match operator {
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 && self.skipping => 0,
            "/" | "%" if right == 0 => return Err(self.error("division by 0")),
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            "**" if right < 0 && !self.skipping => return Err(self.error("exponent less than 0")),
            "**" => power(left, right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "&" => left & right,
            "|" => left | right,
            "^" => left ^ right,
            "<" => truth(left < right),
            ">" => truth(left > right),
            "<=" => truth(left <= right),
            ">=" => truth(left >= right),
            "==" => truth(left == right),
            "!=" => truth(left != right),
            "&&" => truth(left != 0 && right != 0),
            "||" => truth(left != 0 || right != 0),
            _ => return Err(self.error("unknown operator")),
        })
    }

    fn unary(&mut self) -> Result<i64, SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("expression recursion level exceeded"));
        }
        let value = self.unary_value();
        self.depth -= 1;
        value
    }

    fn unary_value(&mut self) -> Result<i64, SyntaxError> {
        for (operator, step) in [("++", 1), ("--", -1)] {
            let start = self.at;
            if self.take(operator) {
                self.space();
                if let Some(target) = self.target()? {
                    let value = self.load(&target)?.wrapping_add(step);
                    self.store(&target, value)?;
                    return Ok(value);
                }
                self.at = start;
            }
        }
        if self.take("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.take("~") {
            return Ok(!self.unary()?);
        }
        if self.take("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.take("+") {
            return self.unary();
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<i64, SyntaxError> {
        if self.take("(") {
            let value = self.comma()?;
            return if self.take(")") { Ok(value) } else { Err(self.error("missing `)'")) };
        }
        self.space();
        if self.rest().starts_with(|next: char| next.is_ascii_digit()) {
            return self.number();
        }
        let Some(target) = self.target()? else { return Err(self.error("syntax error: operand expected")) };
        let value = self.load(&target)?;
        self.space();
        for (operator, step) in [("++", 1), ("--", -1)] {
            // `a++b` is `a + (+b)` to nobody; but `a - -1` and `a--1` are told apart by what follows.
            if self.take(operator) {
                self.store(&target, value.wrapping_add(step))?;
                return Ok(value);
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<i64, SyntaxError> {
        let rest = self.rest();
        let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || "#@_".contains(next))).unwrap_or(rest.len());
        let literal = rest.get(..end).unwrap_or_default();
        let value = number(literal).map_err(|what| self.error(what))?;
        self.at += end;
        Ok(value)
    }

    /// A name with its subscript, if there is one ahead.
    fn target(&mut self) -> Result<Option<Target<'a>>, SyntaxError> {
        let rest = self.rest();
        let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || next == '_')).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() || name.starts_with(|next: char| next.is_ascii_digit()) {
            return Ok(None);
        }
        self.at += end;
        let subscript = if self.rest().starts_with('[') { Some(self.subscript()?) } else { None };
        Ok(Some(Target { name, subscript }))
    }

    fn subscript(&mut self) -> Result<&'a str, SyntaxError> {
        let rest = self.rest();
        let mut open = 0_usize;
        for (index, next) in rest.char_indices() {
            match next {
                '[' => open += 1,
                ']' if open == 1 => {
                    self.at += index + 1;
                    return Ok(rest.get(1..index).unwrap_or_default());
                }
                ']' => open -= 1,
                _ => {}
            }
        }
        Err(self.error("bad array subscript"))
    }

    fn load(&mut self, target: &Target<'_>) -> Result<i64, SyntaxError> {
        if self.skipping {
            return Ok(0);
        }
        let value = self.names.get(target.name, target.subscript)?;
        evaluate_at(&value, self.names, self.depth + 1)
    }

    fn store(&mut self, target: &Target<'_>, value: i64) -> Result<(), SyntaxError> {
        if self.skipping { Ok(()) } else { self.names.set(target.name, target.subscript, value) }
    }
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut value, mut base, mut exponent) = (1_i64, base, exponent.max(0));
    while exponent > 0 {
        if exponent & 1 == 1 {
            value = value.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    value
}

/// `12`, `0x1f`, `017` or `base#digits`.
fn number(literal: &str) -> Result<i64, &'static str> {
    let (base, digits) = if let Some((base, digits)) = literal.split_once('#') {
        let base: u32 = base.parse().ok().filter(|base| (2..=64).contains(base)).ok_or("invalid arithmetic base")?;
        (base, digits)
    } else if let Some(digits) = literal.strip_prefix("0x").or_else(|| literal.strip_prefix("0X")) {
        (16, digits)
    } else if literal.len() > 1 && literal.starts_with('0') {
        (8, literal)
    } else {
        (10, literal)
    };
    if digits.is_empty() && base != 16 {
        return Err("invalid number");
    }
    digits.chars().try_fold(0_i64, |value, next| {
        let digit = digit(next, base).filter(|digit| *digit < base).ok_or("value too great for base")?;
        Ok(value.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit)))
    })
}

fn digit(next: char, base: u32) -> Option<u32> {
    match next {
        '0'..='9' => next.to_digit(10),
        'a'..='z' => next.to_digit(36),
        'A'..='Z' if base <= 36 => next.to_digit(36),
        'A'..='Z' => Some(u32::from(next) - u32::from('A') + 36),
        '@' => Some(62),
        '_' => Some(63),
        _ => None,
    }
}
