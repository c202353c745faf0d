//! Searches file after file and prints what was found.

use crate::matcher::{Patterns, prepare};
use crate::options::{Options, Selection, Show};
use crate::walk::{Names, below};
use crate::{TROUBLE, plain};
use grep_matcher::Matcher;
use grep_printer::{Standard, StandardBuilder, Summary, SummaryBuilder, SummaryKind};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use std::fs::File;
use std::io::{self, BufWriter, Cursor, ErrorKind, Read, Stdout, Write};
use std::path::{Path, PathBuf};
use termcolor::NoColor;

/// So much of the start of a file tells grep whether it is binary.
const LOOKED_AT: u64 = 32 << 10;
const OUTPUT_BUFFER: usize = 32 << 10;

/// Searches as the options say; the exit code is 0 for a match, 1 for none, 2 for trouble.
pub(crate) fn run(options: &Options) -> u8 {
    let input = piped_input(options);
    let ended = match prepare(&options.matching) {
        Ok(Patterns::Automaton(matcher)) => Search::new(options, matcher, input).and_then(Search::run),
        Ok(Patterns::Backtracking(matcher)) => Search::new(options, matcher, input).and_then(Search::run),
        Err(error) => Err(Failure::Sentence(error)),
    };
    match ended {
        Ok(code) => code,
        // Whoever read the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => chiton_program::BROKEN_PIPE,
        Err(Failure::Output(error)) => complain(options, &format!("write error: {}", plain(&error))),
        Err(Failure::Sentence(text)) => complain(options, &text),
    }
}

fn complain(options: &Options, text: &str) -> u8 {
    eprintln!("{}: {text}", options.program);
    TROUBLE
}

enum Failure {
    /// Standard output cannot be written.
    Output(io::Error),
    Sentence(String),
}

enum Printer {
    Lines(Standard<NoColor<BufWriter<Stdout>>>),
    Summary(Summary<NoColor<BufWriter<Stdout>>>),
}

struct Search<'a, M> {
    options: &'a Options,
    /// The first byte of standard input, when it is to be searched in place of the working directory.
    input: Option<Vec<u8>>,
    matcher: M,
    searcher: Searcher,
    printer: Printer,
    names: Names,
    matched: bool,
    troubled: bool,
}

impl<'a, M: Matcher> Search<'a, M> {
    fn new(options: &'a Options, matcher: M, input: Option<Vec<u8>>) -> Result<Self, Failure> {
        Ok(Self {
            options,
            matcher,
            searcher: searcher(options),
            printer: printer(options, input.is_none() && several(&options.selection)),
            input,
            names: Names::new(&options.selection).map_err(Failure::Sentence)?,
            matched: false,
            troubled: false,
        })
    }

    fn run(mut self) -> Result<u8, Failure> {
        let options = self.options;
        if options.matching.most == Some(0) && !options.selection.list {
            return Ok(1);
        }
        let mut given = options.selection.paths.clone();
        if let Some(first) = self.input.take() {
            self.read(Path::new(options.input_name), &mut Cursor::new(first).chain(io::stdin()), true)?;
        } else if given.is_empty() {
            given.push(PathBuf::from(if options.selection.recursive { "." } else { "-" }));
        }
        let here = options.selection.paths.is_empty();
        for path in &given {
            self.search_given(path, here)?;
            if self.done() {
                break;
            }
        }
        self.end()
    }

    fn end(mut self) -> Result<u8, Failure> {
        self.output().flush().map_err(Failure::Output)?;
        let quiet = self.options.form.show == Show::Nothing;
        Ok(match (self.matched, self.troubled) {
            (true, true) if quiet => 0,
            (_, true) => TROUBLE,
            (matched, false) => u8::from(!matched),
        })
    }

    fn done(&self) -> bool {
        self.matched && self.options.form.show == Show::Nothing
    }

    fn output(&mut self) -> &mut BufWriter<Stdout> {
        match &mut self.printer {
            Printer::Lines(lines) => lines.get_mut().get_mut(),
            Printer::Summary(summary) => summary.get_mut().get_mut(),
        }
    }

