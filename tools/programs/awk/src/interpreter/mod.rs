//! Runs a program.
//!
//! Functions of the program call each other on our own stack, which is short. What is not on the way of such a call is
//! kept out of line, so that the frames on the way stay small.

mod expression;
mod functions;
mod input;
mod output;
mod record;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use regex::Regex;

use crate::ast::{Expression, Pattern, Place, Program, Statement, Target};
use crate::parser::SPECIAL;
use crate::value::Value;
use crate::{lexer, pattern};

use input::Input;
pub use input::read_file;
use output::Output;
use record::Record;

/// Calls inside calls, at most: what fits the stack of a program.
const MOST_CALLS: usize = 200;

/// Compiled patterns that are kept; more are compiled again.
const KEPT_PATTERNS: usize = 500;

/// An array; its elements come in the order in which they were made.
type Array = Rc<RefCell<IndexMap<Rc<str>, Value>>>;

/// What a variable holds.
#[derive(Clone, Default)]
enum Cell {
    #[default]
    Unset,
    Value(Value),
    Array(Array),
}

/// Why a statement did not come to its end.
enum Stop {
    Next,
    NextFile,
    Exit,
    Break,
    Continue,
    Return(Value),
    Trouble(String),
}

type Outcome<T> = Result<T, Stop>;

fn trouble<T>(problem: impl Into<String>) -> Outcome<T> {
    Err(Stop::Trouble(problem.into()))
}

/// The state of a running program.
pub struct Interpreter {
    program: Rc<Program>,
    globals: Vec<Cell>,
    /// Parameters of the functions that run, the innermost last.
    frames: Vec<Vec<Cell>>,
    record: Record,
    input: Input,
    output: Output,
    /// Which range patterns are inside their range.
    inside: Vec<bool>,
    patterns: HashMap<Rc<str>, Rc<Regex>>,
    exit_code: u8,
    random: functions::Random,
}

/// The number of a special variable.
const fn special(name: &str) -> usize {
    let mut at = 0;
    while at < SPECIAL.len() {
        let (known, wanted) = (SPECIAL[at].as_bytes(), name.as_bytes());
        let mut same = known.len() == wanted.len();
        let mut byte = 0;
        while same && byte < known.len() {
            same = known[byte] == wanted[byte];
            byte += 1;
        }
        if same {
            return at;
        }
        at += 1;
    }
    panic!("no special variable of this name")
}

const NF: usize = special("NF");
const NR: usize = special("NR");
const FNR: usize = special("FNR");
const FS: usize = special("FS");
const OFS: usize = special("OFS");
const ORS: usize = special("ORS");
const RS: usize = special("RS");
const SUBSEP: usize = special("SUBSEP");
const CONVFMT: usize = special("CONVFMT");
const OFMT: usize = special("OFMT");
const FILENAME: usize = special("FILENAME");
const RSTART: usize = special("RSTART");
const RLENGTH: usize = special("RLENGTH");
const ENVIRON: usize = special("ENVIRON");
const ARGC: usize = special("ARGC");
const ARGV: usize = special("ARGV");
const RT: usize = special("RT");
const PROCINFO: usize = special("PROCINFO");

impl Interpreter {
    /// A program with its operands: files and assignments.
    pub fn new(program: Program, operands: &[String]) -> Self {
        let mut globals = vec![Cell::Unset; program.globals.len()];
        let texts =
            [(FS, " "), (OFS, " "), (ORS, "\n"), (RS, "\n"), (SUBSEP, "\x1c"), (CONVFMT, "%.6g"), (OFMT, "%.6g")];
        for (number, text) in texts {
            globals[number] = Cell::Value(Value::text(text));
        }
        for (number, value) in
            [(NR, 0.0), (FNR, 0.0), (RSTART, 0.0), (RLENGTH, -1.0), (ARGC, operands.len() as f64 + 1.0)]
        {
            globals[number] = Cell::Value(Value::Number(value));
        }
        let array = |elements: IndexMap<Rc<str>, Value>| Cell::Array(Rc::new(RefCell::new(elements)));
        globals[ENVIRON] = array(
            std::env::vars_os()
                .map(|(name, value)| (name.to_string_lossy().into(), Value::input(value.to_string_lossy())))
                .collect(),
        );
        let words = std::iter::once("awk").chain(operands.iter().map(String::as_str));
        globals[ARGV] =
            array(words.enumerate().map(|(number, word)| (number.to_string().into(), Value::input(word))).collect());
        Self {
            inside: vec![false; program.ranges],
            program: Rc::new(program),
            globals,
            frames: Vec::new(),
            record: Record::default(),
            input: Input::default(),
            output: Output::default(),
            patterns: HashMap::new(),
            exit_code: 0,
            random: functions::Random::default(),
        }
    }

