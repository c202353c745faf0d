//! Reads the files of a skill as far as its needs show: lines by their kind, and the first words of commands.

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text for people and the model.
    Prose,
    /// Commands of a shell.
    Shell,
    /// Another language.
    Other,
}

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
}

/// First words that tell a block of commands from other text.
const COMMANDS: &str = "$ . {baseDir} bash brew bun cat cd chmod clawdhub cp curl docker echo export gh git grep jq ls mkdir \
    mv node npm npx openclaw pip pip3 python python3 rm sh sudo uv uvx wget";

/// Most bytes of a line that are looked at.
const MOST_LINE: usize = 2_000;
/// Ends of file names and words at a fence that tell of commands, and those that tell of other code.
const SHELL: &str = "sh bash zsh shell console terminal";
const OTHER: &str = "py python js mjs cjs javascript ts typescript";
/// Words that a command follows.
const BEFORE: &str = "if then elif else while until do ! time env exec command nohup xargs sudo { (";
/// Words of the shell itself; what follows is no command.
const OWN: &str = "for case esac in function fi done break continue return exit cd echo printf export set unset shift local \
    declare readonly read test [ [[ true false : . source eval trap wait alias pwd exit let pushd popd umask ulimit type } \
    builtin compgen disown getopts hash jobs mapfile readarray shopt times typeset unalias";
/// How scripts start programs; the program's name is the first text that follows.
const STARTERS: &str = "subprocess.run( subprocess.call( subprocess.check_output( subprocess.check_call( subprocess.Popen( \
    os.system( shutil.which( execSync( execFileSync( spawnSync(";
/// Programs that are given URLs, and their options that take a value.
const LOADERS: [&str; 2] = ["curl", "wget"];
const WITH_VALUE: &str = "-o -O -d -H -X -u -F -T -K -b -c -A -e -m -w --output --data --header --request --user --form \
    --max-time --retry --data-raw --data-binary --data-urlencode --user-agent --write-out --cookie --url-query";

/// Whether one of the names, parted by blanks, is this word.
pub(crate) fn any(names: &str, word: &str) -> bool {
    names.split_whitespace().any(|one| one == word)
}

impl<'a> Line<'a> {
    fn new(index: usize, text: &'a str, kind: Kind) -> Self {
        Self { number: index + 1, text: &text[..text.floor_char_boundary(MOST_LINE)], kind }
    }

    pub(crate) fn is_comment(&self) -> bool {
        self.kind != Kind::Prose && self.text.trim_start().starts_with(['#', '/'])
    }
}

/// The blocks of a file; none when it is neither instructions nor a script.
pub(crate) fn blocks<'a>(place: &str, text: &'a str) -> Vec<Vec<Line<'a>>> {
    let name = place.rsplit('/').next().unwrap_or(place).to_ascii_lowercase();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let shebang = text.strip_prefix("#!").and_then(|text| text.lines().next());
    let kind = match shebang {
        _ if end == "md" => return fences(text),
        Some(line) if line.ends_with("sh") => Kind::Shell,
        None if any(SHELL, end) => Kind::Shell,
        None if !any(OTHER, end) => return Vec::new(),
        _ => Kind::Other,
    };
    vec![text.lines().enumerate().map(|(index, text)| Line::new(index, text, kind)).collect()]
}

/// The fenced blocks of a Markdown text, and what lies between them.
fn fences(text: &str) -> Vec<Vec<Line<'_>>> {
    let (mut blocks, mut fence): (Vec<Vec<Line>>, _) = (vec![Vec::new()], None);
    let mut unnamed = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let start = text.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        fence = match (fence, mark) {
            (None, Some(mark)) => {
                let word = start.trim_start_matches(['`', '~']).split_whitespace().next();
                unnamed.extend(word.is_none().then_some(blocks.len()));
                let word = word.unwrap_or("sh");
                Some((mark, if any(SHELL, &word.to_ascii_lowercase()) { Kind::Shell } else { Kind::Other }))
            }
            (Some((open, _)), Some(mark)) if open == mark => None,
            (other, _) => {
                let kind = other.map_or(Kind::Prose, |(_, kind)| kind);
                blocks.last_mut().into_iter().for_each(|block| block.push(Line::new(index, text, kind)));
                continue;
            }
        };
        blocks.push(Vec::new());
    }
    // What a fence without a word holds may be anything: a tree of files, an answer, a table.
    for index in unnamed {
        let block: &mut Vec<Line> = &mut blocks[index];
        let first =
            |line: &Line| line.text.trim_start().split([' ', '/']).next().is_some_and(|word| any(COMMANDS, word));
        if !block.iter().any(first) {
            block.iter_mut().for_each(|line| line.kind = Kind::Other);
        }
    }
    blocks
}

