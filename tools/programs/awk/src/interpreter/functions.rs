//! The functions of the language.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::{Captures, Regex};

use super::{Array, Cell, FS, Interpreter, Outcome, PROCINFO, RLENGTH, RSTART, SUBSEP, Stop, trouble};
use crate::ast::{Expression, Target};
use crate::value::{Value, number_length};

/// The format of `strftime` when none is given.
const TIME_FORMAT: &str = "%a %b %e %H:%M:%S UTC %Y";

/// The generator behind `rand`: xorshift64*, good enough for sampling lines.
pub struct Random {
    state: u64,
    seed: f64,
}

impl Default for Random {
    fn default() -> Self {
        Self::seeded(0.0)
    }
}

impl Random {
    fn seeded(seed: f64) -> Self {
        // Any odd constant; a state of zero would stay zero.
        Self { state: seed.to_bits() ^ 0x9E37_79B9_7F4A_7C15, seed }
    }

    fn next(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

impl Interpreter {
    /// Calls a function of the language.
    #[inline(never)]
    pub(super) fn builtin(&mut self, name: &str, values: &[Expression]) -> Outcome<Value> {
        match name {
            "length" => self.length(values),
            "sub" | "gsub" => self.substitute(values, name == "gsub"),
            "gensub" => self.gensub(values),
            "match" => self.find(values),
            "split" => self.split(values),
            "sprintf" => self.formatted(values).map(Value::text),
            "asort" | "asorti" => self.sort_array(values, name == "asorti"),
            _ => {
                let values: Vec<Value> = values.iter().map(|value| self.evaluate(value)).collect::<Outcome<_>>()?;
                let text = |at: usize| values.get(at).map(|value| self.text(value)).unwrap_or_default();
                let number = |at: usize| values.get(at).map_or(0.0, Value::number);
                // The bits of a number that is not negative, as gawk has them.
                let bits = |at: usize| number(at) as u64;
                Ok(match name {
                    "substr" => Value::text(substring(&text(0), number(1), values.get(2).map(Value::number))),
                    "index" => {
                        let (text, part) = (text(0), text(1));
                        Value::Number(text.find(&*part).map_or(0, |at| text[..at].chars().count() + 1) as f64)
                    }
                    "tolower" => Value::text(text(0).to_lowercase()),
                    "toupper" => Value::text(text(0).to_uppercase()),
                    "strtonum" => Value::Number(strtonum(&text(0))),
                    "system" => self.system(&text(0))?,
                    "close" => self.close(&text(0))?,
                    "fflush" => {
                        self.output.flush_all().map_err(Stop::Trouble)?;
                        Value::Number(0.0)
                    }
                    "rand" => Value::Number(self.random.next()),
                    "srand" => {
                        let seed = if values.is_empty() { now() } else { number(0) };
                        let before = std::mem::replace(&mut self.random, Random::seeded(seed));
                        Value::Number(before.seed)
                    }
                    "systime" => Value::Number(now()),
                    "strftime" => {
                        let format = if values.is_empty() { TIME_FORMAT.into() } else { text(0) };
                        Value::text(time_text(&format, if values.len() > 1 { number(1) } else { now() }))
                    }
                    "mktime" => Value::Number(time_number(&text(0)).unwrap_or(-1.0)),
                    "and" => Value::Number((1..values.len()).fold(bits(0), |sum, at| sum & bits(at)) as f64),
                    "or" => Value::Number((1..values.len()).fold(bits(0), |sum, at| sum | bits(at)) as f64),
                    "xor" => Value::Number((1..values.len()).fold(bits(0), |sum, at| sum ^ bits(at)) as f64),
                    "lshift" => Value::Number(bits(0).checked_shl(bits(1) as u32).unwrap_or(0) as f64),
                    "rshift" => Value::Number(bits(0).checked_shr(bits(1) as u32).unwrap_or(0) as f64),
                    // gawk's numbers have 53 bits.
                    "compl" => Value::Number((!bits(0) & ((1 << 53) - 1)) as f64),
                    _ => Value::Number(mathematics(name, number(0), number(1))),
                })
            }
        }
    }

    #[inline(never)]
    fn length(&mut self, values: &[Expression]) -> Outcome<Value> {
        let value = match values.first() {
            None => self.field(0.0)?,
            Some(Expression::Read(Target::Variable(place))) if matches!(self.cell(*place), Cell::Array(_)) => {
                let array = self.array(*place)?;
                let count = array.borrow().len();
                return Ok(Value::Number(count as f64));
            }
            Some(value) => self.evaluate(value)?,
        };
        Ok(Value::Number(self.text(&value).chars().count() as f64))
    }

    #[inline(never)]
    fn substitute(&mut self, values: &[Expression], all: bool) -> Outcome<Value> {
        let [pattern, replacement, rest @ ..] = values else {
            return trouble("sub and gsub need a pattern and a replacement");
        };
        let regex = self.regex(pattern)?;
        let replacement = self.evaluate(replacement)?;
        let replacement = self.text(&replacement);
        let record = Expression::Read(Target::Field(Box::new(Expression::Number(0.0))));
        let target = rest.first().unwrap_or(&record);
        let before = self.evaluate(target)?;
        let before = self.text(&before);
        let mut count = 0;
        let after = replace(&regex, &before, |captures, out| {
            count += 1;
            if !all && count > 1 {
                return false;
            }
            fill(&replacement, captures, out, false);
            true
        });
        if !all {
            count = count.min(1);
        }
        if let (Expression::Read(target), true) = (target, count > 0) {
            self.store(target, Value::text(after))?;
        }
        Ok(Value::Number(f64::from(count)))
    }

    #[inline(never)]
    fn gensub(&mut self, values: &[Expression]) -> Outcome<Value> {
        let [pattern, replacement, which, rest @ ..] = values else {
            return trouble("gensub needs a pattern, a replacement and which match");
        };
        let regex = self.regex(pattern)?;
        let (replacement, which) = (self.evaluate(replacement)?, self.evaluate(which)?);
        let (replacement, all) = (self.text(&replacement), self.text(&which).starts_with(['g', 'G']));
        let which = which.number().max(1.0) as u64;
        let text = match rest.first() {
            Some(text) => self.evaluate(text)?,
            None => self.field(0.0)?,
        };
        let mut count = 0;
        Ok(Value::text(replace(&regex, &self.text(&text), |captures, out| {
            count += 1;
            let chosen = all || count == which;
            if chosen {
                fill(&replacement, captures, out, true);
            }
            chosen
        })))
    }

    #[inline(never)]
    fn find(&mut self, values: &[Expression]) -> Outcome<Value> {
        let [text, pattern, rest @ ..] = values else { return trouble("match needs a string and a pattern") };
        let text = self.evaluate(text)?;
        let (text, regex) = (self.text(&text), self.regex(pattern)?);
        let captures = regex.captures(&text);
        let place = |found: regex::Match| (text[..found.start()].chars().count() + 1, found.as_str().chars().count());
        let (start, length) = captures.as_ref().and_then(|captures| captures.get(0)).map_or((0.0, -1.0), |found| {
            let (start, length) = place(found);
            (start as f64, length as f64)
        });
        self.set_global(RSTART, Value::Number(start));
        self.set_global(RLENGTH, Value::Number(length));
        if let Some(array) = rest.first() {
            let array = self.array_argument(array)?;
            let separator = self.global_text(SUBSEP);
            let mut array = array.borrow_mut();
            array.clear();
            for (number, found) in captures.iter().flat_map(|captures| captures.iter().enumerate()) {
                let Some(found) = found else { continue };
                let (start, length) = place(found);
                array.insert(number.to_string().into(), Value::input(found.as_str()));
                array.insert(format!("{number}{separator}start").into(), Value::Number(start as f64));
                array.insert(format!("{number}{separator}length").into(), Value::Number(length as f64));
            }
        }
        Ok(Value::Number(start))
    }

    #[inline(never)]
    fn split(&mut self, values: &[Expression]) -> Outcome<Value> {
        let [text, array, rest @ ..] = values else { return trouble("split needs a string and an array") };
        let text = self.evaluate(text)?;
        let text = self.text(&text);
        let separator: Rc<str> = match rest.first() {
            None => self.global_text(FS),
            Some(Expression::Regex(regex)) => {
                // Never taken for a single character, whatever it looks like.
                let key: Rc<str> = format!("(?:{})", regex.as_str()).into();
                self.patterns.entry(key.clone()).or_insert_with(|| regex.clone());
                key
            }
            Some(separator) => {
                let separator = self.evaluate(separator)?;
                self.text(&separator)
            }
        };
        let pieces: Vec<Value> = self.split_text(&text, &separator)?.into_iter().map(Value::input).collect();
        let array = self.array_argument(array)?;
        let mut array = array.borrow_mut();
        array.clear();
        let count = pieces.len();
        array.extend(pieces.into_iter().enumerate().map(|(number, piece)| ((number + 1).to_string().into(), piece)));
        Ok(Value::Number(count as f64))
    }

    fn array_argument(&mut self, expression: &Expression) -> Outcome<Array> {
        match expression {
            Expression::Read(Target::Variable(place)) => self.array(*place),
            _ => trouble("an array is needed as an argument"),
        }
    }

    /// `asort` and `asorti`: values (or subscripts) become elements 1 to n.
    #[inline(never)]
    fn sort_array(&mut self, values: &[Expression], subscripts: bool) -> Outcome<Value> {
        let Some(source) = values.first() else { return trouble("asort needs an array") };
        let source = self.array_argument(source)?;
        let mut sorted: Vec<Value> = if subscripts {
            source.borrow().keys().cloned().map(Value::Text).collect()
        } else {
            source.borrow().values().cloned().collect()
        };
        sorted.sort_by(|left, right| self.order(left, right));
        let target = values.get(1).map_or(Ok(source), |target| self.array_argument(target))?;
        let mut target = target.borrow_mut();
        target.clear();
        let count = sorted.len();
        target.extend(sorted.into_iter().enumerate().map(|(number, value)| ((number + 1).to_string().into(), value)));
        Ok(Value::Number(count as f64))
    }

    /// Numbers before strings, as gawk orders them.
    fn order(&self, left: &Value, right: &Value) -> std::cmp::Ordering {
        match (left.is_numeric(), right.is_numeric()) {
            (true, true) => left.number().total_cmp(&right.number()),
            (false, false) => self.text(left).cmp(&self.text(right)),
            (numeric, _) => {
                if numeric {
                    std::cmp::Ordering::Less
                } else {
                    std::cmp::Ordering::Greater
                }
            }
        }
    }

    /// gawk's `PROCINFO["sorted_in"]`: in which order `for (... in ...)` goes.
    pub(super) fn sort_keys(&self, array: &Array, keys: &mut [Rc<str>]) {
        let Cell::Array(settings) = &self.globals[PROCINFO] else { return };
        let Some(wanted) = settings.borrow().get("sorted_in").map(|value| value.string("")) else { return };
        let array = array.borrow();
        let value = |key: &Rc<str>| array.get(key).cloned().unwrap_or_default();
        let number = |key: &Rc<str>| Value::input(key.clone()).number();
        match wanted.trim_end_matches("_asc").trim_end_matches("_desc") {
            "@ind_str" => keys.sort(),
            "@ind_num" => keys.sort_by(|left, right| number(left).total_cmp(&number(right)).then(left.cmp(right))),
            "@val_num" => keys.sort_by(|left, right| value(left).number().total_cmp(&value(right).number())),
            "@val_str" => keys.sort_by_key(|key| self.text(&value(key))),
            "@val_type" => keys.sort_by(|left, right| self.order(&value(left), &value(right))),
            _ => return,
        }
        if wanted.ends_with("_desc") {
            keys.reverse();
        }
    }

    fn system(&mut self, command: &str) -> Outcome<Value> {
        self.output.flush_all().map_err(Stop::Trouble)?;
        let code = chiton_program::Command::new(["sh", "-c", command])
            .run()
            .map_err(|problem| Stop::Trouble(problem.to_string()))?;
        Ok(Value::Number(code.into()))
    }

    fn close(&mut self, name: &str) -> Outcome<Value> {
        let read = self.input.close(name);
        let written = self.output.close(name).map_err(Stop::Trouble)?;
        Ok(Value::Number(written.map_or(if read { 0.0 } else { -1.0 }, f64::from)))
    }
}

/// Replaces matches; `replacement` writes what stands for one, or tells that it stays.
fn replace(regex: &Regex, text: &str, mut replacement: impl FnMut(&Captures, &mut String) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        // No empty match right behind another match, as in sed and awk.
        if found.is_empty() && found.start() == from && from > 0 {
            continue;
        }
        out.push_str(&text[from..found.start()]);
        if !replacement(&captures, &mut out) {
            out.push_str(found.as_str());
        }
        from = found.end();
    }
    out.push_str(&text[from..]);
    out
}

/// Writes a replacement: `&` is the match, `\&` an ampersand; with `groups`, `\1` is what a group matched.
fn fill(replacement: &str, captures: &Captures, out: &mut String, groups: bool) {
    let group = |number: usize| captures.get(number).map_or("", |found| found.as_str());
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('&', _) => out.push_str(group(0)),
            ('\\', Some('&')) => {
                characters.next();
                out.push('&');
            }
            ('\\', Some('\\')) => {
                characters.next();
                out.push('\\');
            }
            ('\\', Some(digit)) if groups && digit.is_ascii_digit() => {
                out.push_str(group(digit.to_digit(10).unwrap_or(0) as usize));
                characters.next();
            }
            _ => out.push(character),
        }
    }
}

