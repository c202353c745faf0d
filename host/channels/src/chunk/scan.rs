//! Reads an answer once, character by character, and says where its messages end.

use super::Limit;

/// How good a place to cut is; the best comes first.
#[derive(Clone, Copy)]
enum Kind {
    Paragraph,
    Line,
    Sentence,
    Space,
    /// Between two characters that are shown apart.
    Joint,
    Character,
}

/// A place to cut, and the length of the message up to there.
#[derive(Clone, Copy, Debug)]
struct Break {
    at: usize,
    units: usize,
}

/// The last place of each kind.
type Breaks = [Option<Break>; 6];

/// An open fence of code.
#[derive(Clone, Debug)]
struct Fence {
    mark: char,
    count: usize,
    /// The line that opens it again, and the one that closes it.
    head: String,
    close: String,
    start: Break,
    /// Something stands before it in the message.
    follows: bool,
    /// Small enough to be opened again in each message.
    kept: bool,
}

#[derive(Debug, Default)]
pub(super) struct Scan {
    limit: Limit,
    min: usize,
    /// Where the message begins.
    begin: usize,
    /// Only white space so far.
    blank: bool,
    /// Spaces at its beginning are indentation, and kept.
    indents: bool,
    units: usize,
    previous: char,
    /// Where the line begins, if its beginning was not cut off.
    line: Option<usize>,
    breaks: Breaks,
    inner: Breaks,
    fence: Option<Fence>,
    /// The line that opens again the fence that the message before closed.
    reopened: Option<String>,
}

impl Scan {
    pub(super) fn new(limit: Limit, min: usize) -> Self {
        let limit = Limit { most: limit.most.max(1), ..limit };
        let begin = Self { blank: true, indents: true, previous: '\n', line: Some(0), ..Self::default() };
        Self { limit, min: min.max(1), ..begin }
    }

    /// How much of the text is not needed any more; the text is cut off there.
    pub(super) fn forget(&mut self) -> usize {
        let done = std::mem::take(&mut self.begin);
        let start = self.fence.as_mut().map(|fence| &mut fence.start);
        let places = self.breaks.iter_mut().chain(&mut self.inner).flatten().chain(start);
        places.for_each(|place| place.at = place.at.saturating_sub(done));
        self.line = self.line.map(|line| line - done);
        done
    }

    /// Takes the character at `at`, and says where the message ends if that is certain now.
    pub(super) fn take(&mut self, text: &str, at: usize, c: char) -> Option<usize> {
        let cut = if c.is_whitespace() { self.space(text, at, c) } else { self.visible(at, c) };
        if cut.is_none() {
            self.previous = c;
            self.units += self.limit.unit.of(c);
            if self.blank && (c == '\n' || !self.indents) {
                (self.begin, self.units) = (at + c.len_utf8(), 0);
                self.indents |= c == '\n';
                self.line = self.indents.then_some(self.begin);
            }
        }
        cut
    }

    fn visible(&mut self, at: usize, c: char) -> Option<usize> {
        if std::mem::take(&mut self.blank) && self.units > self.limit.most / 2 {
            (self.begin, self.units, self.line) = (at, 0, None);
        }
        if matches!(self.previous, '。' | '！' | '？') {
            self.note(Kind::Sentence, at);
        }
        self.note(Kind::Character, at);
        if !self.previous.is_whitespace() && !shown_as_one(self.previous, c) {
            self.note(Kind::Joint, at);
        }
        let after = self.units + self.limit.unit.of(c);
        if after <= self.limit.most {
            return None;
        }
        match self.kept_fence() {
            None => Some(self.best(&self.breaks, at, c)),
            // It may fit when it begins a message: that is known when it has ended.
            Some(fence) if fence.follows && after - fence.start.units <= self.limit.most => None,
            Some(fence) if fence.follows && self.inner[..4].iter().all(Option::is_none) => Some(fence.start.at),
            Some(_) => Some(self.best(&self.inner, at, c)),
        }
    }

    fn space(&mut self, text: &str, at: usize, c: char) -> Option<usize> {
        if self.blank {
            return None;
        }
        if c != '\n' {
            let kind = if ends_sentence(text, at) { Kind::Sentence } else { Kind::Space };
            self.note_after_text(kind, at);
            return None;
        }
        let line = self.line.replace(at + 1).map(|line| (line, &text[line..at]));
        match (&self.fence, line) {
            (Some(fence), Some((start, line))) if fence.is_closed_by(line) => return self.close(text, at, start),
            (Some(_), Some((_, line))) if line.trim().is_empty() => {}
            (Some(_), _) => self.note(Kind::Line, at),
            (None, Some((_, line))) if line.trim().is_empty() => {
                self.note(Kind::Paragraph, at);
                return (self.units >= self.min).then_some(at);
            }
            (None, Some((start, line))) => self.line(line, start, at),
            (None, None) => self.note(Kind::Line, at),
        }
        None
    }

    /// A line that may open a fence.
    fn line(&mut self, line: &str, start: usize, at: usize) {
        let unit = self.limit.unit;
        let Some(mut fence) = Fence::opened_by(line) else { return self.note(Kind::Line, at) };
        fence.kept = 2 * (unit.count(&fence.head) + unit.count(&fence.close) + 2) <= self.limit.most;
        fence.start = Break { at: start, units: self.units - unit.count(line) };
        fence.follows = start > self.begin;
        self.inner = Breaks::default();
        self.fence = Some(fence);
    }

