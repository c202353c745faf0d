//! The record and its fields: split when asked for, joined when changed.

use std::rc::Rc;

use super::{FS, Interpreter, NF, OFS, Outcome};
use crate::value::Value;

/// Fields of a record, at most; a slip such as `$1e9 = 1` shall not take all memory.
const MOST_FIELDS: usize = 10_000_000;

/// The current record.
#[derive(Default)]
pub struct Record {
    text: Rc<str>,
    fields: Vec<Value>,
    /// The fields are those of the text.
    is_split: bool,
    /// The text is that of the fields.
    is_joined: bool,
}

impl Interpreter {
    /// Makes this the record.
    pub(super) fn set_record(&mut self, text: Rc<str>) {
        self.record = Record { text, fields: Vec::new(), is_split: false, is_joined: true };
    }

    /// `$number`
    pub(super) fn field(&mut self, number: f64) -> Outcome<Value> {
        if number < 0.0 {
            return super::trouble(format!("attempt to access field {number}"));
        }
        if number < 1.0 {
            self.join();
            return Ok(Value::input(self.record.text.clone()));
        }
        self.split_record()?;
        Ok(self.record.fields.get(number as usize - 1).cloned().unwrap_or_default())
    }

    /// `$number = value`
    pub(super) fn set_field(&mut self, number: f64, value: Value) -> Outcome<()> {
        if !(0.0..MOST_FIELDS as f64).contains(&number) {
            return super::trouble(format!("attempt to access field {number}"));
        }
        let text = self.text(&value);
        if number < 1.0 {
            self.set_record(text);
            return Ok(());
        }
        self.split_record()?;
        let index = number as usize - 1;
        if index >= self.record.fields.len() {
            self.record.fields.resize(index + 1, Value::text(""));
            self.set_global(NF, Value::Number((index + 1) as f64));
        }
        self.record.fields[index] = match value {
            Value::Unset => Value::text(""),
            value => value,
        };
        self.record.is_joined = false;
        Ok(())
    }

    /// The number of fields.
    pub(super) fn field_count(&mut self) -> Outcome<f64> {
        self.split_record()?;
        Ok(self.record.fields.len() as f64)
    }

    /// `NF = count`: cuts fields off or adds empty ones.
    pub(super) fn set_field_count(&mut self, count: f64) -> Outcome<()> {
        if !(0.0..MOST_FIELDS as f64).contains(&count) {
            return super::trouble(format!("NF set to {count}"));
        }
        self.split_record()?;
        self.record.fields.resize(count as usize, Value::text(""));
        self.set_global(NF, Value::Number(self.record.fields.len() as f64));
        self.record.is_joined = false;
        Ok(())
    }

    fn join(&mut self) {
        if !self.record.is_joined {
            let separator = self.global_text(OFS);
            let fields: Vec<Rc<str>> = self.record.fields.iter().map(|field| self.text(field)).collect();
            self.record.text = fields.join(&*separator).into();
            self.record.is_joined = true;
        }
    }

    fn split_record(&mut self) -> Outcome<()> {
        if !self.record.is_split {
            let text = self.record.text.clone();
            let mut separator = self.global_text(FS);
            // In paragraphs a newline separates fields whatever FS is.
            if self.global_text(super::RS).is_empty() && &*separator != " " {
                separator = if separator.chars().count() == 1 {
                    format!("[{separator}\n]")
                } else {
                    format!("({separator})|\n")
                }
                .into();
            }
            self.record.fields = self.split_text(&text, &separator)?.into_iter().map(Value::input).collect();
            self.set_global(NF, Value::Number(self.record.fields.len() as f64));
            self.record.is_split = true;
        }
        Ok(())
    }

    /// The pieces of a text between separators: blanks for `" "`, a character, or a pattern.
    pub(super) fn split_text<'a>(&mut self, text: &'a str, separator: &Rc<str>) -> Outcome<Vec<&'a str>> {
        if &**separator == " " {
            return Ok(text.split([' ', '\t', '\n']).filter(|piece| !piece.is_empty()).collect());
        }
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut characters = separator.chars();
        match (characters.next(), characters.next()) {
            (None, _) => Ok(text.split("").filter(|piece| !piece.is_empty()).collect()),
            (Some(character), None) if character != '\\' => Ok(text.split(character).collect()),
            _ => {
                let regex = self.pattern_of(separator)?;
                let mut pieces = Vec::new();
                let mut from = 0;
                // A separator is never empty.
                for found in regex.find_iter(text).filter(|found| !found.is_empty()) {
                    pieces.push(&text[from..found.start()]);
                    from = found.end();
                }
                pieces.push(&text[from..]);
                Ok(pieces)
            }
        }
    }
}
