//! An origin by hand, on a free port of loopback: it writes exactly the bytes that a test gives it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// A request as it was on the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Request line and header fields, without the blank line.
    pub head: String,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// All values of a field.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }
}

/// What the origin writes.
pub enum Reply {
    /// These bytes; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, after some thought.
    After(Duration, Vec<u8>),
    /// These bytes; then the connection is closed.
    Close(Vec<u8>),
    /// The head, then a byte now and then.
    Trickle(Vec<u8>, Duration),
    /// The head, then the same piece again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// The pieces, each in its own segment.
    Pieces(Vec<Vec<u8>>),
}

type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A running origin; ends when dropped.
pub struct Origin {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Origin {
    pub async fn http(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("127.0.0.1:0", None, Arc::new(script)).await
    }

    pub async fn http_at(address: &str, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(address, None, Arc::new(script)).await
    }

    pub async fn https(tls: TlsAcceptor, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("127.0.0.1:0", Some(tls), Arc::new(script)).await
    }

    async fn start(address: &str, tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                served.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    match tls {
                        None => serve(stream, script, log).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, script, log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, seen, connections, task }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Grant for this origin by its address.
    pub fn grant(&self) -> String {
        format!("private:{}", self.url("/"))
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    log: Arc<Mutex<Vec<Seen>>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let seen = read_request(&mut stream, &mut buffer).await?;
        log.lock().unwrap().push(seen.clone());
        match script(&seen) {
            Reply::Bytes(bytes) => write(&mut stream, &bytes).await?,
            Reply::After(thought, bytes) => {
                tokio::time::sleep(thought).await;
                write(&mut stream, &bytes).await?;
            }
            Reply::Close(bytes) => {
                write(&mut stream, &bytes).await?;
                stream.shutdown().await.ok()?;
                return None;
            }
            Reply::Trickle(head, pause) => {
                write(&mut stream, &head).await?;
                loop {
                    tokio::time::sleep(pause).await;
                    write(&mut stream, b"x").await?;
                }
            }
            Reply::Endless(head, piece) => {
                write(&mut stream, &head).await?;
                loop {
                    write(&mut stream, &piece).await?;
                }
            }
            Reply::Pieces(pieces) => {
                for piece in pieces {
                    write(&mut stream, &piece).await?;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Option<()> {
    stream.write_all(bytes).await.ok()?;
    stream.flush().await.ok()
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        read_more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut seen = Seen { head, body: Vec::new() };
    let length = seen.fields("content-length").first().and_then(|text| text.parse().ok()).unwrap_or(0);
    while buffer.len() < end + 4 + length {
        read_more(stream, buffer).await?;
    }
    seen.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(seen)
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    let count = stream.read(&mut piece).await.ok()?;
    buffer.extend_from_slice(&piece[..count]);
    (count > 0).then_some(())
}

/// A whole response with its length.
pub fn ok(body: impl AsRef<[u8]>) -> Reply {
    reply("200 OK", "", body)
}

/// A whole response; `fields` are lines that each end in CR LF.
pub fn reply(status: &str, fields: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Bytes(message(status, fields, body))
}

pub fn message(status: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{fields}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub fn redirect(location: &str) -> Reply {
    reply("302 Found", &format!("location: {location}\r\n"), "")
}
