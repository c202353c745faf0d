//! `read`, `mapfile` and `getopts`.

use crate::error::{MISUSE, Run};
use crate::shell::{Shell, Stream};
use crate::system::System;

/// Longest line, in bytes.
const LONGEST_LINE: usize = 16 << 20;

/// What the options of `read` ask for.
struct Wanted {
    raw: bool,
    array: Option<String>,
    delimiter: u8,
    /// Most characters, and whether the delimiter counts before them.
    most: Option<(usize, bool)>,
    stream: i32,
    names: Vec<String>,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self { raw: false, array: None, delimiter: b'\n', most: None, stream: 0, names: Vec::new() };
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                wanted.names.push(word.clone());
                break;
            };
            if letters == "-" {
                break;
            }
            for (at, letter) in letters.char_indices() {
                if matches!(letter, 'r' | 's' | 'e') {
                    wanted.raw |= letter == 'r';
                    continue;
                }
                let attached = word.get(at + 2..).filter(|attached| !attached.is_empty());
                let value = match attached {
                    Some(attached) => attached.to_owned(),
                    None => words.next().cloned().ok_or(format!("-{letter}: option requires an argument"))?,
                };
                wanted.option(letter, &value)?;
                break;
            }
        }
        wanted.names.extend(words.cloned());
        Ok(wanted)
    }

    fn option(&mut self, letter: char, value: &str) -> Result<(), String> {
        let number = || value.parse::<usize>().map_err(|_| format!("{value}: invalid number"));
        match letter {
            'a' => self.array = Some(value.to_owned()),
            'd' => self.delimiter = value.bytes().next().unwrap_or(0),
            'n' => self.most = Some((number()?, true)),
            'N' => self.most = Some((number()?, false)),
            'u' => self.stream = value.parse().map_err(|_| format!("{value}: invalid file descriptor"))?,
            // A prompt is for a terminal, and nothing here comes late.
            'p' | 't' => {}
            other => return Err(format!("-{other}: invalid option")),
        }
        Ok(())
    }
}

/// `read [-r] [-a array] [-d delimiter] [-n count] [-N count] [-u stream] [name...]`
pub(super) fn read<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let wanted = match Wanted::parse(words) {
        Ok(wanted) => wanted,
        Err(message) => return shell.misuse("read", &message),
    };
    let Some(Stream::Input(input)) = shell.state.streams.get(&wanted.stream).cloned() else {
        return Ok(shell.fail(1, &format!("read: {}: Bad file descriptor", wanted.stream)));
    };
    let (line, ended) = match read_line(shell, &input, &wanted)? {
        Ok(line) => line,
        Err(error) => return Ok(shell.fail(1, &format!("read: {}", crate::redirect::reason(&error)))),
    };
    let status = u8::from(!ended);
    let separators = match wanted.most {
        Some((_, false)) => String::new(),
        _ => shell.state.variables.text("IFS").unwrap_or(" \t\n").to_owned(),
    };
    if let Some(array) = &wanted.array {
        let elements = split(&line, &separators, usize::MAX);
        shell.assign_list(array, elements)?;
        return Ok(status);
    }
    if wanted.names.is_empty() {
        let text: String = line.iter().map(|(next, _)| *next).collect();
        shell.assign_text("REPLY", &text)?;
        return Ok(status);
    }
    let mut fields = split(&line, &separators, wanted.names.len()).into_iter();
    for name in &wanted.names {
        if !crate::words::is_name(name) {
            return Ok(shell.fail(1, &format!("read: `{name}': not a valid identifier")));
        }
        shell.assign_text(name, &fields.next().unwrap_or_default())?;
    }
    Ok(status)
}

/// Characters, each with whether a backslash protects it from being split.
type Line = Vec<(char, bool)>;

