//! An awk program, read.

use std::rc::Rc;

use regex::Regex;

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// Among the variables of the program.
    Global(usize),
    /// Among the parameters of the function that runs.
    Local(usize),
}

/// What can be assigned to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A variable.
    Variable(Place),
    /// `$n`
    Field(Box<Expression>),
    /// `array[subscripts]`
    Element(Place, Vec<Expression>),
}

/// Where `getline` reads.
#[derive(Clone, Debug)]
pub enum Source {
    /// The program's own input.
    Input,
    /// `< file`
    File(Box<Expression>),
    /// `command |`
    Command(Box<Expression>),
}

/// What has a value.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A string.
    Text(Rc<str>),
    /// A regular expression; its value is whether the record matches.
    Regex(Rc<Regex>),
    /// What can be assigned to, read.
    Read(Target),
    /// `target = value`
    Assign(Target, Box<Expression>),
    /// `target += value` and its like, with the operator.
    Update(Target, &'static str, Box<Expression>),
    /// `++target` and its like: by how much, and whether the value is the one before.
    Step(Target, f64, bool),
    /// `condition ? one : other`
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    /// Two operands and an arithmetic or comparing operator.
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// Both.
    And(Box<Expression>, Box<Expression>),
    /// Either.
    Or(Box<Expression>, Box<Expression>),
    /// One string behind the other.
    Join(Box<Expression>, Box<Expression>),
    /// `text ~ regex`, or `!~`.
    Match(Box<Expression>, Box<Expression>, bool),
    /// `(subscripts) in array`
    In(Vec<Expression>, Place),
    /// `!value`
    Not(Box<Expression>),
    /// `-value`
    Minus(Box<Expression>),
    /// `+value`
    Plus(Box<Expression>),
    /// `(list)` with commas, before `in` or behind `print`.
    Group(Vec<Expression>),
    /// A function of the language.
    Builtin(&'static str, Vec<Expression>),
    /// A function of the program, by number.
    Call(usize, Vec<Expression>),
    /// `getline`
    Getline(Source, Option<Target>),
}

/// Where `print` writes instead of standard output.
#[derive(Clone, Debug)]
pub struct Redirection {
    /// `>`, `>>` or `|`
    pub sign: &'static str,
    /// The file or command.
    pub name: Expression,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum Statement {
    /// A value that nobody takes.
    Expression(Expression),
    /// `print list`
    Print(Vec<Expression>, Option<Redirection>),
    /// `printf list`
    Printf(Vec<Expression>, Option<Redirection>),
    /// `if`
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    /// `while`
    While(Expression, Box<Statement>),
    /// `do ... while`
    Do(Box<Statement>, Expression),
    /// `for (;;)`
    For(Option<Box<Statement>>, Option<Expression>, Option<Box<Statement>>, Box<Statement>),
    /// `for (variable in array)`
    ForIn(Target, Place, Box<Statement>),
    /// `{ ... }`
    Block(Vec<Statement>),
    /// `next`
    Next,
    /// `nextfile`
    NextFile,
    /// `exit`
    Exit(Option<Expression>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return`
    Return(Option<Expression>),
    /// `delete array[subscripts]`, or the whole array.
    Delete(Place, Option<Vec<Expression>>),
}

/// When a rule applies.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Before the input.
    Begin,
    /// After it.
    End,
    /// For every record.
    Always,
    /// For records where it is true.
    When(Expression),
    /// From one to the other; the number is that of the range.
    Range(Expression, Expression, usize),
}

/// A function of the program.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// How many parameters it has.
    pub parameters: usize,
    /// What it does.
    pub body: Vec<Statement>,
}

/// A program.
#[derive(Debug, Default)]
pub struct Program {
    /// Patterns and what is done; without an action the record is printed.
    pub rules: Vec<(Pattern, Option<Vec<Statement>>)>,
    /// Functions by number.
    pub functions: Vec<Function>,
    /// The names of the global variables.
    pub globals: Vec<String>,
    /// How many range patterns there are.
    pub ranges: usize,
}
