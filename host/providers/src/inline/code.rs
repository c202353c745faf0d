//! Where Markdown shows text as it is: in fences and in inline code.

/// What the text so far makes of the next characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Ordinary text.
    #[default]
    Prose,
    /// After so many backticks in a line; code if the line has as many again.
    Inline(usize),
    /// The rest of the line that opens a fence.
    Head(char, usize),
    /// Inside a fence.
    Fence(char, usize),
    /// After a fence that is closed if nothing else is in the line.
    Closing(char, usize),
}

/// What is in a line so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Lead {
    #[default]
    Blank,
    Quote,
    Marker,
    Text,
}

/// Follows the code of a text that grows.
#[derive(Debug, Default)]
pub struct Code {
    place: Place,
    lead: Lead,
    run: (char, usize),
}

impl Code {
    /// Where the next character is, which is no more of the backticks before it.
    pub fn place(&mut self) -> Place {
        self.end_run();
        self.place
    }

    /// From here on it is ordinary text.
    pub fn leave(&mut self) {
        self.place = Place::Prose;
    }

    /// Is the line empty so far?
    pub fn line_is_blank(&self) -> bool {
        self.lead == Lead::Blank && self.run.1 == 0
    }

    /// Takes the next text: a run of one of the marks of code, a line ending, or text without them.
    pub fn take(&mut self, text: &str) {
        let first = text.chars().next().unwrap_or('\n');
        if matches!(first, '`' | '~') {
            if self.run.0 != first {
                self.end_run();
            }
            self.run = (first, self.run.1 + text.len());
            return;
        }
        self.end_run();
        self.lead = text.chars().map(lead_of).fold(self.lead, Lead::max);
        self.place = match self.place {
            Place::Head(mark, ticks) if first == '\n' => Place::Fence(mark, ticks),
            Place::Closing(..) | Place::Inline(_) if first == '\n' => Place::Prose,
            Place::Closing(mark, ticks) if !text.trim().is_empty() => Place::Fence(mark, ticks),
            other => other,
        };
        if first == '\n' {
            self.lead = Lead::Blank;
        }
    }

    /// Decides what a run of backticks or tildes was, now that it is over.
    fn end_run(&mut self) {
        let (mark, ticks) = std::mem::take(&mut self.run);
        if ticks == 0 {
            return;
        }
        let lead = std::mem::replace(&mut self.lead, Lead::Text);
        self.place = match self.place {
            Place::Prose if ticks >= 3 && lead <= Lead::Marker => Place::Head(mark, ticks),
            Place::Prose if mark == '`' => Place::Inline(ticks),
            Place::Inline(open) | Place::Head('`', open) if mark == '`' && ticks == open => Place::Prose,
            Place::Head('`', open) if mark == '`' => Place::Inline(open),
            Place::Fence(open, least) if lead <= Lead::Quote && mark == open && ticks >= least => {
                Place::Closing(open, least)
            }
            Place::Closing(open, least) => Place::Fence(open, least),
            other => other,
        };
    }
}

fn lead_of(c: char) -> Lead {
    match c {
        '>' => Lead::Quote,
        '-' | '+' | '*' | '.' | ')' | '0'..='9' => Lead::Marker,
        _ if c.is_whitespace() => Lead::Blank,
        _ => Lead::Text,
    }
}
