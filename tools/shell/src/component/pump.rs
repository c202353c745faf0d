//! Moves bytes while the shell waits: from programs into its memory, and from its memory into programs.
//!
//! A component has one thread. Were it to wait for a program alone, a program that writes to a full pipe whose reader
//! is the shell would wait for the shell in turn.

use super::{broken, now, pipe};
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes moved at once; the size of a pipe.
const CHUNK: u64 = 64 * 1024;

/// Nanoseconds between two ticks.
const TICK: u64 = 5_000_000_000;

/// What becomes of captured bytes.
pub(super) enum Keep {
    Nothing,
    /// Kept up to a limit.
    Bytes {
        limit: usize,
        bytes: RefCell<Vec<u8>>,
    },
    /// Handed on.
    Hand(Box<dyn Fn(&[u8])>),
}

/// Memory that takes what programs and the shell write.
pub struct Capture {
    keep: Keep,
    overflow: Cell<bool>,
    /// Made when the first program is to write here.
    pipe: RefCell<Option<CapturePipe>>,
}

struct CapturePipe {
    // A pollable goes before the stream that it is of.
    ready: Pollable,
    reader: InputStream,
    /// Gone once no further program is to write.
    writer: Option<OutputStream>,
}

impl Capture {
    pub(super) fn new(keep: Keep) -> Rc<Self> {
        Rc::new(Self { keep, overflow: Cell::new(false), pipe: RefCell::new(None) })
    }

    pub(super) fn take(&self, taken: &[u8]) {
        match &self.keep {
            Keep::Nothing => {}
            Keep::Hand(hand) => hand(taken),
            Keep::Bytes { limit, bytes } => {
                let mut bytes = bytes.borrow_mut();
                let room = limit.saturating_sub(bytes.len());
                bytes.extend(taken.get(..room.min(taken.len())).unwrap_or_default());
                self.overflow.set(self.overflow.get() || taken.len() > room);
            }
        }
    }

    /// Gives the end that programs write to.
    pub(super) fn writer(
        &self,
        share: impl FnOnce(&OutputStream) -> io::Result<OutputStream>,
    ) -> io::Result<OutputStream> {
        match self.pipe.borrow().as_ref().and_then(|pipe| pipe.writer.as_ref()) {
            Some(writer) => share(writer),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Takes what is there without waiting; `false` at the end of the stream.
    fn drain(&self) -> bool {
        let mut open = false;
        if let Some(pipe) = &*self.pipe.borrow() {
            open = loop {
                match pipe.reader.read(CHUNK) {
                    Ok(bytes) if bytes.is_empty() => break true,
                    Ok(bytes) => self.take(&bytes),
                    Err(_) => break false,
                }
                if self.overflow.get() {
                    break false;
                }
            };
        }
        if !open {
            // Writers of more than is wanted are told so by their pipe.
            self.pipe.borrow_mut().take();
        }
        open
    }
}

/// Bytes on their way into a program.
struct Feed {
    // A pollable goes before the stream that it is of.
    ready: Pollable,
    writer: OutputStream,
    bytes: Vec<u8>,
    at: usize,
}

impl Feed {
    /// Writes what the reader takes without waiting; `false` when done.
    fn push(&mut self) -> bool {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            let room = match self.writer.check_write() {
                Ok(0) => return true,
                Ok(room) => usize::try_from(room).unwrap_or(usize::MAX).min(rest.len()),
                Err(_) => return false,
            };
            if self.writer.write(rest.get(..room).unwrap_or_default()).is_err() {
                return false;
            }
            self.at += room;
        }
        false
    }
}

/// A here-document and how far it was read.
pub struct Text {
    bytes: Vec<u8>,
    at: usize,
}

impl Text {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn read(&mut self, most: usize) -> Vec<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let read = rest.get(..most.min(rest.len())).unwrap_or_default().to_vec();
        self.at += read.len();
        read
    }

    /// All that is left.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.read(usize::MAX)
    }
}

/// What is moved while the shell waits, and when it must stop waiting.
#[derive(Default)]
pub(super) struct Pump {
    captures: RefCell<Vec<Rc<Capture>>>,
    feeds: RefCell<Vec<Feed>>,
    /// On the monotonic clock, in nanoseconds.
    deadline: Option<u64>,
    tick: Option<Box<dyn Fn()>>,
}

impl Pump {
    pub(super) fn limit(&mut self, limit: Duration, tick: Box<dyn Fn()>) {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.deadline = Some(now().saturating_add(limit));
        self.tick = Some(tick);
    }

    /// Whether the deadline has passed.
    pub(super) fn over(&self) -> bool {
        self.deadline.is_some_and(|deadline| now() >= deadline)
    }