    /// An assignment of the command line. A variable that the program does not know is not needed.
    pub fn assign(&mut self, name: &str, value: &str) {
        if let Some(number) = self.program.globals.iter().position(|known| known == name) {
            self.set_global(number, Value::input(lexer::unescape(value)));
        }
    }

    /// Runs the whole program and gives its exit code.
    ///
    /// # Errors
    /// What went wrong while it ran.
    pub fn run(&mut self) -> Result<u8, String> {
        let program = self.program.clone();
        let outcome = self.run_rules(&program);
        let ended = match outcome {
            // `exit` leads to the END rules, and there to the end.
            Ok(()) | Err(Stop::Exit) => self.run_end(&program),
            other => other,
        };
        let closed = self.output.close_all();
        match ended {
            Err(Stop::Trouble(problem)) => Err(problem),
            _ => closed.map(|()| self.exit_code),
        }
    }

    fn run_rules(&mut self, program: &Program) -> Outcome<()> {
        for (_, action) in program.rules.iter().filter(|(pattern, _)| matches!(pattern, Pattern::Begin)) {
            self.block(action.as_deref().unwrap_or_default())?;
        }
        if program.rules.iter().all(|(pattern, _)| matches!(pattern, Pattern::Begin)) {
            return Ok(());
        }
        while let Some(record) = self.next_record()? {
            self.set_record(record);
            match self.run_record(program) {
                Err(Stop::NextFile) => self.input.skip_file(),
                Ok(()) | Err(Stop::Next) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    fn run_end(&mut self, program: &Program) -> Outcome<()> {
        for (_, action) in program.rules.iter().filter(|(pattern, _)| matches!(pattern, Pattern::End)) {
            self.block(action.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn run_record(&mut self, program: &Program) -> Outcome<()> {
        for (pattern, action) in &program.rules {
            let applies = match pattern {
                Pattern::Begin | Pattern::End => false,
                Pattern::Always => true,
                Pattern::When(test) => self.evaluate(test)?.is_true(),
                Pattern::Range(first, last, number) => {
                    let begins = self.inside[*number] || self.evaluate(first)?.is_true();
                    self.inside[*number] = begins && !self.evaluate(last)?.is_true();
                    begins
                }
            };
            match action {
                _ if !applies => {}
                Some(action) => self.block(action)?,
                None => self.print(&[], None)?,
            }
        }
        Ok(())
    }

    fn block(&mut self, statements: &[Statement]) -> Outcome<()> {
        statements.iter().try_for_each(|statement| self.execute(statement))
    }

    fn execute(&mut self, statement: &Statement) -> Outcome<()> {
        match statement {
            Statement::Expression(value) => self.evaluate(value).map(drop),
            Statement::Print(values, redirection) => self.print(values, redirection.as_ref()),
            Statement::Printf(values, redirection) => self.printf(values, redirection.as_ref()),
            Statement::Block(statements) => self.block(statements),
            Statement::If(test, then, otherwise) => match (self.evaluate(test)?.is_true(), otherwise) {
                (true, _) => self.execute(then),
                (false, Some(otherwise)) => self.execute(otherwise),
                (false, None) => Ok(()),
            },
            Statement::While(test, body) => {
                while self.evaluate(test)?.is_true() && self.turn(body)? {}
                Ok(())
            }
            Statement::Do(body, test) => {
                while self.turn(body)? && self.evaluate(test)?.is_true() {}
                Ok(())
            }
            Statement::For(first, test, step, body) => {
                first.iter().try_for_each(|first| self.execute(first))?;
                while test.as_ref().map_or(Ok(true), |test| self.evaluate(test).map(|value| value.is_true()))?
                    && self.turn(body)?
                {
                    step.iter().try_for_each(|step| self.execute(step))?;
                }
                Ok(())
            }
            Statement::ForIn(variable, array, body) => self.for_in(variable, *array, body),
            Statement::Next => Err(Stop::Next),
            Statement::NextFile => Err(Stop::NextFile),
            Statement::Break => Err(Stop::Break),
            Statement::Continue => Err(Stop::Continue),
            Statement::Exit(code) => {
                if let Some(code) = code {
                    // As exit(3): the low eight bits.
                    self.exit_code = self.evaluate(code)?.number() as i64 as u8;
                }
                Err(Stop::Exit)
            }
            Statement::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::Unset), |value| self.evaluate(value))?;
                Err(Stop::Return(value))
            }
            Statement::Delete(array, subscripts) => {
                let array = self.array(*array)?;
                match subscripts {
                    Some(subscripts) => drop({
                        let key = self.key(subscripts)?;
                        array.borrow_mut().shift_remove(&key)
                    }),
                    None => array.borrow_mut().clear(),
                }
                Ok(())
            }
        }
    }

    /// One turn of a loop; false after `break`.
    fn turn(&mut self, body: &Statement) -> Outcome<bool> {
        match self.execute(body) {
            Ok(()) | Err(Stop::Continue) => Ok(true),
            Err(Stop::Break) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    #[inline(never)]
    fn for_in(&mut self, variable: &Target, array: Place, body: &Statement) -> Outcome<()> {
        let array = self.array(array)?;
        let mut keys: Vec<Rc<str>> = array.borrow().keys().cloned().collect();
        self.sort_keys(&array, &mut keys);
        for key in keys {
            self.store(variable, Value::input(key))?;
            if !self.turn(body)? {
                break;
            }
        }
        Ok(())
    }

    /// The array that a place holds; made if there is nothing there yet.
    #[inline(never)]
    fn array(&mut self, place: Place) -> Outcome<Array> {
        let cell = self.cell(place);
        match cell {
            Cell::Array(array) => Ok(array.clone()),
            Cell::Unset => {
                let array = Array::default();
                *cell = Cell::Array(array.clone());
                Ok(array)
            }
            Cell::Value(_) => trouble("a scalar is used as an array"),
        }
    }

    fn cell(&mut self, place: Place) -> &mut Cell {
        match (place, self.frames.last_mut()) {
            (Place::Local(number), Some(frame)) => &mut frame[number],
            (Place::Local(number) | Place::Global(number), _) => &mut self.globals[number],
        }
    }

    /// Subscripts as one key.
    #[inline(never)]
    fn key(&mut self, subscripts: &[Expression]) -> Outcome<Rc<str>> {
        if let [subscript] = subscripts {
            let value = self.evaluate(subscript)?;
            return Ok(self.text(&value));
        }
        let mut key = String::new();
        for (number, subscript) in subscripts.iter().enumerate() {
            if number > 0 {
                key.push_str(&self.global_text(SUBSEP));
            }
            let value = self.evaluate(subscript)?;
            key.push_str(&self.text(&value));
        }
        Ok(key.into())
    }

    fn global(&self, number: usize) -> Value {
        match &self.globals[number] {
            Cell::Value(value) => value.clone(),
            _ => Value::Unset,
        }
    }

    fn global_text(&self, number: usize) -> Rc<str> {
        self.global(number).string("%.6g")
    }

    fn set_global(&mut self, number: usize, value: Value) {
        self.globals[number] = Cell::Value(value);
    }

    /// A value as a string, numbers by CONVFMT.
    fn text(&self, value: &Value) -> Rc<str> {
        match value {
            Value::Number(_) => value.string(&self.global_text(CONVFMT)),
            _ => value.string(""),
        }
    }

    /// A value as a pattern, compiled once.
    fn pattern_of(&mut self, text: &Rc<str>) -> Outcome<Rc<Regex>> {
        if let Some(regex) = self.patterns.get(text) {
            return Ok(regex.clone());
        }
        let regex = Rc::new(pattern::compile(text).map_err(Stop::Trouble)?);
        if self.patterns.len() >= KEPT_PATTERNS {
            self.patterns.clear();
        }
        self.patterns.insert(text.clone(), regex.clone());
        Ok(regex)
    }
}
