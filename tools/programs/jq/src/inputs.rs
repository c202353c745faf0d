//! What the filter is given: the values of files or of standard input.

use crate::arguments::Options;
use jaq_json::{Val, read};
use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};

type Values<'a> = Box<dyn Iterator<Item = Result<Val, String>> + 'a>;

/// The inputs, and where they have come to.
pub(crate) struct Inputs<'a> {
    options: &'a Options,
    /// The index of the file that is being read.
    now: Cell<Option<usize>>,
    failed: Cell<bool>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self { options, now: Cell::new(None), failed: Cell::new(false) }
    }

    /// The name of the file that is being read, for messages.
    pub(crate) fn name(&self) -> String {
        self.file().map_or_else(|| "<stdin>".to_owned(), |file| file.display().to_string())
    }

    /// The file that is being read; none for standard input.
    pub(crate) fn file(&self) -> Option<&'a OsString> {
        self.now.get().and_then(|index| self.options.files.get(index))
    }

    /// Whether a file could not be opened.
    pub(crate) fn any_failed(&self) -> bool {
        self.failed.get()
    }

    /// The values, read as they are asked for.
    pub(crate) fn values(&self) -> Values<'_> {
        let texts = self.texts();
        let (raw, slurp) = (self.options.raw_input, self.options.slurp);
        let values: Values<'_> = match (raw, slurp) {
            (true, true) => {
                let whole = texts.map(read_all).collect::<Result<Vec<_>, _>>();
                return Box::new(std::iter::once(whole.map(|parts| Val::utf8_str(parts.concat()))));
            }
            (true, false) => Box::new(texts.flat_map(lines)),
            (false, _) => {
                Box::new(texts.flat_map(read::read_many).map(|value| value.map_err(|error| error.to_string())))
            }
        };
        let values: Values<'_> = match self.options.stream {
            true => Box::new(values.flat_map(|value| match value {
                Ok(value) => events(&value).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })),
            false => values,
        };
        match slurp {
            true => Box::new(std::iter::once_with(|| values.collect::<Result<Val, _>>())),
            false => values,
        }
    }

    fn texts(&self) -> Box<dyn Iterator<Item = Box<dyn BufRead>> + '_> {
        if self.options.files.is_empty() {
            return Box::new(std::iter::once_with(|| Box::new(BufReader::new(stdin())) as Box<dyn BufRead>));
        }
        Box::new(self.options.files.iter().enumerate().filter_map(|(index, file)| match File::open(file) {
            Ok(opened) => {
                self.now.set(Some(index));
                Some(Box::new(BufReader::new(opened)) as Box<dyn BufRead>)
            }
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" (os error").next().unwrap_or_default();
                eprintln!("jq: error: Could not open {}: {reason}", file.display());
                self.failed.set(true);
                None
            }
        }))
    }
}

fn read_all(mut text: Box<dyn BufRead>) -> Result<String, String> {
    let mut bytes = Vec::new();
    text.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn lines(text: Box<dyn BufRead>) -> impl Iterator<Item = Result<Val, String>> {
    text.split(b'\n').map(|line| {
        let line = line.map_err(|error| error.to_string())?;
        Ok(Val::utf8_str(String::from_utf8_lossy(&line).into_owned()))
    })
}

/// The value as `--stream` shows it: `[path, leaf]`, and `[path]` where an array or object ends.
fn events(value: &Val) -> Vec<Val> {
    let mut events = Vec::new();
    add_events(value, &mut Vec::new(), &mut events);
    events
}

fn add_events(value: &Val, path: &mut Vec<Val>, events: &mut Vec<Val>) {
    let at = |path: &[Val]| path.iter().cloned().collect::<Val>();
    let last = match value {
        Val::Arr(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                path.push(Val::from(index));
                add_events(item, path, events);
                path.pop();
            }
            Val::from(items.len() - 1)
        }
        Val::Obj(entries) if !entries.is_empty() => {
            let mut last = Val::Null;
            for (key, item) in entries.iter() {
                path.push(key.clone());
                add_events(item, path, events);
                path.pop();
                last = key.clone();
            }
            last
        }
        leaf => {
            events.push([at(path), leaf.clone()].into_iter().collect());
            return;
        }
    };
    path.push(last);
    events.push(std::iter::once(at(path)).collect());
    path.pop();
}