    /// Whether there is anything to do but wait.
    pub(super) fn has_work(&self) -> bool {
        self.deadline.is_some() || !self.captures.borrow().is_empty() || !self.feeds.borrow().is_empty()
    }

    /// Makes the pipe of a capture, if it has none, and moves its bytes from now on.
    pub(super) fn add(&self, capture: &Rc<Capture>) -> io::Result<()> {
        if capture.pipe.borrow().is_none() {
            let (reader, writer) = pipe()?;
            let ready = reader.subscribe();
            *capture.pipe.borrow_mut() = Some(CapturePipe { ready, reader, writer: Some(writer) });
            self.captures.borrow_mut().push(capture.clone());
        }
        Ok(())
    }

    pub(super) fn feed(&self, writer: OutputStream, bytes: Vec<u8>) {
        let mut feed = Feed { ready: writer.subscribe(), writer, bytes, at: 0 };
        if feed.push() {
            self.feeds.borrow_mut().push(feed);
        }
    }

    /// Moves what can be moved without waiting.
    pub(super) fn move_bytes(&self) {
        self.captures.borrow_mut().retain(|capture| capture.drain());
        self.feeds.borrow_mut().retain_mut(Feed::push);
    }

    /// Moves bytes until `wanted` is ready.
    pub(super) fn until(&self, wanted: &Pollable) -> io::Result<()> {
        loop {
            self.move_bytes();
            if wanted.ready() {
                return Ok(());
            }
            self.wait(wanted)?;
        }
    }

    /// Waits until `wanted` is ready or there is something to move.
    fn wait(&self, wanted: &Pollable) -> io::Result<()> {
        let captures = self.captures.borrow();
        let pipes: Vec<_> = captures.iter().map(|capture| capture.pipe.borrow()).collect();
        let feeds = self.feeds.borrow();
        let timer = self.deadline.map(|deadline| {
            let tick = now().saturating_add(TICK);
            (monotonic_clock::subscribe_instant(deadline.min(tick)), tick <= deadline)
        });
        let mut waiting = vec![wanted];
        waiting.extend(pipes.iter().filter_map(|pipe| pipe.as_ref()).map(|pipe| &pipe.ready));
        waiting.extend(feeds.iter().map(|feed| &feed.ready));
        waiting.extend(timer.iter().map(|(timer, _)| timer));
        let last = waiting.len() - 1;
        let ready = poll(&waiting);
        let timed = timer.is_some() && ready.len() == 1 && ready.first().is_some_and(|index| *index as usize == last);
        if self.over() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if timed && let Some(tick) = &self.tick {
            tick();
        }
        Ok(())
    }

    /// Reads from a stream while other bytes move.
    pub(super) fn read(&self, stream: &InputStream, most: usize) -> io::Result<Vec<u8>> {
        let most = u64::try_from(most).unwrap_or(CHUNK).min(CHUNK);
        let mut ready = None;
        loop {
            let read = if self.has_work() { stream.read(most) } else { stream.blocking_read(most) };
            match read {
                Ok(bytes) if bytes.is_empty() => self.until(ready.get_or_insert_with(|| stream.subscribe()))?,
                Ok(bytes) => return Ok(bytes),
                Err(StreamError::Closed) => return Ok(Vec::new()),
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Waits for the last writer of a capture, and gives what was kept.
    pub(super) fn finish(&self, capture: &Rc<Capture>) -> io::Result<Vec<u8>> {
        if let Some(pipe) = &mut *capture.pipe.borrow_mut() {
            pipe.writer = None;
        }
        while capture.drain() {
            self.move_bytes();
            let pipe = capture.pipe.borrow();
            let Some(pipe) = &*pipe else { break };
            self.wait(&pipe.ready)?;
        }
        self.captures.borrow_mut().retain(|other| !Rc::ptr_eq(other, capture));
        if capture.overflow.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match &capture.keep {
            Keep::Bytes { bytes, .. } => Ok(std::mem::take(&mut *bytes.borrow_mut())),
            _ => Ok(Vec::new()),
        }
    }
}

/// Writes all bytes to a stream that may be full, while other bytes move.
pub(super) fn write_waiting(stream: &OutputStream, bytes: &[u8], pump: &Pump) -> io::Result<()> {
    let mut rest = bytes;
    let mut ready = None;
    while !rest.is_empty() {
        let room = stream.check_write().map_err(broken)?;
        if room == 0 {
            pump.until(ready.get_or_insert_with(|| stream.subscribe()))?;
            continue;
        }
        let (now, later) = rest.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(rest.len()));
        stream.write(now).map_err(broken)?;
        rest = later;
    }
    stream.flush().map_err(broken)
}
