//! `printf`.

use crate::error::Run;
use crate::quote::{self, Escapes, unescape};
use crate::shell::Shell;
use crate::system::System;

/// Widest field, and most digits after the point.
const WIDEST: usize = 10_000;

/// `printf [-v name] format arguments...`
pub(super) fn printf<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let mut rest = words.get(1..).unwrap_or_default();
    let mut variable = None;
    if let [option, name, others @ ..] = rest
        && option == "-v"
    {
        variable = Some(name.clone());
        rest = others;
    }
    if let [dashes, others @ ..] = rest
        && dashes == "--"
    {
        rest = others;
    }
    let [format, arguments @ ..] = rest else {
        return shell.misuse("printf", "usage: printf [-v var] format [arguments]");
    };
    let mut formatter = Formatter { arguments: arguments.iter(), bytes: Vec::new(), errors: Vec::new(), used: false };
    let mut ended = formatter.round(format);
    while !ended && formatter.used && formatter.arguments.len() > 0 {
        formatter.used = false;
        ended = formatter.round(format);
    }
    let Formatter { bytes, errors, .. } = formatter;
    let status = match variable {
        Some(name) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (base, subscript) = match name.strip_suffix(']').and_then(|target| target.split_once('[')) {
                Some((base, subscript)) => (base.to_owned(), Some(subscript.to_owned())),
                None => (name, None),
            };
            let value = crate::assign::Assigned::Text(text);
            shell.assign(&crate::assign::Assignment { name: base, subscript, append: false, value })?;
            0
        }
        None => shell.print(&bytes)?,
    };
    for error in &errors {
        shell.fail(1, &format!("printf: {error}"));
    }
    Ok(if errors.is_empty() { status } else { 1 })
}

struct Formatter<'a> {
    arguments: std::slice::Iter<'a, String>,
    bytes: Vec<u8>,
    errors: Vec<String>,
    /// Whether this round took an argument.
    used: bool,
}

