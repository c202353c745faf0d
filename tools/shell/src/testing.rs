//! A system without programs, for tests of the language alone: everything happens in memory.

use crate::{Launch, OpenMode, Shell, SpawnError, Standard, System};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

pub(crate) struct Nowhere;

#[derive(Clone)]
pub(crate) struct Memory(Rc<RefCell<Vec<u8>>>);

impl Memory {
    fn new(bytes: Vec<u8>) -> Self {
        Self(Rc::new(RefCell::new(bytes)))
    }
}

impl System for Nowhere {
    type Input = Memory;
    type Output = Memory;
    type Process = ();

    fn spawn(&self, _: &Launch<'_>, _: &Memory, _: &Memory, _: &Memory) -> Result<(), SpawnError> {
        Err(SpawnError::NotFound)
    }

    fn wait(&self, (): &mut ()) -> io::Result<u8> {
        Ok(0)
    }

    fn kill(&self, (): &mut ()) {}

    fn pipe(&self) -> io::Result<(Memory, Memory)> {
        let memory = Memory::new(Vec::new());
        Ok((memory.clone(), memory))
    }

    fn text(&self, bytes: Vec<u8>) -> io::Result<Memory> {
        Ok(Memory::new(bytes))
    }

    fn capture(&self, _: usize) -> io::Result<Memory> {
        Ok(Memory::new(Vec::new()))
    }

    fn captured(&self, capture: Memory) -> io::Result<Vec<u8>> {
        Ok(capture.0.borrow().clone())
    }

    fn feed(&self, output: Memory, bytes: Vec<u8>) -> io::Result<()> {
        self.write(&output, &bytes)
    }

    fn null_input(&self) -> io::Result<Memory> {
        Ok(Memory::new(Vec::new()))
    }

    fn null_output(&self) -> io::Result<Memory> {
        Ok(Memory::new(Vec::new()))
    }

    fn open_input(&self, _: &str) -> io::Result<Memory> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn open_output(&self, _: &str, _: OpenMode) -> io::Result<Memory> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn read(&self, input: &Memory, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = input.0.borrow_mut();
        let most = most.min(bytes.len());
        Ok(bytes.drain(..most).collect())
    }

    fn write(&self, output: &Memory, bytes: &[u8]) -> io::Result<()> {
        output.0.borrow_mut().extend(bytes);
        Ok(())
    }

    fn programs(&self) -> Vec<String> {
        Vec::new()
    }

    fn placeholder(&self, name: &str) -> Option<String> {
        (name == "GRANTED").then(|| "placeholder".to_owned())
    }

    fn interrupted(&self) -> Option<String> {
        STEPS.with_borrow_mut(|steps| {
            *steps = steps.saturating_sub(1);
            (*steps == 0).then(|| "enough steps".to_owned())
        })
    }
}

/// Commands and rounds of loops that a script may run: what is generated may loop forever.
const MOST_STEPS: usize = 2_000;

thread_local! {
    static STEPS: RefCell<usize> = const { RefCell::new(MOST_STEPS) };
}

/// What a script did.
pub(crate) struct Done {
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) code: Result<u8, String>,
}

/// Runs a script in a directory that does not exist.
pub(crate) fn run(script: &str) -> Done {
    run_for(script, MOST_STEPS)
}

/// The same for fewer steps.
pub(crate) fn run_for(script: &str, most: usize) -> Done {
    STEPS.with_borrow_mut(|steps| *steps = most);
    let (output, error) = (Memory::new(Vec::new()), Memory::new(Vec::new()));
    let standard = Standard { input: Memory::new(Vec::new()), output: output.clone(), error: error.clone() };
    let mut shell = Shell::new(Rc::new(Nowhere), "/nowhere", Vec::new(), standard);
    let code = shell.run(script);
    let text = |memory: Memory| String::from_utf8_lossy(&memory.0.borrow()).into_owned();
    Done { output: text(output), errors: text(error), code }
}
