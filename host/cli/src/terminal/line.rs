//! The line editor of the chat.

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, Config, Context, Editor, ExternalPrinter, Helper, Highlighter, Hinter, KeyCode, KeyEvent, Modifiers,
};
use std::path::{Path, PathBuf};

/// Lines of history that are kept.
const HISTORY: usize = 1_000;

/// What was typed.
pub enum Typed {
    /// Some text, perhaps of several lines.
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    End,
}

/// Reads lines with editing and history. Alt-Enter, a pasted line break, or `\` at the end of a
/// line goes on to the next line.
pub struct LineEditor {
    editor: Editor<Typing, FileHistory>,
    history: PathBuf,
}

impl LineEditor {
    /// An editor with its history in `history`, and `commands` completed by Tab.
    pub fn open(history: &Path, commands: Vec<String>) -> rustyline::Result<Self> {
        let config = Config::builder()
            .max_history_size(HISTORY)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .auto_add_history(false)
            .bracketed_paste(true)
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Typing { commands }));
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        // No history yet is no reason not to begin.
        editor.load_history(history).ok();
        Ok(Self { editor, history: history.to_owned() })
    }

    /// Prints above the line that is being typed.
    pub fn printer(&mut self) -> rustyline::Result<impl ExternalPrinter + Send + use<>> {
        self.editor.create_external_printer()
    }

    /// Reads what is typed next.
    pub fn read(&mut self, prompt: &str) -> Result<Typed, ReadlineError> {
        match self.editor.readline(prompt) {
            Ok(text) => {
                let text = text.replace("\\\n", "\n");
                if !text.trim().is_empty() && self.editor.add_history_entry(&text).unwrap_or(false) {
                    self.editor.append_history(&self.history).ok();
                }
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(error),
        }
    }
}

#[derive(Helper, Highlighter, Hinter)]
struct Typing {
    commands: Vec<String>,
}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        let fitting = self.commands.iter().filter(|command| typed.starts_with('/') && command.starts_with(typed));
        let pair = |command: &String| Pair { display: command.clone(), replacement: command.clone() };
        Ok((0, fitting.map(pair).collect()))
    }
}

impl Validator for Typing {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match context.input().ends_with('\\') {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}