    /// The line from `start` to `at` closes the fence.
    fn close(&mut self, text: &str, at: usize, start: usize) -> Option<usize> {
        let fence = self.fence.take()?;
        if self.reopened.is_some() && text[self.begin..start].trim().is_empty() {
            // It was closed already, in the message before.
            self.begin_at(at, None);
        } else if fence.kept && fence.follows && self.units > self.limit.most {
            return Some(fence.start.at);
        } else {
            self.note(Kind::Line, at);
        }
        None
    }

    /// At the end of the text: where it has to be cut first.
    pub(super) fn end(&mut self, text: &str) -> Option<usize> {
        let line = self.line.map(|line| (line, &text[line..]));
        let cut = match (&self.fence, line) {
            (Some(fence), Some((start, line))) if fence.is_closed_by(line) => self.close(text, text.len(), start),
            (Some(fence), _) if fence.kept && fence.follows => Some(fence.start.at),
            _ => None,
        };
        let trailing = self.limit.unit.count(&text[text.trim_end().len()..]);
        cut.filter(|_| self.units - trailing.min(self.units) > self.limit.most)
    }

    fn kept_fence(&self) -> Option<&Fence> {
        self.fence.as_ref().filter(|fence| fence.kept)
    }

    fn note_after_text(&mut self, kind: Kind, at: usize) {
        if !self.previous.is_whitespace() {
            self.note(kind, at);
        }
    }

    /// Remembers a place to cut; in a fence only where the line that closes it still fits.
    fn note(&mut self, kind: Kind, at: usize) {
        let place = Break { at, units: self.units };
        let closing = self.kept_fence().map(|fence| self.limit.unit.count(&fence.close) + 1);
        match closing {
            _ if at <= self.begin => {}
            None => self.breaks[kind as usize] = Some(place),
            Some(closing) if self.units + closing <= self.limit.most || self.is_only_space() => {
                self.inner[kind as usize] = Some(place);
            }
            Some(_) => {}
        }
    }

    /// In a fence, is there only white space so far? It is trimmed where the message is cut.
    fn is_only_space(&self) -> bool {
        self.previous.is_whitespace() && self.inner.iter().all(Option::is_none)
    }

    /// The best place, in the order of their kinds, that does not leave a tiny message; else the last one.
    fn best(&self, breaks: &Breaks, at: usize, c: char) -> usize {
        let large = |place: &&Break| place.units >= self.limit.most / 4;
        let spaces = &breaks[..4];
        let best = spaces.iter().flatten().find(large).or_else(|| spaces.iter().flatten().max_by_key(|place| place.at));
        let best = best.or(breaks[Kind::Joint as usize].as_ref()).or(breaks[Kind::Character as usize].as_ref());
        best.map_or(at + c.len_utf8(), |place| place.at)
    }

    /// Ends the message at `cut`, which is the end of the text if it is the `last`. Gives it, unless it is empty, and
    /// where the next one begins.
    pub(super) fn cut(&mut self, text: &str, cut: usize, last: bool) -> (Option<String>, usize) {
        let body = text[self.begin..cut].trim_end();
        let fence = self.fence.take().filter(|fence| cut > fence.start.at && !last);
        let kept = fence.as_ref().filter(|fence| fence.kept);
        let opening = self.reopened.take().map(|head| head + "\n").unwrap_or_default();
        let closing = kept.map(|fence| format!("\n{}", fence.close)).unwrap_or_default();
        let part = (!body.trim().is_empty()).then(|| format!("{opening}{body}{closing}"));

        let newline = kept.is_some() && text[cut..].starts_with('\n');
        self.begin_at(cut + usize::from(newline), kept.map(|fence| fence.head.clone()));
        self.previous = text[..self.begin].chars().next_back().unwrap_or('\n');
        self.line = (self.previous == '\n').then_some(self.begin);
        let start = Break { at: self.begin, units: 0 };
        self.fence = fence.map(|fence| Fence { start, follows: false, ..fence });
        (part, self.begin)
    }

    fn begin_at(&mut self, begin: usize, reopened: Option<String>) {
        (self.begin, self.blank, self.indents) = (begin, reopened.is_none(), false);
        self.units = reopened.as_ref().map_or(0, |head| self.limit.unit.count(head) + 1);
        self.reopened = reopened;
        (self.breaks, self.inner) = Default::default();
    }
}

impl Fence {
    fn opened_by(line: &str) -> Option<Self> {
        let is_lead = |c: char| c.is_whitespace() || matches!(c, '>' | '-' | '+' | '*' | '.' | ')' | '0'..='9');
        let rest = line.trim_start_matches(is_lead);
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let count = rest.len() - rest.trim_start_matches(mark).len();
        if count < 3 || (mark == '`' && rest[count..].contains('`')) {
            return None;
        }
        // The bullet of a list is not written again.
        let lead: String = line[..line.len() - rest.len()].chars().map(|c| if c == '>' { c } else { ' ' }).collect();
        let head = format!("{lead}{}", rest.trim_end());
        let close = format!("{lead}{}", &rest[..count]);
        let start = Break { at: 0, units: 0 };
        Some(Self { mark, count, head, close, start, follows: false, kept: false })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let rest = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>').trim_end();
        rest.len() >= self.count && rest.chars().all(|c| c == self.mark)
    }
}

fn ends_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(['"', '\'', ')', '»', '”', '’', '*', '_']);
    before.ends_with(['.', '!', '?', '…'])
}

/// Are these shown as one: an emoji of several characters, a letter with its accent, a flag?
fn shown_as_one(previous: char, c: char) -> bool {
    const JOINER: char = '\u{200d}';
    let is_flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    previous == JOINER
        || (is_flag(previous) && is_flag(c))
        || matches!(c, JOINER | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}