/// Characters from `start` (the first is 1), rounded as POSIX says.
fn substring(text: &str, start: f64, length: Option<f64>) -> String {
    let first = start.round_ties_even();
    let end = length.map_or(f64::INFINITY, |length| first + length.round_ties_even());
    if first.is_nan() || end.is_nan() {
        return String::new();
    }
    let skip = (first - 1.0).max(0.0);
    let take = (end - 1.0 - skip).max(0.0);
    text.chars().skip(skip as usize).take(if take.is_finite() { take as usize } else { usize::MAX }).collect()
}

fn strtonum(text: &str) -> f64 {
    let text = text.trim();
    let digits = |prefix: usize, base: u32| {
        let end = text[prefix..].find(|next: char| !next.is_digit(base)).map_or(text.len(), |at| at + prefix);
        text[prefix..end]
            .chars()
            .filter_map(|digit| digit.to_digit(base))
            .fold(0.0, |sum, digit| sum * f64::from(base) + f64::from(digit))
    };
    match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => digits(2, 16),
        [b'0', b'0'..=b'7', ..] => digits(1, 8),
        _ => text[..number_length(text)].parse().unwrap_or(0.0),
    }
}

fn mathematics(name: &str, first: f64, second: f64) -> f64 {
    match name {
        "sin" => first.sin(),
        "cos" => first.cos(),
        "atan2" => first.atan2(second),
        "exp" => first.exp(),
        "log" => first.ln(),
        "sqrt" => first.sqrt(),
        _ => first.trunc(),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as f64
}

/// In UTC, as all times in the sandbox.
fn time_text(format: &str, seconds: f64) -> String {
    Timestamp::from_second(seconds as i64)
        .ok()
        .and_then(|time| jiff::fmt::strtime::format(format, &time.to_zoned(TimeZone::UTC)).ok())
        .unwrap_or_default()
}

/// `YYYY MM DD HH MM SS` as seconds since 1970.
fn time_number(text: &str) -> Option<f64> {
    let parts: Vec<i16> = text.split_whitespace().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day, hour, minute, second] = parts.get(..6)?.try_into().ok()?;
    let small = |part: i16| i8::try_from(part).ok();
    let time = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() as f64)
}
