//! Streams between programs: bounded pipes, and several handles of one stream.

use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{Mutex, Notify};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError};

/// Bytes that a pipe holds.
const CAPACITY: usize = 64 << 10;
/// Most bytes handed over at once between a stream and a program of the machine.
const CHUNK: usize = 16 << 10;
/// Refused writes after which a program that ignores its broken pipe is ended.
const MAX_REFUSED: u32 = 64;

type StreamResult<T> = Result<T, StreamError>;

/// What both ends of a pipe share.
#[derive(Default)]
struct Shared {
    state: StdMutex<Content>,
    readable: Notify,
    writable: Notify,
}

#[derive(Default)]
struct Content {
    held: BytesMut,
    reader_gone: bool,
    writer_gone: bool,
}

impl Shared {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that is read.
pub(crate) struct Reader(Arc<Shared>);

/// The end that is written.
pub(crate) struct Writer {
    pipe: Arc<Shared>,
    refused: u32,
}

/// A pipe that holds at most 64 KiB.
pub(crate) fn pipe() -> (Reader, Writer) {
    let shared = Arc::new(Shared::default());
    (Reader(shared.clone()), Writer { pipe: shared, refused: 0 })
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut content = self.0.content();
        content.reader_gone = true;
        content.held = BytesMut::new();
        drop(content);
        self.0.writable.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.pipe.content().writer_gone = true;
        self.pipe.readable.notify_one();
    }
}

#[async_trait::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        loop {
            {
                let content = self.0.content();
                if !content.held.is_empty() || content.writer_gone {
                    return;
                }
            }
            self.0.readable.notified().await;
        }
    }
}

#[async_trait::async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut content = self.0.content();
        if content.held.is_empty() {
            return if content.writer_gone { Err(StreamError::Closed) } else { Ok(Bytes::new()) };
        }
        let most = size.min(content.held.len());
        let bytes = content.held.split_to(most).freeze();
        drop(content);
        self.0.writable.notify_one();
        Ok(bytes)
    }
}

impl Writer {
    /// Writing to nobody fails, which libc calls EPIPE; who does not listen to that is ended.
    fn broken(&mut self) -> StreamError {
        self.refused += 1;
        if self.refused > MAX_REFUSED { StreamError::Trap(BrokenPipe.into()) } else { StreamError::Closed }
    }
}

/// Ends a program that writes where nobody reads, as SIGPIPE does.
#[derive(Debug, thiserror::Error)]
#[error("broken pipe")]
pub(crate) struct BrokenPipe;

#[async_trait::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        loop {
            {
                let content = self.pipe.content();
                if content.held.len() < CAPACITY || content.reader_gone {
                    return;
                }
            }
            self.pipe.writable.notified().await;
        }
    }
}

#[async_trait::async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut content = self.pipe.content();
        if content.reader_gone {
            drop(content);
            return Err(self.broken());
        }
        if bytes.len() > CAPACITY - content.held.len() {
            return Err(StreamError::trap("more was written than the pipe had room for"));
        }
        if !bytes.is_empty() {
            content.held.extend_from_slice(&bytes);
            drop(content);
            self.pipe.readable.notify_one();
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let (gone, room) = {
            let content = self.pipe.content();
            (content.reader_gone, CAPACITY - content.held.len())
        };
        if gone { Err(self.broken()) } else { Ok(room) }
    }

    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        // The default waits for room again after its last piece, and takes a closed pipe for success.
        while !bytes.is_empty() {
            self.ready().await;
            let room = self.check_write()?;
            self.write(bytes.split_to(room.min(bytes.len())))?;
        }
        Ok(())
    }
}

/// One of several handles of a stream; the stream is dropped with the last.
pub(crate) struct Handle<T>(Arc<Mutex<T>>);

impl<T> Handle<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait::async_trait]
impl<T: Pollable> Pollable for Handle<T> {
    async fn ready(&mut self) {
        self.0.lock().await.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for Handle<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.0.try_lock() {
            Ok(mut stream) => stream.read(size),
            // Another holder waits on it: nothing is there yet.
            Err(_) => Ok(Bytes::new()),
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.0.lock().await.blocking_read(size).await
    }
}

#[async_trait::async_trait]
impl OutputStream for Handle<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match self.0.try_lock() {
            Ok(mut stream) => stream.write(bytes),
            Err(_) => Err(StreamError::trap("the stream is in use")),
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.try_lock().map_or(Ok(()), |mut stream| stream.flush())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.try_lock().map_or(Ok(0), |mut stream| stream.check_write())
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.lock().await.blocking_write_and_flush(bytes).await
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.0.lock().await.write_ready().await
    }
}

impl<T> IsTerminal for Handle<T> {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Handle<DynInputStream> {
    fn p2_stream(&self) -> DynInputStream {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }
}

impl StdoutStream for Handle<DynOutputStream> {
    fn p2_stream(&self) -> DynOutputStream {
        Box::new(Standard(self.clone()))
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

/// Standard output or error of a program: it ends with the first write that nobody will read.
struct Standard(Handle<DynOutputStream>);

fn ended(error: StreamError) -> StreamError {
    match error {
        StreamError::Closed => StreamError::Trap(BrokenPipe.into()),
        other => other,
    }
}

#[async_trait::async_trait]
impl Pollable for Standard {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Standard {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(bytes).map_err(ended)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.flush().map_err(ended)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.check_write().map_err(ended)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.blocking_write_and_flush(bytes).await.map_err(ended)
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.0.write_ready().await.map_err(ended)
    }
}

/// Copies a stream to a program of the machine until either ends.
pub(crate) async fn feed(mut from: DynInputStream, mut to: DuplexStream) {
    while let Ok(bytes) = from.blocking_read(CHUNK).await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Copies what a program of the machine writes to a stream until either ends.
pub(crate) async fn drain(mut from: DuplexStream, mut to: Handle<DynOutputStream>) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.blocking_write_and_flush(Bytes::copy_from_slice(&buffer[..read])).await.is_err() {
            return;
        }
    }
}
