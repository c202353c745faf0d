//! Results written as the options say.

use jaq_json::{
    Val,
    write::{self, Pp},
};
use std::io::{self, BufWriter, Stdout, Write};

/// The form of the output.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) pretty: Pp,
    /// Strings without quotes.
    pub(crate) raw: bool,
    /// Nothing between results.
    pub(crate) joined: bool,
    /// NUL after each result.
    pub(crate) null_ended: bool,
    pub(crate) ascii: bool,
}

/// Standard output.
pub(crate) struct Output<'a> {
    form: &'a Form,
    stdout: BufWriter<Stdout>,
    last: Option<bool>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(form: &'a Form) -> Self {
        Self { form, stdout: BufWriter::new(io::stdout()), last: None }
    }

    /// Whether the last result was neither null nor false; none if there was no result.
    pub(crate) fn last(&self) -> Option<bool> {
        self.last
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    pub(crate) fn write(&mut self, value: &Val) -> io::Result<()> {
        self.last = Some(!matches!(value, Val::Null | Val::Bool(false)));
        match value {
            Val::TStr(text) if self.form.raw && !self.form.ascii => self.stdout.write_all(text)?,
            value if self.form.ascii => {
                let mut text = Vec::new();
                write::write(&mut text, &self.form.pretty, 0, value)?;
                self.stdout.write_all(escaped(&String::from_utf8_lossy(&text)).as_bytes())?;
            }
            value => write::write(&mut self.stdout, &self.form.pretty, 0, value)?,
        }
        match (self.form.null_ended, self.form.joined) {
            (true, _) => self.stdout.write_all(b"\0"),
            (false, true) => Ok(()),
            (false, false) => self.stdout.write_all(b"\n"),
        }
    }
}

/// JSON text with all but ASCII as `\uXXXX`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        }
    }
    escaped
}
