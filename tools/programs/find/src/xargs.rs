//! `xargs`: starts a program with words read from standard input.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};

use chiton_program::{CANNOT_RUN, Command, NOT_FOUND};
use lexopt::prelude::*;

/// Bytes of words for one program unless `-s` says otherwise, as GNU xargs.
const MOST_BYTES: usize = 128 * 1024;

/// Exit codes by POSIX: a program failed; it ended with 255, which ends xargs.
const PROGRAM_FAILED: u8 = 123;
const PROGRAM_GAVE_UP: u8 = 124;

/// What was asked for.
#[derive(Default)]
struct Options {
    command: Vec<OsString>,
    /// `-0` and `-d`: the byte between words; quotes mean nothing then.
    delimiter: Option<u8>,
    /// `-n`
    words_at_once: Option<usize>,
    /// `-L`
    lines_at_once: Option<usize>,
    /// `-I`
    replace: Option<String>,
    /// `-E`
    end: Option<String>,
    /// `-a`
    file: Option<OsString>,
    /// `-s`
    bytes_at_once: Option<usize>,
    /// `-r`
    not_if_empty: bool,
    /// `-t`
    trace: bool,
    /// `-x`
    exit_if_too_long: bool,
}

/// Runs `xargs` and gives its exit code.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let outcome = parse(arguments).map_err(|problem| problem.to_string()).and_then(|options| {
        let input = read(&options).map_err(|problem| problem.to_string())?;
        let words = split(&input, &options)?;
        Ok(start_all(&options, &words))
    });
    outcome.unwrap_or_else(|problem| {
        eprintln!("xargs: {problem}");
        1
    })
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('0') | Long("null") => options.delimiter = Some(0),
            Short('d') | Long("delimiter") => options.delimiter = Some(delimiter(&parser.value()?.string()?)?),
            Short('n') | Long("max-args") => options.words_at_once = Some(at_least_one(parser.value()?.parse()?)?),
            Short('L') | Long("max-lines") => options.lines_at_once = Some(at_least_one(parser.value()?.parse()?)?),
            Short('l') => options.lines_at_once = Some(parser.optional_value().map_or(Ok(1), |value| value.parse())?),
            Short('I') => options.replace = Some(parser.value()?.string()?),
            Short('i') | Long("replace") => {
                options.replace = Some(parser.optional_value().map_or(Ok("{}".to_owned()), |value| value.string())?);
            }
            Short('E') => options.end = Some(parser.value()?.string()?),
            Short('e') | Long("eof") => {
                options.end = parser.optional_value().map(|value| value.string()).transpose()?
            }
            Short('a') | Long("arg-file") => options.file = Some(parser.value()?),
            Short('s') | Long("max-chars") => options.bytes_at_once = Some(parser.value()?.parse()?),
            Short('r') | Long("no-run-if-empty") => options.not_if_empty = true,
            Short('t') | Long("verbose") => options.trace = true,
            Short('x') | Long("exit") => options.exit_if_too_long = true,
            // Programs run one after the other here.
            Short('P') | Long("max-procs") => drop(parser.value()?),
            Value(word) => {
                options.command.push(word);
                options.command.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected()),
        }
    }
    if options.command.is_empty() {
        options.command.push("echo".into());
    }
    Ok(options)
}

fn at_least_one(number: usize) -> Result<usize, lexopt::Error> {
    if number == 0 { Err("a number of at least 1 is needed".into()) } else { Ok(number) }
}

/// One character, or an escape such as `\n`, `\t`, `\0`.
fn delimiter(text: &str) -> Result<u8, lexopt::Error> {
    Ok(match text.as_bytes() {
        [byte] => *byte,
        b"\\n" => b'\n',
        b"\\t" => b'\t',
        b"\\r" => b'\r',
        b"\\0" => 0,
        b"\\\\" => b'\\',
        _ => return Err(format!("the delimiter `{text}` must be one byte or one of \\n \\t \\r \\0 \\\\").into()),
    })
}

fn read(options: &Options) -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    match &options.file {
        Some(path) => BufReader::new(File::open(path)?).read_to_end(&mut input)?,
        None if io::stdin().is_terminal() => 0,
        None => io::stdin().read_to_end(&mut input)?,
    };
    Ok(input)
}

/// A word, and whether a line ends behind it.
struct Word {
    text: String,
    ends_line: bool,
}

fn split(input: &[u8], options: &Options) -> Result<Vec<Word>, String> {
    let text = String::from_utf8_lossy(input);
    let mut words = match options.delimiter {
        Some(delimiter) => {
            let text = text.strip_suffix(delimiter as char).unwrap_or(&text);
            let pieces = text.split(delimiter as char).map(|piece| Word { text: piece.to_owned(), ends_line: true });
            if input.is_empty() { Vec::new() } else { pieces.collect() }
        }
        None if options.replace.is_some() => lines(&text)?,
        None => quoted_words(&text)?,
    };
    if let Some(end) = options.end.as_ref().filter(|end| !end.is_empty())
        && let Some(at) = words.iter().position(|word| word.text == *end)
    {
        words.truncate(at);
    }
    Ok(words)
}