    fn complain(&mut self, path: &Path, text: &str) {
        self.troubled = true;
        if !self.options.quiet_errors {
            eprintln!("{}: {}: {text}", self.options.program, path.display());
        }
    }

    /// A path of the command line; `here` when it is the working directory that nobody named.
    fn search_given(&mut self, path: &Path, here: bool) -> Result<(), Failure> {
        if path == Path::new("-") {
            return self.read(Path::new(self.options.input_name), &mut io::stdin(), true);
        }
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            if !self.options.selection.recursive {
                self.complain(path, "Is a directory");
                return Ok(());
            }
            return self.search_directory(path, here);
        }
        match self.names.want(path) {
            true => self.search_file(path, true),
            false => Ok(()),
        }
    }

    fn search_directory(&mut self, start: &Path, here: bool) -> Result<(), Failure> {
        for entry in below(start, &self.options.selection).map_err(Failure::Sentence)? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.troubled = true;
                    if !self.options.quiet_errors {
                        eprintln!("{}: {error}", self.options.program);
                    }
                    continue;
                }
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) || !self.names.want(entry.path()) {
                continue;
            }
            let shown = if here { entry.path().strip_prefix("./").unwrap_or(entry.path()) } else { entry.path() };
            self.search_file(shown, false)?;
            if self.done() {
                break;
            }
        }
        Ok(())
    }

    fn search_file(&mut self, path: &Path, named: bool) -> Result<(), Failure> {
        if self.options.selection.list {
            self.matched = true;
            let mut line = path.as_os_str().as_encoded_bytes().to_vec();
            line.push(if self.options.form.null_after_names { 0 } else { b'\n' });
            return self.output().write_all(&line).map_err(Failure::Output);
        }
        match File::open(path) {
            Ok(mut file) => self.read(path, &mut file, named),
            Err(error) => {
                self.complain(path, &plain(&error));
                Ok(())
            }
        }
    }

    fn read(&mut self, path: &Path, reader: &mut dyn Read, named: bool) -> Result<(), Failure> {
        if self.options.binary_as_text {
            self.searcher.set_binary_detection(BinaryDetection::none());
            return self.search(path, reader);
        }
        if self.options.program == "rg" {
            // A file that was found on the way is left at its first NUL; one that was named is searched to its end.
            let detection = if named { BinaryDetection::convert(0) } else { BinaryDetection::quit(0) };
            self.searcher.set_binary_detection(detection);
            return self.search(path, reader);
        }
        let mut start = Vec::new();
        if let Err(error) = read_some(reader, LOOKED_AT, &mut start) {
            self.complain(path, &plain(&error));
            return Ok(());
        }
        let binary = start.contains(&0) && !self.options.matching.null_data;
        let whole = start.len() < LOOKED_AT as usize;
        match (binary && self.options.form.show == Show::Lines, whole) {
            (true, _) => self.tell_binary(path, &mut Cursor::new(start).chain(reader)),
            (false, true) => self.search(path, &mut &start[..]),
            (false, false) => self.search(path, &mut Cursor::new(start).chain(reader)),
        }
    }

    /// grep says of a binary file only that it matches.
    fn tell_binary(&mut self, path: &Path, reader: &mut dyn Read) -> Result<(), Failure> {
        let mut quiet = SummaryBuilder::new().kind(SummaryKind::QuietWithMatch).build_no_color(io::sink());
        let mut sink = quiet.sink(&self.matcher);
        let searched = self.searcher.search_reader(&self.matcher, reader, &mut sink);
        if sink.has_match() {
            self.matched = true;
            self.output().flush().map_err(Failure::Output)?;
            eprintln!("{}: {}: binary file matches", self.options.program, path.display());
        }
        searched.or_else(|error| self.failed(path, error))
    }

    fn search(&mut self, path: &Path, reader: &mut dyn Read) -> Result<(), Failure> {
        let searched = match &mut self.printer {
            Printer::Lines(lines) => {
                let mut sink = lines.sink_with_path(&self.matcher, path);
                let searched = self.searcher.search_reader(&self.matcher, reader, &mut sink);
                self.matched |= sink.has_match();
                searched
            }
            Printer::Summary(summary) => {
                let mut sink = summary.sink_with_path(&self.matcher, path);
                let searched = self.searcher.search_reader(&self.matcher, reader, &mut sink);
                self.matched |= sink.has_match();
                searched
            }
        };
        searched.or_else(|error| self.failed(path, error))
    }

    fn failed(&mut self, path: &Path, error: io::Error) -> Result<(), Failure> {
        // Reading ends otherwise, so this came from the output.
        if error.kind() == ErrorKind::BrokenPipe {
            return Err(Failure::Output(error));
        }
        self.complain(path, &plain(&error));
        Ok(())
    }
}

