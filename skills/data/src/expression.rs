//! Expressions: bound to the columns of a table, then evaluated row by row.

use crate::value::Value;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Constant(Value),
    /// A column as it is named; bound, it is a [`Self::Column`].
    Name(Vec<String>),
    /// The value of this column.
    Column(usize),
    /// An operator between two.
    Binary(Box<Self>, String, Box<Self>),
    Not(Box<Self>),
    IsNull(Box<Self>),
    In(Box<Self>, Vec<Self>),
    Like(Box<Self>, Box<Self>),
    Case(Vec<(Self, Self)>, Box<Self>),
    Call(String, Vec<Self>),
    /// Over all rows of a group; bound, it is a [`Self::Computed`].
    Aggregate {
        name: String,
        distinct: bool,
        of: Box<Self>,
    },
    /// The result of the aggregate with this number.
    Computed(usize),
}

/// An aggregate that is computed for each group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) name: String,
    pub(crate) distinct: bool,
    pub(crate) of: Expression,
}

type Function = fn(&[Value]) -> Value;

/// Functions of one row: name, how many arguments, what it does.
pub(crate) const FUNCTIONS: [(&str, RangeInclusive<usize>, Function); 13] = [
    ("lower", 1..=1, |values| text(values, |text| text.to_lowercase())),
    ("upper", 1..=1, |values| text(values, |text| text.to_uppercase())),
    ("trim", 1..=1, |values| text(values, |text| text.trim().to_owned())),
    ("length", 1..=1, |values| match &values[0] {
        Value::Null => Value::Null,
        value => Value::Integer(value.to_string().chars().count() as i64),
    }),
    ("substr", 2..=3, |values| text(values, |text| part(text, &values[1..]))),
    ("replace", 3..=3, |values| text(values, |text| text.replace(&values[1].to_string(), &values[2].to_string()))),
    ("coalesce", 1..=20, |values| values.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null)),
    ("abs", 1..=1, |values| number(&values[0], f64::abs)),
    ("round", 1..=2, |values| {
        let scale = 10f64.powf(values.get(1).and_then(Value::real).unwrap_or_default().clamp(-9.0, 9.0));
        number(&values[0], |value| (value * scale).round() / scale)
    }),
    ("number", 1..=1, |values| number(&values[0], |value| value)),
    ("year", 1..=1, |values| date(&values[0], 0..4)),
    ("month", 1..=1, |values| date(&values[0], 5..7)),
    ("day", 1..=1, |values| date(&values[0], 8..10)),
];

/// Whether a function is one of groups.
pub(crate) fn is_aggregate(name: &str) -> bool {
    ["count", "sum", "avg", "min", "max"].contains(&name)
}

fn text(values: &[Value], change: impl Fn(&str) -> String) -> Value {
    match &values[0] {
        Value::Null => Value::Null,
        value => Value::Text(change(&value.to_string())),
    }
}

fn number(value: &Value, change: impl Fn(f64) -> f64) -> Value {
    let Some(real) = value.real().map(change) else { return Value::Null };
    // Beyond 2^53 not every integer has a real number.
    if real.fract() == 0.0 && real.abs() < 9e15 { Value::Integer(real as i64) } else { Value::Real(real) }
}

/// The characters from a place on, counted from 1, and at most so many.
fn part(text: &str, values: &[Value]) -> String {
    let count = |value: Option<&Value>| value.and_then(Value::real).map(|real| real.max(0.0) as usize);
    let skip = count(values.first()).unwrap_or(1).saturating_sub(1);
    text.chars().skip(skip).take(count(values.get(1)).unwrap_or(usize::MAX)).collect()
}

/// The number at a place of a date such as `2026-11-23` or `2026-11-23T10:00`.
fn date(value: &Value, place: std::ops::Range<usize>) -> Value {
    let digits = value.to_string().get(place).and_then(|digits| digits.parse().ok());
    digits.map_or(Value::Null, Value::Integer)
}

/// What names in an expression mean.
pub(crate) struct Scope<'a> {
    /// The column of a name.
    pub(crate) column: &'a dyn Fn(&[String]) -> Result<usize, String>,
    /// The aggregates that were met; none are allowed where this is missing.
    pub(crate) aggregates: Option<&'a mut Vec<Aggregate>>,
}

