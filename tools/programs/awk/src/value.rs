//! Values: numbers, strings, and strings from outside that look like numbers.

use std::rc::Rc;

/// A value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Of a variable that was never set: empty and zero.
    #[default]
    Unset,
    /// A number.
    Number(f64),
    /// A string.
    Text(Rc<str>),
    /// Input that looks like a number and compares like one.
    Numeric(Rc<str>, f64),
}

impl Value {
    /// A string that the program made.
    pub fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A string from outside: a field, a line, an assignment on the command line.
    pub fn input(text: impl Into<Rc<str>>) -> Self {
        let text = text.into();
        let trimmed = text.trim_matches([' ', '\t', '\n']);
        let length = number_length(trimmed);
        if length > 0 && length == trimmed.len() {
            let number = trimmed.parse().unwrap_or(0.0);
            Self::Numeric(text, number)
        } else {
            Self::Text(text)
        }
    }

    /// Of a comparison.
    pub fn truth(value: bool) -> Self {
        Self::Number(f64::from(u8::from(value)))
    }

    /// As a number: of a string what it begins with.
    pub fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) | Self::Numeric(_, number) => *number,
            Self::Text(text) => {
                let text = text.trim_start();
                text[..number_length(text)].parse().unwrap_or(0.0)
            }
        }
    }

    /// As a string; numbers that are not whole by this format.
    pub fn string(&self, format: &str) -> Rc<str> {
        match self {
            Self::Unset => "".into(),
            Self::Text(text) | Self::Numeric(text, _) => text.clone(),
            Self::Number(number) => number_text(*number, format).into(),
        }
    }

    /// Whether it counts as true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Unset => false,
            Self::Number(number) | Self::Numeric(_, number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// Whether it compares as a number with another that does.
    pub fn is_numeric(&self) -> bool {
        !matches!(self, Self::Text(_))
    }
}

/// A number as a string: whole ones without a fraction.
pub fn number_text(number: f64, format: &str) -> String {
    if number == number.trunc() && number.abs() < 1e16 {
        // Not "-0".
        return format!("{}", number as i64);
    }
    if number.is_nan() || number.is_infinite() {
        return crate::format::float_word(number, "+").to_lowercase();
    }
    crate::format::sprintf(format, &[Value::Number(number)], format)
}

/// Bytes at the beginning that are a decimal number; 0 if there is none.
pub fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut at = sign + whole;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        at += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = if at + 1 + sign <= bytes.len() { digits(at + 1 + sign) } else { 0 };
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}