/// With `-I`, a line is one word: blanks before it are dropped, quotes are taken off, blanks inside stay.
fn lines(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        words.push(Word {
            text: unquote(line, |_| false)?.into_iter().map(|word| word.text).collect(),
            ends_line: true,
        });
    }
    Ok(words)
}

fn quoted_words(text: &str) -> Result<Vec<Word>, String> {
    unquote(text, |character| matches!(character, ' ' | '\t' | '\n'))
}

/// Splits at blanks, minding quotes and backslashes as POSIX has them for xargs: quotes do not span lines.
fn unquote(text: &str, is_blank: impl Fn(char) -> bool) -> Result<Vec<Word>, String> {
    let mut words: Vec<Word> = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    // A line that ends with a blank goes on in the next one.
    let mut blank_before = false;
    while let Some(character) = characters.next() {
        match character {
            quote @ ('"' | '\'') => {
                let rest = characters.as_str();
                let length = rest.find([quote, '\n']).filter(|at| rest[*at..].starts_with(quote));
                let length = length.ok_or_else(|| {
                    format!(
                        "unmatched {} quote; by default quotes are special to xargs unless you use the -0 option",
                        if quote == '"' { "double" } else { "single" }
                    )
                })?;
                word.get_or_insert_default().push_str(&rest[..length]);
                characters = rest[length + 1..].chars();
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            _ if is_blank(character) => {
                words.extend(word.take().map(|text| Word { text, ends_line: false }));
                if character == '\n'
                    && !blank_before
                    && let Some(last) = words.last_mut()
                {
                    last.ends_line = true;
                }
            }
            _ => word.get_or_insert_default().push(character),
        }
        blank_before = matches!(character, ' ' | '\t');
    }
    words.extend(word.map(|text| Word { text, ends_line: true }));
    Ok(words)
}

fn start_all(options: &Options, words: &[Word]) -> u8 {
    let mut code = 0;
    if words.is_empty() && !options.not_if_empty && options.replace.is_none() {
        return start(options, options.command.clone(), &mut code).map_or_else(|ended| ended, |()| code);
    }
    let mut rest = words;
    while !rest.is_empty() {
        let count = match batch(options, rest) {
            Some(count) => count,
            None => {
                eprintln!("xargs: argument line too long");
                return 1;
            }
        };
        let (now, later) = rest.split_at(count);
        if let Err(ended) = start(options, argv(options, now), &mut code) {
            return ended;
        }
        rest = later;
    }
    code
}

/// How many words the next program gets; none if they do not fit.
fn batch(options: &Options, words: &[Word]) -> Option<usize> {
    if options.replace.is_some() {
        return Some(1);
    }
    let most_bytes = options.bytes_at_once.unwrap_or(MOST_BYTES);
    let mut bytes: usize = options.command.iter().map(|word| word.len() + 1).sum();
    let mut lines = 0;
    for (count, word) in words.iter().enumerate() {
        bytes += word.text.len() + 1;
        if bytes > most_bytes {
            return if count == 0 || (options.exit_if_too_long && options.words_at_once.is_some()) {
                None
            } else {
                Some(count)
            };
        }
        lines += usize::from(word.ends_line);
        if options.words_at_once == Some(count + 1) || options.lines_at_once.is_some_and(|most| lines >= most) {
            return Some(count + 1);
        }
    }
    Some(words.len())
}

fn argv(options: &Options, words: &[Word]) -> Vec<OsString> {
    match (&options.replace, words) {
        (Some(replace), [word]) => {
            let fill = |part: &OsString| part.to_string_lossy().replace(replace.as_str(), &word.text).into();
            options.command.iter().map(fill).collect()
        }
        _ => options.command.iter().cloned().chain(words.iter().map(|word| word.text.clone().into())).collect(),
    }
}

/// Runs one program. `Err` is the code to end with at once.
fn start(options: &Options, argv: Vec<OsString>, code: &mut u8) -> Result<(), u8> {
    if options.trace {
        let words: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
        eprintln!("{}", words.join(" "));
    }
    let command = Command::new(argv);
    // The words were this program's input; the file of `-a` leaves it to the programs.
    let outcome = if options.file.is_some() { command.run() } else { command.run_without_input() };
    match outcome {
        Ok(0) => Ok(()),
        Ok(255) => {
            eprintln!("xargs: {}: exited with status 255; aborting", command.argv[0].to_string_lossy());
            Err(PROGRAM_GAVE_UP)
        }
        // What a shell or this host says when there was nothing to run.
        Ok(failed @ (CANNOT_RUN | NOT_FOUND)) => Err(failed),
        Ok(_) => {
            *code = PROGRAM_FAILED;
            Ok(())
        }
        Err(problem) => {
            eprintln!("xargs: {problem}");
            Err(problem.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        quoted_words(text).unwrap_or_default().into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_split_at_blanks_outside_quotes() {
        assert_eq!(words("a 'b c'\n\"d\te\" f\\ g\n"), ["a", "b c", "d\te", "f g"]);
        assert_eq!(words("  '' x"), ["", "x"]);
        assert!(quoted_words("it's").is_err());
    }

    #[test]
    fn a_line_is_one_word_for_replacement() {
        let lines = lines("  a b \n\nc\n").unwrap_or_default();
        assert_eq!(lines.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["a b ", "c"]);
    }
}