/// Reads up to `most` bytes, fewer only at the end.
fn read_some(reader: &mut dyn Read, most: u64, into: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(most).read_to_end(into)
}

/// rg without a path searches its input if there is any. A program cannot see whether its input is a pipe, so input
/// that ends at once counts as none. Gives what was read to know it.
fn piped_input(options: &Options) -> Option<Vec<u8>> {
    let selection = &options.selection;
    if options.program != "rg" || selection.list || !selection.paths.is_empty() {
        return None;
    }
    let mut first = Vec::new();
    read_some(&mut io::stdin(), 1, &mut first).ok().filter(|read| *read > 0).map(|_| first)
}

fn searcher(options: &Options) -> Searcher {
    let (matching, form) = (&options.matching, &options.form);
    let mut builder = SearcherBuilder::new();
    builder
        .invert_match(matching.inverted)
        .line_number(form.line_numbers)
        .multi_line(matching.across_lines)
        .before_context(form.before)
        .after_context(form.after)
        .passthru(form.every_line)
        .max_matches(matching.most);
    if matching.null_data {
        builder.line_terminator(grep_matcher::LineTerminator::byte(0));
    }
    builder.build()
}

/// Whether more than one file may be searched.
fn several(selection: &Selection) -> bool {
    match &selection.paths[..] {
        [] => selection.recursive,
        [one] => selection.recursive && std::fs::metadata(one).is_ok_and(|metadata| metadata.is_dir()),
        _ => true,
    }
}

fn printer(options: &Options, several: bool) -> Printer {
    let form = &options.form;
    let output = BufWriter::with_capacity(OUTPUT_BUFFER, io::stdout());
    let names = form.names.unwrap_or(several);
    let terminator = form.null_after_names.then_some(0);
    let kind = match form.show {
        Show::Lines => {
            let apart = (form.before + form.after > 0).then(|| b"--".to_vec());
            return Printer::Lines(
                StandardBuilder::new()
                    .path(names)
                    .heading(form.heading)
                    .only_matching(form.only_matching)
                    .per_match(form.per_match)
                    .per_match_one_line(form.per_match)
                    .column(form.columns)
                    .byte_offset(form.byte_offsets)
                    .replacement(form.replacement.clone())
                    .max_columns(form.most_columns)
                    .trim_ascii(form.trimmed)
                    .path_terminator(terminator)
                    .separator_search(if form.heading { Some(Vec::new()) } else { apart })
                    .build_no_color(output),
            );
        }
        Show::LineCount => SummaryKind::Count,
        Show::MatchCount => SummaryKind::CountMatches,
        Show::FilesWithMatch => SummaryKind::PathWithMatch,
        Show::FilesWithoutMatch => SummaryKind::PathWithoutMatch,
        Show::Nothing => SummaryKind::QuietWithMatch,
    };
    let paths = names || matches!(form.show, Show::FilesWithMatch | Show::FilesWithoutMatch);
    Printer::Summary(
        SummaryBuilder::new()
            .kind(kind)
            .path(paths)
            .exclude_zero(!form.zero_counts)
            .path_terminator(terminator)
            .build_no_color(output),
    )
}
