//! `printf` and `sprintf`.

use crate::value::Value;

/// A directive between `%` and its letter.
#[derive(Default)]
struct Directive {
    flags: String,
    width: usize,
    precision: Option<usize>,
}

impl Directive {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// Pads on the left, or on the right with `-`; zeros go behind the sign.
    fn pad(&self, text: String, zeros: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.has('-') {
            return text + &" ".repeat(missing);
        }
        if !(zeros && self.has('0')) {
            return " ".repeat(missing) + &text;
        }
        let sign = text.find(|next: char| next.is_ascii_digit() || next == '.').unwrap_or(0);
        let sign = if text[sign..].starts_with("0x") || text[sign..].starts_with("0X") { sign + 2 } else { sign };
        format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
    }

    fn sign(&self, negative: bool) -> &'static str {
        match () {
            () if negative => "-",
            () if self.has('+') => "+",
            () if self.has(' ') => " ",
            () => "",
        }
    }
}

/// Fills a format; numbers shown by `%s` use `conversion`.
pub fn sprintf(format: &str, values: &[Value], conversion: &str) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let mut directive = Directive::default();
        let mut raw = String::from("%");
        while let Some(flag) = characters.next_if(|next| "-+ #0".contains(*next)) {
            directive.flags.push(flag);
            raw.push(flag);
        }
        let mut size = |raw: &mut String, characters: &mut std::iter::Peekable<std::str::Chars>| -> i64 {
            if characters.next_if_eq(&'*').is_some() {
                return values.next().map_or(0, |value| value.number() as i64);
            }
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            raw.push_str(&digits);
            digits.parse().unwrap_or(0)
        };
        let width = size(&mut raw, &mut characters);
        if width < 0 {
            directive.flags.push('-');
        }
        directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
        if characters.next_if_eq(&'.').is_some() {
            raw.push('.');
            directive.precision = usize::try_from(size(&mut raw, &mut characters)).ok();
        }
        while characters.next_if(|next| "hlLqjzt".contains(*next)).is_some() {}
        match characters.next() {
            Some('%') => out.push('%'),
            Some(letter) if "diouxXeEfFgGaAcs".contains(letter) => {
                out.push_str(&one(&directive, letter, values.next().unwrap_or(&Value::Unset), conversion));
            }
            other => {
                out.push_str(&raw);
                out.extend(other);
            }
        }
    }
    out
}

fn one(directive: &Directive, letter: char, value: &Value, conversion: &str) -> String {
    match letter {
        's' => {
            let text = value.string(conversion);
            let text = directive.precision.map_or_else(|| text.to_string(), |most| text.chars().take(most).collect());
            directive.pad(text, false)
        }
        'c' => {
            let character = match value {
                Value::Number(number) => char::from_u32(*number as u32).map(String::from),
                _ => value.string(conversion).chars().next().map(String::from),
            };
            directive.pad(character.unwrap_or_default(), false)
        }
        _ if !value.number().is_finite() => directive.pad(float_word(value.number(), directive.sign(false)), false),
        'd' | 'i' => whole(directive, value.number()),
        'o' | 'u' | 'x' | 'X' => unsigned(directive, letter, value.number()),
        _ => float(directive, letter, value.number()),
    }
}

/// Infinity and what is no number, as gawk writes them.
pub fn float_word(number: f64, sign: &str) -> String {
    let sign = if number.is_sign_negative() { "-" } else { sign };
    format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" })
}

fn whole(directive: &Directive, number: f64) -> String {
    let number = number.trunc();
    let digits = format!("{:.0}", number.abs());
    let digits = directive.precision.map_or(digits.clone(), |least| format!("{digits:0>least$}"));
    directive.pad(format!("{}{digits}", directive.sign(number < 0.0)), directive.precision.is_none())
}

fn unsigned(directive: &Directive, letter: char, number: f64) -> String {
    // A negative number is shown as the bits that C would show.
    let bits = if number < 0.0 { number as i64 as u64 } else { number as u64 };
    let alternate = directive.has('#') && bits != 0;
    let (prefix, digits) = match letter {
        'o' => (if alternate { "0" } else { "" }, format!("{bits:o}")),
        'x' => (if alternate { "0x" } else { "" }, format!("{bits:x}")),
        'X' => (if alternate { "0X" } else { "" }, format!("{bits:X}")),
        _ => ("", bits.to_string()),
    };
    let digits = directive.precision.map_or(digits.clone(), |least| format!("{digits:0>least$}"));
    directive.pad(format!("{prefix}{digits}"), directive.precision.is_none())
}

fn float(directive: &Directive, letter: char, number: f64) -> String {
    let precision = directive.precision.unwrap_or(6);
    let magnitude = number.abs();
    let text = match letter.to_ascii_lowercase() {
        'f' => format!("{magnitude:.precision$}"),
        'e' => scientific(magnitude, precision),
        _ => general(magnitude, precision.max(1), directive.has('#')),
    };
    let text = if letter.is_ascii_uppercase() { text.to_uppercase() } else { text };
    directive.pad(format!("{}{text}", directive.sign(number.is_sign_negative())), true)
}

/// As C's `%e`: an exponent of at least two digits.
fn scientific(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// As C's `%g`: the shorter of the two, without zeros at the end.
fn general(magnitude: f64, precision: usize, keep_zeros: bool) -> String {
    let exponent: i32 = if magnitude == 0.0 {
        0
    } else {
        format!("{magnitude:.*e}", precision - 1)
            .rsplit('e')
            .next()
            .and_then(|exponent| exponent.parse().ok())
            .unwrap_or(0)
    };
    let trim = |text: String| match text.contains('.') && !keep_zeros {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    if exponent < -4 || exponent >= precision as i32 {
        let text = scientific(magnitude, precision - 1);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{power}", trim(mantissa.to_owned()));
    }
    let decimals = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
    trim(format!("{magnitude:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_c() {
        let one = |format: &str, number: f64| sprintf(format, &[Value::Number(number)], "%.6g");
        assert_eq!(one("%d|", -3.9), "-3|");
        assert_eq!(one("%05.1f|", -2.25), "-02.2|");
        assert_eq!(one("%-6x|", 255.0), "ff    |");
        assert_eq!(one("%e", 12345.678), "1.234568e+04");
        assert_eq!(one("%g", 1e-5), "1e-05");
        assert_eq!(one("%g", 100000.0), "100000");
        assert_eq!(one("%G", 1e10), "1E+10");
        assert_eq!(one("%+d %%", 5.0), "+5 %");
        assert_eq!(one("%c", 65.0), "A");
        assert_eq!(
            sprintf("%-5s|%3d|%.2s", &[Value::text("ab"), Value::Number(7.0), Value::text("xyz")], "%.6g"),
            "ab   |  7|xy"
        );
    }
}
