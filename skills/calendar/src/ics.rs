//! The lines of an iCalendar file (RFC 5545).

/// Longest line that is written, in bytes without its end.
const LONGEST_LINE: usize = 75;

/// One property of a calendar or an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Property {
    /// In capital letters.
    pub(crate) name: String,
    parameters: Vec<(String, String)>,
    pub(crate) value: String,
}

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
}

/// The components of a file. An error is the end of a sentence about the file.
pub(crate) fn read(text: &str) -> Result<Vec<Component>, String> {
    let unfolded =
        text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let (mut done, mut open) = (Vec::new(), Vec::<Component>::new());
    for line in unfolded.lines().filter(|line| !line.trim().is_empty()) {
        let property = Property::read(line).ok_or_else(|| format!("is no calendar: '{line:.60}' is no property"))?;
        match (property.name.as_str(), property.value.to_uppercase(), open.last_mut()) {
            ("BEGIN", name, _) => open.push(Component { name, properties: Vec::new() }),
            ("END", name, Some(last)) if last.name == name => done.extend(open.pop()),
            ("END", name, _) => return Err(format!("is damaged: 'END:{name}' ends nothing")),
            (_, _, Some(last)) => last.properties.push(property),
            (_, _, None) => return Err("is no calendar: it does not begin with 'BEGIN:VCALENDAR'".to_owned()),
        }
    }
    match (open.last(), done.iter().any(|component| component.name == "VCALENDAR")) {
        (Some(open), _) => Err(format!("is damaged: 'BEGIN:{}' has no end", open.name)),
        (None, false) => Err("is no calendar: it has no 'BEGIN:VCALENDAR'".to_owned()),
        (None, true) => Ok(done),
    }
}

impl Component {
    /// The first property of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// All properties of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The text of a property; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).map(|property| unescape(&property.value)).unwrap_or_default()
    }
}

impl Property {
    /// Reads `NAME;PARAMETER=VALUE:VALUE`; a colon in quotes is none.
    fn read(line: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.char_indices().find(|(_, character)| {
            quoted ^= *character == '"';
            *character == ':' && !quoted
        });
        let (head, value) = (&line[..colon?.0], &line[colon?.0 + 1..]);
        let mut parts = head.split(';');
        let name = parts.next()?.trim().to_uppercase();
        let named =
            !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
        let parameters = parts.filter_map(|parameter| parameter.split_once('='));
        let parameters = parameters.map(|(name, value)| (name.to_uppercase(), value.trim_matches('"').to_owned()));
        named.then(|| Self { name: name.clone(), parameters: parameters.collect(), value: value.to_owned() })
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A property line, folded as the format demands.
pub(crate) fn line(head: &str, value: &str) -> String {
    let whole = format!("{head}:{value}");
    let (mut lines, mut rest) = (String::new(), whole.as_str());
    let mut room = LONGEST_LINE;
    while rest.len() > room {
        let end = rest.floor_char_boundary(room);
        lines.push_str(&rest[..end]);
        lines.push_str("\r\n ");
        rest = &rest[end..];
        room = LONGEST_LINE - 1;
    }
    lines + rest + "\r\n"
}

/// Text as it stands in a property.
pub(crate) fn escape(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    plain.replace("\r\n", "\n").replace(['\n', '\r'], "\\n")
}

fn unescape(text: &str) -> String {
    let (mut plain, mut characters) = (String::with_capacity(text.len()), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push('\n'),
                other => plain.extend(other),
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_parameters_and_escapes_are_read() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nsummary;ALTREP=\"a:b\":Tea\\, or\\n cof\r\n fee\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let components = read(text).unwrap();
        assert_eq!(components[0].text("SUMMARY"), "Tea, or\n coffee");
        assert_eq!(components[0].get("SUMMARY").unwrap().parameter("ALTREP"), Some("a:b"));
        assert_eq!(components[1].name, "VCALENDAR");
    }

    #[test]
    fn what_is_no_calendar_says_where() {
        for (text, reason) in [
            ("", "is no calendar: it has no 'BEGIN:VCALENDAR'"),
            ("hello", "is no calendar: 'hello' is no property"),
            ("A:b", "is no calendar: it does not begin"),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR", "is damaged: 'END:VCALENDAR' ends nothing"),
            ("BEGIN:VCALENDAR", "is damaged: 'BEGIN:VCALENDAR' has no end"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
    }

    #[test]
    fn long_lines_are_folded_between_characters_and_read_again() {
        let title = "Zürich; ä\nb ".repeat(20);
        let written = line("SUMMARY", &escape(&title));
        assert!(written.lines().all(|line| line.len() <= LONGEST_LINE), "{written}");
        let read = read(&format!("BEGIN:VCALENDAR\r\n{written}END:VCALENDAR\r\n")).unwrap();
        assert_eq!(read[0].text("SUMMARY"), title);
    }
}