impl Expression {
    /// The same with names and aggregates resolved.
    pub(crate) fn bind(self, scope: &mut Scope<'_>) -> Result<Self, String> {
        let boxed = |inner: Self, scope: &mut Scope<'_>| inner.bind(scope).map(Box::new);
        let all = |list: Vec<Self>, scope: &mut Scope<'_>| -> Result<Vec<Self>, String> {
            list.into_iter().map(|one| one.bind(scope)).collect()
        };
        Ok(match self {
            Self::Name(parts) => Self::Column((scope.column)(&parts)?),
            Self::Binary(one, operator, two) => Self::Binary(boxed(*one, scope)?, operator, boxed(*two, scope)?),
            Self::Not(inner) => Self::Not(boxed(*inner, scope)?),
            Self::IsNull(inner) => Self::IsNull(boxed(*inner, scope)?),
            Self::In(inner, list) => Self::In(boxed(*inner, scope)?, all(list, scope)?),
            Self::Like(inner, pattern) => Self::Like(boxed(*inner, scope)?, boxed(*pattern, scope)?),
            Self::Call(name, arguments) => Self::Call(name, all(arguments, scope)?),
            Self::Case(branches, otherwise) => {
                let branches = branches.into_iter().map(|(when, then)| Ok((when.bind(scope)?, then.bind(scope)?)));
                Self::Case(branches.collect::<Result<_, String>>()?, boxed(*otherwise, scope)?)
            }
            Self::Aggregate { name, distinct, of } => aggregate(name, distinct, *of, scope)?,
            other @ (Self::Constant(_) | Self::Column(_) | Self::Computed(_)) => other,
        })
    }

    /// Its value for a row, with the aggregates of the row's group.
    pub(crate) fn value(&self, row: &[Value], computed: &[Value]) -> Value {
        let value = |inner: &Self| inner.value(row, computed);
        match self {
            Self::Constant(constant) => constant.clone(),
            Self::Column(index) => row.get(*index).cloned().unwrap_or(Value::Null),
            Self::Computed(index) => computed.get(*index).cloned().unwrap_or(Value::Null),
            Self::Binary(one, operator, two) => binary(value(one), operator, || value(two)),
            Self::Not(inner) => value(inner).truth().map(|truth| !truth).into(),
            Self::IsNull(inner) => Value::Bool(value(inner).is_null()),
            Self::In(inner, list) => within(&value(inner), list.iter().map(value)),
            Self::Like(inner, pattern) => match (value(inner), value(pattern)) {
                (Value::Null, _) | (_, Value::Null) => Value::Null,
                (text, pattern) => Value::Bool(like(&text.to_string(), &pattern.to_string())),
            },
            Self::Case(branches, otherwise) => {
                let found = branches.iter().find(|(when, _)| value(when).truth() == Some(true));
                found.map_or_else(|| value(otherwise), |(_, then)| value(then))
            }
            Self::Call(name, arguments) => {
                let values: Vec<Value> = arguments.iter().map(value).collect();
                let function = FUNCTIONS.iter().find(|function| function.0 == name);
                function.map_or(Value::Null, |(_, _, function)| function(&values))
            }
            // What is not bound has no value.
            Self::Name(_) | Self::Aggregate { .. } => Value::Null,
        }
    }
}

fn aggregate(name: String, distinct: bool, of: Expression, scope: &mut Scope<'_>) -> Result<Expression, String> {
    let mut inside = Scope { column: scope.column, aggregates: None };
    let found = Aggregate { of: of.bind(&mut inside)?, name, distinct };
    let Some(aggregates) = scope.aggregates.as_deref_mut() else {
        return Err(format!("{}() has no place here; conditions on groups go into 'having'", found.name));
    };
    let known = aggregates.iter().position(|known| *known == found);
    Ok(Expression::Computed(known.unwrap_or_else(|| {
        aggregates.push(found);
        aggregates.len() - 1
    })))
}

fn binary(one: Value, operator: &str, two: impl Fn() -> Value) -> Value {
    let ordered = |fits: fn(Ordering) -> bool| one.compare(&two()).map(fits).into();
    match operator {
        "and" => match (one.truth(), || two().truth()) {
            (Some(false), _) => Value::Bool(false),
            (truth, two) => match two() {
                Some(false) => Value::Bool(false),
                other => truth.and(other).into(),
            },
        },
        "or" => match (one.truth(), || two().truth()) {
            (Some(true), _) => Value::Bool(true),
            (truth, two) => match two() {
                Some(true) => Value::Bool(true),
                other => truth.and(other).into(),
            },
        },
        "=" | "==" => ordered(Ordering::is_eq),
        "<>" | "!=" => ordered(Ordering::is_ne),
        "<" => ordered(Ordering::is_lt),
        "<=" => ordered(Ordering::is_le),
        ">" => ordered(Ordering::is_gt),
        ">=" => ordered(Ordering::is_ge),
        "||" => match (one, two()) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (one, two) => Value::Text(format!("{one}{two}")),
        },
        sign => one.calculate(sign, &two()),
    }
}