/// One line, and whether it ended with the delimiter.
fn read_line<S: System>(
    shell: &Shell<S>,
    input: &S::Input,
    wanted: &Wanted,
) -> Run<Result<(Line, bool), std::io::Error>> {
    let mut bytes = Vec::new();
    let mut protected: Vec<usize> = Vec::new();
    let mut escaped = false;
    let mut ended = false;
    let enough = |bytes: &[u8]| {
        wanted.most.is_some_and(|(most, _)| {
            String::from_utf8_lossy(bytes).chars().count() >= most && std::str::from_utf8(bytes).is_ok()
        })
    };
    while !enough(&bytes) && bytes.len() < LONGEST_LINE {
        // One byte at a time: what follows the line belongs to whoever reads next.
        let byte = match shell.system.read(input, 1) {
            Ok(read) => read.first().copied(),
            Err(error) => {
                shell.check()?;
                return Ok(Err(error));
            }
        };
        let Some(byte) = byte else { return Ok(Ok((characters(&bytes, &protected), false))) };
        if escaped {
            escaped = false;
            if byte != b'\n' {
                protected.push(bytes.len());
                bytes.push(byte);
            }
        } else if byte == b'\\' && !wanted.raw {
            escaped = true;
        } else if byte == wanted.delimiter && wanted.most.is_none_or(|(_, delimited)| delimited) {
            ended = true;
            break;
        } else if byte != 0 {
            bytes.push(byte);
        }
    }
    ended |= enough(&bytes);
    Ok(Ok((characters(&bytes, &protected), ended)))
}

fn characters(bytes: &[u8], protected: &[usize]) -> Line {
    let text = String::from_utf8_lossy(bytes);
    let faithful = text.len() == bytes.len();
    text.char_indices().map(|(at, next)| (next, faithful && protected.binary_search(&at).is_ok())).collect()
}

/// At most `most` fields; the last takes the rest.
fn split(line: &[(char, bool)], separators: &str, most: usize) -> Vec<String> {
    let is_separator = |(next, protected): (char, bool)| !protected && separators.contains(next);
    let is_space = |item: (char, bool)| is_separator(item) && item.0.is_ascii_whitespace();
    let text = |part: &[(char, bool)]| part.iter().map(|(next, _)| *next).collect::<String>();
    let trim_end = |mut part: &[(char, bool)]| {
        let mut trimmed = part;
        while let [start @ .., last] = trimmed
            && is_space(*last)
        {
            trimmed = start;
        }
        part = trimmed;
        text(part)
    };
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        while rest.first().is_some_and(|item| is_space(*item)) {
            rest = rest.get(1..).unwrap_or_default();
        }
        if rest.is_empty() {
            return fields;
        }
        let end = rest.iter().position(|item| is_separator(*item)).unwrap_or(rest.len());
        let mut after = end;
        while rest.get(after).is_some_and(|item| is_space(*item)) {
            after += 1;
        }
        if rest.get(after).is_some_and(|item| is_separator(*item)) {
            after += 1;
            while rest.get(after).is_some_and(|item| is_space(*item)) {
                after += 1;
            }
        }
        if fields.len() + 1 == most && after < rest.len() {
            fields.push(trim_end(rest));
            return fields;
        }
        fields.push(text(rest.get(..end).unwrap_or_default()));
        rest = rest.get(after..).unwrap_or_default();
    }
}

