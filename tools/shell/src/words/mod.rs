//! Words: what is literal, quoted or to be expanded in a word of a command.
//!
//! The grammar of commands comes from `brush-parser`. Words are taken apart here, because its word grammar takes
//! unclosed expansions for text, needs exponential time on nested ones, and panics on large numbers.

mod brace;
mod parse;
mod skip;

pub(crate) use brace::brace_expansion;
pub(crate) use parse::{here_document, is_name, word};
pub(crate) use skip::check_here_documents;

/// A part of a word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// Unquoted text; may hold pattern characters.
    Text(String),
    /// Quoted or escaped text.
    Quoted(String),
    /// What stands between double quotes.
    Double(Vec<Piece>),
    /// `~` with what follows it up to a slash.
    Tilde(String),
    /// `$x` or `${...}`.
    Parameter(Box<Parameter>),
    /// `$(...)` or backquotes: the source of the commands.
    Command(String),
    /// `$((...))`: text to expand and then evaluate.
    Arithmetic(Vec<Piece>),
}

/// A parameter expansion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// `${!x}`: the value names the parameter that is meant.
    pub(crate) indirect: bool,
    pub(crate) subject: Subject,
    pub(crate) operation: Operation,
}

/// Which parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Positional(usize),
    /// One of `@ * # ? - $ ! 0`.
    Special(char),
    Variable(String, Subscript),
}

/// Which elements of an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subscript {
    None,
    /// `[@]`, or `[*]`, which joins.
    All {
        join: bool,
    },
    Index(Vec<Piece>),
}

/// What is done with the value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    None,
    /// `${#x}`
    Length,
    /// `- = ? +`, with a colon if an empty value counts as unset.
    Alternative {
        kind: char,
        colon: bool,
        word: Vec<Piece>,
    },
    /// `# ## % %%`
    Remove {
        suffix: bool,
        longest: bool,
        pattern: Vec<Piece>,
    },
    /// `/ // /# /%`
    Replace {
        place: Place,
        pattern: Vec<Piece>,
        replacement: Vec<Piece>,
    },
    /// `:offset:length`
    Substring {
        offset: Vec<Piece>,
        length: Option<Vec<Piece>>,
    },
    /// `^ ^^ , ,,`
    Case {
        upper: bool,
        all: bool,
        pattern: Vec<Piece>,
    },
    /// `@Q` and others, by their letter.
    Transform(char),
    /// `${!x[@]}`
    Keys {
        join: bool,
    },
    /// `${!prefix*}`
    Names {
        join: bool,
    },
}

/// Where a replacement takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    All,
    Start,
    End,
}
