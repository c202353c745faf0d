//! Keeps what is typed from being shown.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Write};

/// While this lives, the terminal shows nothing of what is typed.
pub struct Silence {
    before: Option<Termios>,
}

impl Silence {
    /// Begins; does nothing where standard input is no terminal.
    pub fn begin() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok();
        }
        Self { before }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            tcsetattr(io::stdin(), OptionalActions::Now, before).ok();
        }
    }
}

/// Asks for a secret on the terminal, or reads one line from standard input where that is no
/// terminal.
pub fn ask_secret(question: &str) -> io::Result<String> {
    let input = io::stdin();
    let mut line = String::new();
    if !input.is_terminal() {
        input.lock().read_line(&mut line)?;
        return Ok(line.trim().to_owned());
    }
    eprint!("{question}");
    io::stderr().flush()?;
    let silence = Silence::begin();
    input.lock().read_line(&mut line)?;
    drop(silence);
    eprintln!();
    Ok(line.trim().to_owned())
}