/// Whether a value is in a list; unknown if only a null could be it.
fn within(value: &Value, list: impl Iterator<Item = Value>) -> Value {
    let mut unknown = value.is_null();
    for other in list {
        match value.compare(&other) {
            Some(Ordering::Equal) => return Value::Bool(true),
            None => unknown = true,
            Some(_) => {}
        }
    }
    if unknown { Value::Null } else { Value::Bool(false) }
}

/// Whether a text fits a pattern, in which `%` is any text and `_` any character; the case of letters does not matter.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let (mut at, mut wanted, mut retry) = (0, 0, None);
    while at < text.len() {
        match pattern.get(wanted) {
            Some('%') => {
                retry = Some((at, wanted));
                wanted += 1;
            }
            Some(one) if *one == '_' || *one == text[at] => (at, wanted) = (at + 1, wanted + 1),
            // The last `%` takes one character more.
            _ => match retry {
                Some((from, star)) => {
                    retry = Some((from + 1, star));
                    (at, wanted) = (from + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[wanted..].iter().all(|one| *one == '%')
}

impl Aggregate {
    /// Its value over the rows of a group.
    pub(crate) fn over<'a>(&self, rows: impl Iterator<Item = &'a Vec<Value>>) -> Value {
        let mut seen = HashSet::new();
        let values = rows.map(|row| self.of.value(row, &[])).filter(|value| !value.is_null());
        let values: Vec<Value> = values.filter(|value| !self.distinct || seen.insert(value.key())).collect();
        let sum = || values.iter().cloned().reduce(|sum, value| sum.calculate("+", &value)).unwrap_or(Value::Null);
        let count = Value::Integer(values.len() as i64);
        match self.name.as_str() {
            "count" => count,
            "sum" => sum(),
            "avg" => sum().calculate("/", &count),
            "min" => values.iter().min_by(|one, two| one.order(two)).cloned().unwrap_or(Value::Null),
            _ => values.iter().max_by(|one, two| one.order(two)).cloned().unwrap_or(Value::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(expression: &str) -> Value {
        let query = crate::parse::query(&format!("select {expression} from x")).unwrap();
        let Some(crate::parse::Output::One(expression, _)) = query.outputs.into_iter().next() else { panic!("all") };
        expression.value(&[], &[])
    }

    #[test]
    fn operators_bind_as_in_sql() {
        for (expression, value) in [
            ("1 + 2 * 3 = 7 and not 1 > 2", "true"),
            ("(1 + 2) * -3", "-9"),
            ("10 - 2 - 3", "5"),
            ("'a' || 1 || 'b'", "a1b"),
            ("5 between 1 and 5 or null", "true"),
            ("0.1 + 0.2", "0.3"),
            ("case when 1 > 2 then 'a' when 2 > 1 then 'b' end", "b"),
            ("case 3 when 3 then 'three' else 'other' end", "three"),
        ] {
            assert_eq!(evaluated(expression).to_string(), value, "{expression}");
        }
    }

    #[test]
    fn null_is_unknown() {
        for unknown in
            ["null = null", "not null", "1 in (2, null)", "null and true", "1 + null", "null like 'a'", "1 / 0"]
        {
            assert_eq!(evaluated(unknown), Value::Null, "{unknown}");
        }
        assert_eq!(evaluated("null is null and 1 is not null"), Value::Bool(true));
        assert_eq!(evaluated("null and false"), Value::Bool(false));
    }

    #[test]
    fn patterns_take_any_text_and_any_character() {
        assert!(like("Zürich", "z_r%") && like("", "%") && like("aXbXc", "a%b%c"));
        assert!(!like("Zürich", "rich") && !like("ab", "a") && !like("a", "a_"));
        assert!(!like(&"a".repeat(20_000), &"%a".repeat(20).replace("%a%a", "%ab")));
    }

    #[test]
    fn functions_do_what_they_are_called() {
        for (expression, value) in [
            ("upper('ä') || lower('X')", "Äx"),
            ("substr('hello', 2, 3)", "ell"),
            ("round(2.345, 2)", "2.35"),
            ("round(2.5)", "3"),
            ("length('Zürich')", "6"),
            ("coalesce(null, 7)", "7"),
            ("year('2026-11-23') + month('2026-11-23')", "2037"),
            ("number('12') + 1", "13"),
        ] {
            assert_eq!(evaluated(expression).to_string(), value, "{expression}");
        }
    }
}
