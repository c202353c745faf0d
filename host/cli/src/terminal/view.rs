//! Shows a turn while it runs: the answer on standard output, everything else on standard error.

use super::progress;
use super::stream::Stream;
use super::style::{Style, one_line, wrapped};
use chiton_agent::TurnEvent;
use chiton_sandbox::Verdict;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Longest argument that is shown beside a tool's name, in characters.
const ARGUMENT: usize = 60;
/// Columns of a reason that has lines of its own.
const REASON: usize = 90;

/// Shows one turn.
pub struct View {
    answer: Stream,
    /// Standard error is a terminal, so that calls and thoughts are shown there.
    talkative: bool,
    /// Standard output is a terminal, so that the answer is shown while it comes.
    live: bool,
    thinking: bool,
    bars: MultiProgress,
    waiting: Option<ProgressBar>,
    calls: HashMap<String, (ProgressBar, String)>,
}

impl View {
    /// A view of a turn that begins now.
    pub fn new() -> Self {
        let talkative = io::stderr().is_terminal();
        let target = if talkative { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let mut view = Self {
            answer: Stream::new(),
            talkative,
            live: io::stdout().is_terminal(),
            thinking: false,
            bars: MultiProgress::with_draw_target(target),
            waiting: None,
            calls: HashMap::new(),
        };
        view.wait();
        view
    }

    /// Shows one event. After the last one the cursor stands at the beginning of a line.
    pub fn show(&mut self, event: &TurnEvent) -> io::Result<()> {
        if let Some(waiting) = self.waiting.take() {
            waiting.finish_and_clear();
        }
        match event {
            TurnEvent::Reasoning { delta } => self.think(delta)?,
            TurnEvent::Text { delta } if self.live => {
                self.end_thinking()?;
                self.answer.push(delta)?;
            }
            TurnEvent::Text { .. } => {}
            TurnEvent::ToolStarted { id, name, arguments } => self.begin(id, name, arguments)?,
            TurnEvent::ToolProgress { id, text } => {
                if let Some((bar, label)) = self.calls.get(id) {
                    bar.set_message(format!("{label} {}", Style::Dim.paint(one_line(text, ARGUMENT))));
                }
            }
            TurnEvent::ToolFinished { id, name, verdict, duration_ms, summary } => {
                let label = self.calls.remove(id).map_or_else(
                    || name.clone(),
                    |(bar, label)| {
                        bar.finish_and_clear();
                        label
                    },
                );
                self.say(&finished(&label, *verdict, *duration_ms, summary));
                if self.calls.is_empty() {
                    self.wait();
                }
            }
            TurnEvent::Notice { text } => {
                self.settle()?;
                self.say(&Style::Notice.paint(format!("! {text}")));
                self.wait();
            }
            TurnEvent::Message { text, .. } => self.message(text)?,
            TurnEvent::Finished { text, .. } => self.finish(text)?,
            TurnEvent::Failed { .. } | TurnEvent::Cancelled => self.settle()?,
        }
        Ok(())
    }

    /// Takes everything that moves off the screen and ends the line.
    pub fn settle(&mut self) -> io::Result<()> {
        self.waiting.take().into_iter().for_each(|bar| bar.finish_and_clear());
        self.calls.drain().for_each(|(_, (bar, _))| bar.finish_and_clear());
        self.end_thinking()?;
        self.answer.finish()
    }

    /// Shows a line that is not the answer, whoever reads.
    pub fn note(&self, line: &str) {
        self.bars.suspend(|| eprintln!("{line}"));
    }

    /// What a tool sent to this chat is for its reader, like the answer.
    fn message(&mut self, text: &str) -> io::Result<()> {
        self.settle()?;
        self.answer.push(text)?;
        self.answer.finish()?;
        self.wait();
        Ok(())
    }

    fn finish(&mut self, text: &str) -> io::Result<()> {
        if !self.live {
            self.answer.push(text)?;
        }
        self.settle()
    }

    fn begin(&mut self, id: &str, name: &str, arguments: &Value) -> io::Result<()> {
        self.end_thinking()?;
        if self.live {
            self.answer.finish()?;
        }
        let label = label(name, arguments);
        let bar = self.spinner(label.clone());
        self.calls.insert(id.to_owned(), (bar, label));
        Ok(())
    }

    fn wait(&mut self) {
        self.waiting = Some(self.spinner(Style::Dim.paint("thinking")));
    }

    fn spinner(&self, message: String) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(progress::style());
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn think(&mut self, delta: &str) -> io::Result<()> {
        if !self.talkative {
            return Ok(());
        }
        self.thinking = true;
        let mut error = io::stderr().lock();
        write!(error, "{}", Style::Dim.paint(delta))?;
        error.flush()
    }

    fn end_thinking(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.thinking) {
            true => writeln!(io::stderr()),
            false => Ok(()),
        }
    }

    fn say(&self, line: &str) {
        if self.talkative {
            self.note(line);
        }
    }
}

/// A tool's name with the argument that tells most.
pub fn label(name: &str, arguments: &Value) -> String {
    const TELLING: [&str; 6] = ["path", "pattern", "query", "url", "command", "name"];
    let told = TELLING.iter().find_map(|key| arguments.get(key)).and_then(Value::as_str);
    let first = || arguments.as_object()?.values().find_map(Value::as_str);
    match told.or_else(first) {
        Some(argument) => format!("{} {}", Style::Bold.paint(name), one_line(argument, ARGUMENT)),
        None => Style::Bold.paint(name),
    }
}

/// The line that stays when a call has ended.
pub fn finished(label: &str, verdict: Verdict, duration_ms: u64, summary: &str) -> String {
    let duration = Style::Dim.paint(match duration_ms {
        0 => "<1 ms".to_owned(),
        1..1_000 => format!("{duration_ms} ms"),
        _ => format!("{:.1} s", duration_ms as f64 / 1_000.0),
    });
    let reason = one_line(summary.strip_prefix("Error: ").unwrap_or(summary), 600);
    match verdict {
        Verdict::Allowed => format!("{} {label} {duration}", Style::Good.paint("✓")),
        Verdict::Cancelled => format!("{} {label} {duration} cancelled", Style::Notice.paint("✗")),
        _ => {
            let head = format!("{} {label} {duration}", Style::Bad.paint("✗"));
            if reason.chars().count() <= ARGUMENT {
                return format!("{head} {}", Style::Bad.paint(reason));
            }
            let lines = wrapped(&reason, REASON).into_iter();
            lines.fold(head, |text, line| format!("{text}\n  {}", Style::Bad.paint(line)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_named_by_its_telling_argument() {
        assert_eq!(label("read_file", &json!({"limit": 3, "path": "a\nb"})), "read_file a b");
        assert_eq!(label("greet", &json!({"who": "Ann"})), "greet Ann");
        assert_eq!(label("now", &json!({})), "now");
    }

    #[test]
    fn the_line_of_a_call_tells_how_it_ended() {
        assert_eq!(finished("read_file a", Verdict::Allowed, 12, ""), "✓ read_file a 12 ms");
        assert_eq!(finished("x", Verdict::Limited, 1_250, "too long"), "✗ x 1.2 s too long");
    }
}