/// A conversion such as `%-5.2f`.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Formatter<'_> {
    fn argument(&mut self) -> Option<String> {
        self.used = true;
        self.arguments.next().cloned()
    }

    /// Goes through the format once; `true` if `\c` ended the output.
    fn round(&mut self, format: &str) -> bool {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            let literal = rest.get(..at).unwrap_or_default();
            self.bytes.extend(unescape(literal, Escapes::Ansi).0);
            let mut characters = rest.get(at + 1..).unwrap_or_default().chars().peekable();
            let spec = self.spec(&mut characters);
            match characters.next() {
                Some('%') => self.bytes.push(b'%'),
                Some(conversion) => {
                    if self.convert(conversion, &spec) {
                        return true;
                    }
                }
                None => self.errors.push("`%': missing format character".to_owned()),
            }
            let left: usize = characters.map(char::len_utf8).sum();
            rest = rest.get(rest.len() - left..).unwrap_or_default();
        }
        self.bytes.extend(unescape(rest, Escapes::Ansi).0);
        false
    }

    fn spec(&mut self, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Spec {
        let mut spec = Spec::default();
        while let Some(flag) = characters.next_if(|next| "-0+ #".contains(*next)) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                _ => spec.alternate = true,
            }
        }
        if characters.next_if_eq(&'*').is_some() {
            let width = self.argument().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            spec.left |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(WIDEST);
        } else {
            spec.width = digits(characters);
        }
        if characters.next_if_eq(&'.').is_some() {
            spec.precision = if characters.next_if_eq(&'*').is_some() {
                self.argument().and_then(|text| text.parse::<usize>().ok()).map(|digits| digits.min(WIDEST))
            } else {
                Some(digits(characters))
            };
        }
        // Lengths of C mean nothing here.
        while characters.next_if(|next| "hlLjzt".contains(*next)).is_some() {}
        spec
    }

    /// Writes one conversion; `true` if `\c` ended the output.
    fn convert(&mut self, conversion: char, spec: &Spec) -> bool {
        let text = match conversion {
            's' => self.argument().unwrap_or_default(),
            'q' => quote::backslashed(&self.argument().unwrap_or_default()),
            'c' => self.argument().unwrap_or_default().chars().take(1).collect(),
            'b' => {
                let (bytes, ended) = unescape(&self.argument().unwrap_or_default(), Escapes::Echo);
                self.pad_bytes(&bytes, spec);
                return ended;
            }
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let text = self.integer(conversion, spec);
                self.pad(&text, spec, spec.zero && spec.precision.is_none());
                return false;
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let (text, finite) = self.float(conversion, spec);
                self.pad(&text, spec, spec.zero && finite);
                return false;
            }
            '(' => {
                self.errors.push("%(...)T is not supported; use date".to_owned());
                return true;
            }
            other => {
                self.errors.push(format!("`{other}': invalid format character"));
                return true;
            }
        };
        let shown: String = match spec.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        };
        self.pad(&shown, spec, false);
        false
    }

    fn pad_bytes(&mut self, bytes: &[u8], spec: &Spec) {
        let filling = spec.width.saturating_sub(bytes.len());
        if !spec.left {
            self.bytes.extend(std::iter::repeat_n(b' ', filling));
        }
        self.bytes.extend(bytes);
        if spec.left {
            self.bytes.extend(std::iter::repeat_n(b' ', filling));
        }
    }

    fn pad(&mut self, text: &str, spec: &Spec, zeros: bool) {
        let filling = spec.width.saturating_sub(text.len());
        if zeros && !spec.left {
            let signs = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            let prefix = signs
                + if text.get(signs..).is_some_and(|text| text.starts_with("0x") || text.starts_with("0X")) {
                    2
                } else {
                    0
                };
            let (front, digits) = text.split_at(prefix);
            self.bytes.extend(front.as_bytes());
            self.bytes.extend(std::iter::repeat_n(b'0', filling));
            self.bytes.extend(digits.as_bytes());
        } else {
            self.pad_bytes(text.as_bytes(), spec);
        }
    }

    fn integer(&mut self, conversion: char, spec: &Spec) -> String {
        let argument = self.argument().unwrap_or_default();
        let number = self.parse_integer(&argument);
        let digits = match conversion {
            'x' => format!("{number:x}"),
            'X' => format!("{number:X}"),
            'o' => format!("{number:o}"),
            'u' => (number as u64).to_string(),
            _ => number.unsigned_abs().to_string(),
        };
        let least = spec.precision.unwrap_or(1);
        let digits = if least == 0 && number == 0 { String::new() } else { format!("{digits:0>least$}") };
        let signed = matches!(conversion, 'd' | 'i');
        let front = match conversion {
            _ if signed && number < 0 => "-",
            _ if signed && spec.plus => "+",
            _ if signed && spec.space => " ",
            'x' if spec.alternate && number != 0 => "0x",
            'X' if spec.alternate && number != 0 => "0X",
            'o' if spec.alternate && !digits.starts_with('0') => "0",
            _ => "",
        };
        format!("{front}{digits}")
    }

    /// A number as C writes it, or the code of the character after a quote.
    fn parse_integer(&mut self, text: &str) -> i64 {
        if let Some(quoted) = text.strip_prefix(['\'', '"']) {
            return quoted.chars().next().map_or(0, |next| i64::from(u32::from(next)));
        }
        let trimmed = text.trim_start();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            Some(digits) => (16, digits),
            None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
            None => (10, digits),
        };
        let end = digits.find(|next: char| !next.is_digit(radix)).unwrap_or(digits.len());
        if end < digits.len() || (end == 0 && !text.is_empty()) {
            self.errors.push(format!("{text}: invalid number"));
        }
        let value = u64::from_str_radix(digits.get(..end).unwrap_or_default(), radix);
        let value = match value {
            Ok(value) => value as i64,
            Err(_) if end == 0 => 0,
            Err(_) => i64::MAX,
        };
        if negative { value.wrapping_neg() } else { value }
    }

    /// A number with a point, and whether it is finite.
    fn float(&mut self, conversion: char, spec: &Spec) -> (String, bool) {
        let argument = self.argument().unwrap_or_default();
        let number = match argument.trim() {
            "" => 0.0,
            text => text.parse::<f64>().unwrap_or_else(|_| self.parse_integer(text) as f64),
        };
        let sign = if number.is_sign_negative() && !number.is_nan() {
            "-"
        } else if spec.plus {
            "+"
        } else if spec.space {
            " "
        } else {
            ""
        };
        let precision = spec.precision.unwrap_or(6);
        let magnitude = number.abs();
        let body = if !number.is_finite() {
            (if number.is_nan() { "nan" } else { "inf" }).to_owned()
        } else {
            match conversion {
                'f' | 'F' => format!("{magnitude:.precision$}"),
                'e' | 'E' => scientific(magnitude, precision),
                _ => general(magnitude, precision.max(1), spec.alternate),
            }
        };
        let text = format!("{sign}{body}");
        (if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }, number.is_finite())
    }
}

/// `1.5e+03`
fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The shorter of both notations, without zeros at the end.
fn general(number: f64, digits: usize, keep_zeros: bool) -> String {
    let rounded = format!("{number:.*e}", digits - 1);
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trim = |text: &str| {
        if keep_zeros || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if exponent < -4 || exponent >= i32::try_from(digits).unwrap_or(i32::MAX) {
        let text = scientific(number, digits - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", trim(mantissa));
    }
    let places = usize::try_from(i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent).unwrap_or(0);
    trim(&format!("{number:.places$}"))
}

fn digits(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> usize {
    let mut number = 0_usize;
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        number = number * 10 + digit.to_digit(10).unwrap_or_default() as usize;
        number = number.min(WIDEST);
    }
    number
}
