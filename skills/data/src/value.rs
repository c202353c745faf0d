//! Values of tables and how they compare and calculate.

use std::cmp::Ordering;
use std::fmt;

/// A value of a cell or of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            // Sums of decimal numbers differ from what people see by their last binary digits.
            Self::Real(value) => write!(f, "{}", (value * 1e9).round() / 1e9),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Value {
    /// The number that a text is, if it is one as numbers are usually written; `007` is none.
    pub(crate) fn number(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let begins = digits.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if !begins || padded {
            return None;
        }
        let integer = text.parse().map(Self::Integer);
        integer.or_else(|_| text.parse().map(Self::Real)).ok()
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// As a number, if it is one or a text that is one.
    pub(crate) fn real(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Text(text) => Self::number(text.trim())?.real(),
            Self::Null | Self::Bool(_) => None,
        }
    }

    /// Whether it holds, as a condition; unknown for what is neither true nor false.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            other => other.real().map(|value| value != 0.0),
        }
    }

    /// How two values compare; unknown if one is null.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Integer(one), Self::Integer(two)) => Some(one.cmp(two)),
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            _ => match (self.real(), other.real()) {
                (Some(one), Some(two)) => one.partial_cmp(&two),
                _ => Some(self.to_string().to_lowercase().cmp(&other.to_string().to_lowercase())),
            },
        }
    }

    /// The order of rows: null first.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.compare(other).unwrap_or_else(|| other.is_null().cmp(&self.is_null()))
    }

    /// What tells equal values from others, as text.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Null => "n".to_owned(),
            Self::Text(text) => format!("t{text}"),
            Self::Bool(value) => format!("b{value}"),
            Self::Integer(_) | Self::Real(_) => format!("#{self}"),
        }
    }

    /// `+`, `-`, `*`, `/` or `%`; null where there is no number, and for a division by zero.
    pub(crate) fn calculate(&self, sign: &str, other: &Self) -> Self {
        if let (Self::Integer(one), Self::Integer(two)) = (self, other) {
            let whole = match sign {
                "+" => one.checked_add(*two),
                "-" => one.checked_sub(*two),
                "*" => one.checked_mul(*two),
                "%" => one.checked_rem(*two),
                _ => one.checked_div(*two).filter(|_| one.checked_rem(*two) == Some(0)),
            };
            if let Some(value) = whole {
                return Self::Integer(value);
            }
        }
        let (Some(one), Some(two)) = (self.real(), other.real()) else { return Self::Null };
        let value = match sign {
            "+" => one + two,
            "-" => one - two,
            "*" => one * two,
            "%" => one % two,
            _ => one / two,
        };
        if value.is_finite() { Self::Real(value) } else { Self::Null }
    }
}

impl From<Option<bool>> for Value {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Bool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_people_write_as_numbers() {
        assert_eq!(Value::number("-12"), Some(Value::Integer(-12)));
        assert_eq!(Value::number("0.5"), Some(Value::Real(0.5)));
        for text in ["007", "12a", "", "-", "inf", "nan", "+1", ".5"] {
            assert_eq!(Value::number(text), None, "{text}");
        }
    }

    #[test]
    fn null_is_unknown_in_comparisons_and_first_in_order() {
        assert_eq!(Value::Null.compare(&Value::Integer(1)), None);
        assert_eq!(Value::Null.order(&Value::Integer(1)), Ordering::Less);
        assert_eq!(Value::Text("10".into()).compare(&Value::Integer(9)), Some(Ordering::Greater));
    }

    #[test]
    fn a_division_is_exact_or_a_real_number_and_by_zero_null() {
        let divided = |one, two| Value::Integer(one).calculate("/", &Value::Integer(two));
        assert_eq!((divided(6, 3), divided(1, 2), divided(1, 0)), (Value::Integer(2), Value::Real(0.5), Value::Null));
        assert_eq!(
            Value::Integer(i64::MAX).calculate("+", &Value::Integer(1)),
            Value::Real(9_223_372_036_854_775_808.0)
        );
    }
}
