//! The control socket: how other commands of the same user reach the host of a home.

use crate::exit::{Exit, Failure};
use crate::host::Host;
use crate::request::{Reply, Request};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most bytes of a request.
const MAX_REQUEST: u64 = 8 << 20;
/// Replies that wait for a slow reader.
const WAITING: usize = 64;
/// Longest socket path that every system takes, in bytes.
const MAX_PATH: usize = 100;

/// The socket of a running host; dropping it takes it away.
pub struct Control {
    path: PathBuf,
    stop: CancellationToken,
    answers: TaskTracker,
}

impl Control {
    /// Serves `host` on the socket of its home. Needs a runtime.
    pub fn serve(host: &Host) -> Result<Self, Failure> {
        let path = host.settings().home.socket();
        let listener = listen(&path).map_err(|error| {
            let message = format!("cannot listen on {}: {error}; remove what is there", path.display());
            Failure::new(Exit::State, message)
        })?;
        let control = Self { path, stop: CancellationToken::new(), answers: TaskTracker::new() };
        let (stop, answers) = (control.stop.clone(), control.answers.clone());
        let host = host.clone();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = stop.cancelled() => return,
                };
                match accepted {
                    Ok((stream, _)) if is_mine(&stream) => drop(answers.spawn(answer(host.clone(), stream))),
                    Ok(_) => {}
                    // Out of descriptors: let some be given back.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            }
        });
        Ok(control)
    }

    /// Waits until nobody is being answered, then takes no more requests.
    pub async fn close(self) {
        self.answers.close();
        self.answers.wait().await;
        self.stop.cancel();
        std::fs::remove_file(&self.path).ok();
        self.answers.wait().await;
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Whether the peer runs as the same user.
fn is_mine(stream: &UnixStream) -> bool {
    let me = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == me)
}

/// Binds the socket in place of a stale one. The caller holds the lock of the home, so no other
/// host serves it.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("something that is no socket is in its place")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    with_short_path(path, |path| UnixListener::bind(path))
}

/// Calls `open` with a name of `path` that is short enough for a socket address.
fn with_short_path<T>(path: &Path, open: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;
    if path.as_os_str().len() <= MAX_PATH {
        return open(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return open(path);
    };
    let folder = std::fs::File::open(folder)?;
    open(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}

/// Answers one request.
async fn answer(host: Host, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader.take(MAX_REQUEST));
    let mut line = String::new();
    let request = match reader.read_line(&mut line).await {
        Ok(0) | Err(_) => return,
        Ok(_) => serde_json::from_str::<Request>(&line),
    };
    let (sender, mut replies) = mpsc::channel(WAITING);
    sender.send(Reply::Taken).await.ok();
    match request {
        Ok(request) => drop(tokio::spawn(async move { host.perform(request, sender).await })),
        Err(error) => {
            let message =
                format!("the running chiton does not understand the request ({error}); stop it and try again");
            sender.send(Reply::Failed { exit: Exit::Failure, message }).await.ok();
        }
    }
    loop {
        let reply = tokio::select! {
            reply = replies.recv() => reply,
            // The peer sends nothing more: this is its end.
            _ = reader.fill_buf() => return,
        };
        let Some(Ok(mut line)) = reply.map(|reply| serde_json::to_vec(&reply)) else { return };
        line.push(b'\n');
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
}

/// Whether a host answers on the socket at `path`.
pub async fn is_served(path: &Path) -> bool {
    connect(path).await.is_ok()
}

/// Sends a request to the host behind the socket at `path` and gives its replies.
pub async fn ask(path: &Path, request: &Request) -> io::Result<mpsc::Receiver<Reply>> {
    let (reader, mut writer) = connect(path).await?.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    let mut lines = BufReader::new(reader).lines();
    let first = lines.next_line().await?.map(|line| serde_json::from_str(&line));
    if !matches!(first, Some(Ok(Reply::Taken))) {
        return Err(io::Error::other("it did not take the request"));
    }
    let (sender, replies) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        // The host takes the end of this half for the end of the caller.
        let _open = writer;
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line,
                () = sender.closed() => return,
            };
            let Ok(Some(line)) = line else { return };
            let Ok(reply) = serde_json::from_str(&line) else { return };
            if sender.send(reply).await.is_err() {
                return;
            }
        }
    });
    Ok(replies)
}

async fn connect(path: &Path) -> io::Result<UnixStream> {
    if !path.symlink_metadata()?.file_type().is_socket() {
        return Err(io::Error::other("it is not a socket"));
    }
    let stream = with_short_path(path, |path| std::os::unix::net::UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    let stream = UnixStream::from_std(stream)?;
    match is_mine(&stream) {
        true => Ok(stream),
        false => Err(io::Error::other("another user serves it")),
    }
}
