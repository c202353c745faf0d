//! Redirections: which file, pipe or text stands behind a numbered stream.

use crate::error::{Flow, Run};
use crate::shell::{Shell, Stream, Streams};
use crate::system::{OpenMode, System};
use crate::words;
use brush_parser::ast::{
    IoFileRedirectKind, IoFileRedirectTarget, IoHereDocument, IoRedirect, ProcessSubstitutionKind, SubshellCommand,
};
use std::io;

/// Why a redirection did not come about: a message, or the end of more than this command.
enum Trouble {
    Message(String),
    Flow(Flow),
}

impl From<Flow> for Trouble {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Message(reason(&error))
    }
}

/// The words of an error without the number that the standard library adds.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

impl<S: System> Shell<S> {
    /// The streams after redirections; `None`, with a message written, if one fails.
    pub(crate) fn redirect_all<'a>(
        &mut self,
        redirects: impl Iterator<Item = &'a IoRedirect>,
    ) -> Run<Option<Streams<S>>> {
        let mut streams = self.state.streams.clone();
        for redirect in redirects {
            match self.redirect(redirect, &mut streams) {
                Ok(()) => {}
                Err(Trouble::Message(message)) => {
                    self.fail(1, &message);
                    return Ok(None);
                }
                Err(Trouble::Flow(flow)) => return Err(flow),
            }
        }
        Ok(Some(streams))
    }

    fn redirect(&mut self, redirect: &IoRedirect, streams: &mut Streams<S>) -> Result<(), Trouble> {
        match redirect {
            IoRedirect::File(number, kind, target) => self.redirect_file(*number, kind, target, streams),
            IoRedirect::HereDocument(number, document) => {
                let text = self.here_document(document)?;
                streams.insert(number.unwrap_or(0), Stream::Input(self.system.text(text.into_bytes())?));
                Ok(())
            }
            IoRedirect::HereString(number, word) => {
                let text = self.text(&word.value)?;
                let input = self.system.text(format!("{text}\n").into_bytes())?;
                streams.insert(number.unwrap_or(0), Stream::Input(input));
                Ok(())
            }
            IoRedirect::OutputAndError(word, append) => {
                let path = self.redirect_path(&word.value)?;
                let mode = if *append { OpenMode::Append } else { OpenMode::Truncate };
                self.both(&path, mode, streams)
            }
        }
    }

    fn here_document(&mut self, document: &IoHereDocument) -> Run<String> {
        let text = &document.doc.value;
        if !document.requires_expansion {
            return Ok(text.clone());
        }
        match words::here_document(text) {
            Ok(pieces) => self.quoted_text(&pieces),
            Err(error) => Err(Flow::Discard(self.fail(1, &error.to_string()))),
        }
    }

    fn redirect_file(
        &mut self,
        number: Option<i32>,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
        streams: &mut Streams<S>,
    ) -> Result<(), Trouble> {
        let reads = matches!(
            kind,
            IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput | IoFileRedirectKind::ReadAndWrite
        );
        let place = number.unwrap_or(i32::from(!reads));
        match target {
            IoFileRedirectTarget::Filename(word) => {
                let path = self.redirect_path(&word.value)?;
                let stream = self.open(&path, kind, place, streams)?;
                streams.insert(place, stream);
            }
            IoFileRedirectTarget::Fd(from) => duplicate(streams, *from, place)?,
            IoFileRedirectTarget::Duplicate(word) => {
                let text = self.text(&word.value)?;
                self.duplicate_text(&text, number, place, reads, streams)?;
            }
            IoFileRedirectTarget::ProcessSubstitution(kind, commands) => {
                let stream = self.substituted_stream(kind, commands)?;
                streams.insert(place, stream);
            }
        }
        Ok(())
    }

    /// `>&2`, `<&-`, `2>&3-` or `>&file`.
    fn duplicate_text(
        &mut self,
        text: &str,
        number: Option<i32>,
        place: i32,
        reads: bool,
        streams: &mut Streams<S>,
    ) -> Result<(), Trouble> {
        if text == "-" {
            streams.remove(&place);
            return Ok(());
        }
        let (digits, moves) = text.strip_suffix('-').map_or((text, false), |digits| (digits, true));
        if let Ok(from) = digits.parse::<i32>() {
            duplicate(streams, from, place)?;
            if moves {
                streams.remove(&from);
            }
            return Ok(());
        }
        if reads || number.is_some() {
            return Err(Trouble::Message(format!("{text}: ambiguous redirect")));
        }
        self.both(text, OpenMode::Truncate, streams)
    }

    /// Streams 1 and 2 into one file.
    fn both(&mut self, path: &str, mode: OpenMode, streams: &mut Streams<S>) -> Result<(), Trouble> {
        let output = self.open_output(path, mode, streams)?;
        streams.insert(1, output.clone());
        streams.insert(2, output);
        Ok(())
    }

    fn redirect_path(&mut self, word: &str) -> Result<String, Trouble> {
        let mut fields = self.fields([word].into_iter())?;
        match (fields.pop(), fields.is_empty()) {
            (Some(path), true) => Ok(path),
            _ => Err(Trouble::Message(format!("{word}: ambiguous redirect"))),
        }
    }

    fn open(
        &mut self,
        path: &str,
        kind: &IoFileRedirectKind,
        place: i32,
        streams: &Streams<S>,
    ) -> Result<Stream<S>, Trouble> {
        let mode = match kind {
            IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput => return self.open_input(path, streams),
            IoFileRedirectKind::ReadAndWrite if place == 0 => {
                if std::fs::metadata(self.absolute(path)).is_err() {
                    self.open_output(path, OpenMode::Keep, streams)?;
                }
                return self.open_input(path, streams);
            }
            IoFileRedirectKind::ReadAndWrite => OpenMode::Keep,
            IoFileRedirectKind::Append => OpenMode::Append,
            IoFileRedirectKind::Write if self.state.options.is_on("noclobber") => OpenMode::New,
            _ => OpenMode::Truncate,
        };
        self.open_output(path, mode, streams)
    }

    fn open_input(&mut self, path: &str, streams: &Streams<S>) -> Result<Stream<S>, Trouble> {
        if path == "/dev/null" {
            return Ok(Stream::Input(self.system.null_input()?));
        }
        if let Some(number) = device_number(path) {
            return copy(streams, number);
        }
        let absolute = self.absolute(path);
        if std::fs::metadata(&absolute).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Trouble::Message(format!("{path}: Is a directory")));
        }
        let opened = self.system.open_input(&absolute);
        Ok(Stream::Input(opened.map_err(|error| Trouble::Message(format!("{path}: {}", reason(&error))))?))
    }

    fn open_output(&mut self, path: &str, mode: OpenMode, streams: &Streams<S>) -> Result<Stream<S>, Trouble> {
        if path == "/dev/null" {
            return Ok(Stream::Output(self.system.null_output()?));
        }
        if let Some(number) = device_number(path) {
            return copy(streams, number);
        }
        if path.is_empty() {
            return Err(Trouble::Message(": No such file or directory".to_owned()));
        }
        let absolute = self.absolute(path);
        let metadata = std::fs::metadata(&absolute);
        if path.ends_with('/') || metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Err(Trouble::Message(format!("{path}: Is a directory")));
        }
        if mode == OpenMode::New && metadata.is_ok() {
            return Err(Trouble::Message(format!("{path}: cannot overwrite existing file")));
        }
        let opened = self.system.open_output(&absolute, mode);
        Ok(Stream::Output(opened.map_err(|error| Trouble::Message(format!("{path}: {}", reason(&error))))?))
    }

    /// `< <(commands)`: the commands run beside this shell.
    fn substituted_stream(
        &mut self,
        kind: &ProcessSubstitutionKind,
        commands: &SubshellCommand,
    ) -> Result<Stream<S>, Trouble> {
        if matches!(kind, ProcessSubstitutionKind::Write) {
            return Err(Trouble::Message(">(...) is not supported; use a pipeline".to_owned()));
        }
        let (input, output) = self.system.pipe()?;
        self.start_beside(commands, output)?;
        Ok(Stream::Input(input))
    }
}

/// `/dev/stdout` and its like, which are streams of the shell here.
fn device_number(path: &str) -> Option<i32> {
    match path {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        other => other.strip_prefix("/dev/fd/")?.parse().ok(),
    }
}

fn copy<S: System>(streams: &Streams<S>, from: i32) -> Result<Stream<S>, Trouble> {
    streams.get(&from).cloned().ok_or_else(|| Trouble::Message(format!("{from}: Bad file descriptor")))
}

fn duplicate<S: System>(streams: &mut Streams<S>, from: i32, to: i32) -> Result<(), Trouble> {
    let stream = copy(streams, from)?;
    streams.insert(to, stream);
    Ok(())
}