/// `mapfile [-t] [-d delimiter] [-n count] [-s count] [-u stream] [array]`
pub(super) fn mapfile<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let (mut trim, mut delimiter, mut most, mut skip, mut stream) = (false, b'\n', usize::MAX, 0, 0);
    let mut array = None;
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let mut number = || rest.next().and_then(|value| value.parse::<usize>().ok());
        match word.as_str() {
            "-t" => trim = true,
            "-n" => most = number().filter(|most| *most > 0).unwrap_or(usize::MAX),
            "-s" => skip = number().unwrap_or(0),
            "-u" => stream = number().unwrap_or(0) as i32,
            "-d" => delimiter = rest.next().and_then(|value| value.bytes().next()).unwrap_or(0),
            option if option.starts_with('-') => {
                return shell.bad_option(
                    "mapfile",
                    option,
                    "mapfile [-t] [-d delim] [-n count] [-s count] [-u fd] [array]",
                );
            }
            name => array = Some(name.to_owned()),
        }
    }
    let Some(Stream::Input(input)) = shell.state.streams.get(&stream).cloned() else {
        return Ok(shell.fail(1, &format!("mapfile: {stream}: Bad file descriptor")));
    };
    let mut bytes = Vec::new();
    loop {
        match shell.system.read(&input, 1 << 16) {
            Ok(read) if read.is_empty() => break,
            Ok(read) => bytes.extend(read),
            Err(error) => {
                shell.check()?;
                return Ok(shell.fail(1, &format!("mapfile: {}", crate::redirect::reason(&error))));
            }
        }
        if bytes.len() > LONGEST_LINE {
            return Ok(shell.fail(MISUSE, &format!("mapfile: the input is larger than {LONGEST_LINE} bytes")));
        }
    }
    let lines = bytes.split_inclusive(|byte| *byte == delimiter).skip(skip).take(most);
    let element = |line: &[u8]| {
        let line = if trim { line.strip_suffix(&[delimiter]).unwrap_or(line) } else { line };
        String::from_utf8_lossy(line).into_owned()
    };
    let elements = lines.map(element).collect();
    shell.assign_list(&array.unwrap_or_else(|| "MAPFILE".to_owned()), elements)?;
    Ok(0)
}

/// `getopts letters name [arguments...]`
pub(super) fn getopts<S: System>(shell: &mut Shell<S>, words: &[String]) -> Run {
    let [_, letters, name, given @ ..] = words else {
        return shell.misuse("getopts", "usage: getopts optstring name [arg ...]");
    };
    let (silent, letters) = letters.strip_prefix(':').map_or((false, letters.as_str()), |letters| (true, letters));
    let arguments = if given.is_empty() { shell.state.positional.clone() } else { given.to_vec() };
    let number = |name: &str| shell.state.variables.text(name).and_then(|text| text.parse::<usize>().ok());
    let mut index = number("OPTIND").unwrap_or(1).max(1);
    // The place within `-abc`; kept with the index it belongs to, so that a new OPTIND starts afresh.
    let mut place = match shell.state.variables.text("_OPTPLACE").and_then(|text| text.split_once(':')) {
        Some((kept, place)) if kept.parse() == Ok(index) => place.parse().unwrap_or(1),
        _ => 1,
    };
    let current = arguments.get(index - 1).cloned().unwrap_or_default();
    let over = !current.starts_with('-') || current.len() < 2 || current == "--";
    if over {
        index += usize::from(current == "--");
        shell.assign_text("OPTIND", &index.to_string())?;
        shell.assign_text(name, "?")?;
        return Ok(1);
    }
    let letter = current.chars().nth(place).unwrap_or('?');
    place += 1;
    let found = letters.find(letter).filter(|_| letter != ':');
    let takes_value =
        found.is_some_and(|at| letters.get(at + letter.len_utf8()..).is_some_and(|rest| rest.starts_with(':')));
    let rest: String = current.chars().skip(place).collect();
    let mut value = None;
    let mut missing = false;
    if takes_value {
        if rest.is_empty() {
            index += 1;
            value = arguments.get(index - 1).cloned();
            missing = value.is_none();
        } else {
            value = Some(rest);
        }
        index += 1;
        place = 1;
    } else if rest.is_empty() {
        index += 1;
        place = 1;
    }
    let shown = match (found, missing, silent) {
        (Some(_), false, _) => letter.to_string(),
        (Some(_), true, true) => ":".to_owned(),
        _ => "?".to_owned(),
    };
    if !silent && found.is_none() {
        shell.complain(&format!("{}: illegal option -- {letter}\n", shell.state.name.clone()));
    } else if !silent && missing {
        shell.complain(&format!("{}: option requires an argument -- {letter}\n", shell.state.name.clone()));
    }
    if silent && (found.is_none() || missing) {
        value = Some(letter.to_string());
    }
    match value {
        Some(value) => shell.assign_text("OPTARG", &value)?,
        None => shell.state.variables.put("OPTARG", None),
    }
    shell.assign_text("OPTIND", &index.to_string())?;
    shell.state.variables.set_own("_OPTPLACE", format!("{index}:{place}"));
    shell.assign_text(name, &shown)?;
    Ok(0)
}