/// The words of a line in lower case; what parts commands is a word, too.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut apart = String::with_capacity(line.len() + 16);
    for letter in line.to_lowercase().chars() {
        match letter {
            '|' | ';' | '&' | '<' | '$' => apart.extend([' ', letter, ' ']),
            '`' | '"' | '\'' | '(' | ')' | '*' | '#' | ',' | ':' | '[' | ']' | '>' => apart.push(' '),
            _ => apart.push(letter),
        }
    }
    // The end of a line ends a command.
    apart.push_str(" ;");
    apart.split_whitespace().map(|word| word.trim_end_matches(['.', '!', '?']).to_owned()).collect()
}

/// The programs that the commands of a block start.
pub(crate) fn programs<'a>(block: &[Line<'a>]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let own: Vec<&str> = block.iter().filter(|line| line.kind == Kind::Shell).filter_map(function).collect();
    let mut heredoc: Option<&str> = None;
    // A quote that goes on over the end of its line, and a command that does.
    let (mut quote, mut goes_on) = (None, false);
    for line in block {
        match line.kind {
            Kind::Prose => {}
            Kind::Other => found.extend(started(line.text)),
            Kind::Shell => {
                if let Some(end) = heredoc {
                    heredoc = Some(end).filter(|end| line.text.trim() != *end);
                    continue;
                }
                for (index, command) in commands(line.text, &mut quote).into_iter().enumerate() {
                    let starts = program(command).filter(|name| (index > 0 || !goes_on) && !own.contains(name));
                    // No program that skills use has a capital; the first word of a sentence has.
                    found.extend(starts.filter(|name| !name.starts_with(|first: char| first.is_uppercase())));
                }
                goes_on = line.text.ends_with('\\') || quote.is_some();
                let word =
                    line.text.split_once("<<").map(|(_, rest)| rest.trim_start_matches(['-', ' ', '\'', '"', '\\']));
                let word = word.and_then(|rest| rest.split([' ', '\'', '"', ';', ')']).next());
                heredoc = word.filter(|word| !word.is_empty() && !word.starts_with('<'));
            }
        }
    }
    found
}

/// The commands of a line of a shell, without what is quoted at their beginning.
fn commands<'a>(line: &'a str, quote: &mut Option<char>) -> Vec<&'a str> {
    let prompt = line.trim_start().strip_prefix("$ ").unwrap_or(line);
    let (mut parts, mut start, mut before, mut open) = (Vec::new(), 0, ' ', 0_usize);
    for (at, letter) in prompt.char_indices() {
        match (*quote, letter) {
            (Some(open), _) if letter == open && before != '\\' => *quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if before != '\\' => *quote = Some(letter),
            (None, '#') if before.is_whitespace() => {
                parts.push(&prompt[start..at]);
                return parts;
            }
            // The end of a label of `case`, which is no command.
            (None, ')') if open == 0 => {
                parts.clear();
                start = at + 1;
            }
            (None, '|' | ';' | '&' | '(' | ')' | '`') if !(letter == '&' && before == '>') => {
                match letter {
                    '(' => open += 1,
                    ')' => open -= 1,
                    _ => {}
                }
                parts.push(&prompt[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
        before = letter;
    }
    parts.push(&prompt[start..]);
    parts
}

/// The name of the function that a line begins.
fn function<'a>(line: &Line<'a>) -> Option<&'a str> {
    let text = line.text.trim_start();
    let rest = text.strip_prefix("function ").map(str::trim_start);
    let name =
        rest.and_then(|rest| rest.split([' ', '(', '{']).next()).or_else(|| Some(text.split_once("()")?.0.trim()));
    name.filter(|name| !name.is_empty() && !name.contains([' ', '$', '"', '=']))
}

/// The first word of a command that is no word of the shell and sets no variable.
fn program(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace().skip_while(|word| any(BEFORE, word) || is_setting(word));
    words.next().filter(|word| !any(OWN, word))
}

fn is_setting(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// The programs that a line of a script starts.
fn started(line: &str) -> impl Iterator<Item = &str> {
    let after = STARTERS.split(' ').filter_map(|starter| Some(line.split_once(starter)?.1));
    after.filter_map(|rest| {
        let text = rest.trim_start_matches(['[', 'f', ' ']).strip_prefix(['"', '\'', '`'])?;
        text.split(['"', '\'', '`', ' ']).next()
    })
}

/// Whether a text may be the name of a host.
pub(crate) fn is_host(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

/// The hosts that a loader is given without a scheme.
pub(crate) fn bare_hosts(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for command in commands(line, &mut None) {
        let loads = program(command).filter(|name| LOADERS.contains(name));
        let mut words = command.split_whitespace().skip_while(|word| Some(*word) != loads).skip(1);
        while let Some(word) = words.next() {
            if any(WITH_VALUE, word) {
                words.next();
                continue;
            }
            let word = word.trim_matches(['"', '\'']);
            let place = word.split(['/', '?']).next().unwrap_or_default();
            let host = place.split(':').next().unwrap_or_default();
            if is_host(host) && !word.starts_with(['-', '.']) && !word.contains("://") {
                found.push(place);
            }
        }
    }
    found
}
