//! A loopback server that answers as it is told, also badly.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rcgen::generate_simple_self_signed;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it should be.
    Whole,
    /// The connection ends in the middle of the body.
    CutOff,
    /// Nothing follows after the middle of the body, and the connection stays.
    Silent,
    /// Without a length; the end of the connection is the end of the body.
    Unannounced,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub manner: Manner,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, fields: Vec::new(), body: body.into(), manner: Manner::Whole }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::ok("") }
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(307).with("location", to)
    }

    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.fields.push((field.to_owned(), value.to_owned()));
        self
    }

    pub fn sent(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }
}

/// What came in. The path has its query.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub fields: BTreeMap<String, String>,
}

type Respond = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A server; it ends with the test.
pub struct Origin {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    _serving: JoinSet<()>,
}

impl Origin {
    pub async fn start(respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(respond), None).await
    }

    /// By TLS, with a certificate that nobody has signed but itself.
    pub async fn self_signed(respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().to_vec().into()], key)
            .unwrap();
        Self::listen(Arc::new(respond), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(respond: Respond, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut serving = JoinSet::new();
        let seen = Arc::clone(&requests);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (respond, seen, tls) = (Arc::clone(&respond), Arc::clone(&seen), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, respond, seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, respond, seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, requests, _serving: serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub fn oci(&self, name: &str) -> String {
        format!("oci://127.0.0.1:{}/{name}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request, one answer; `None` when the other side has gone.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    respond: Respond,
    seen: Arc<Mutex<Vec<Request>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream).await?;
    seen.lock().unwrap().push(request.clone());
    let Answer { status, fields, body, manner } = respond(&request);
    let mut head = format!("HTTP/1.1 {status} Answer\r\nconnection: close\r\n");
    if manner != Manner::Unannounced {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in fields {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
    let sent = if matches!(manner, Manner::Whole | Manner::Unannounced) { body.len() } else { body.len() / 2 };
    if request.method != "HEAD" {
        stream.write_all(&body[..sent]).await.ok()?;
    }
    stream.flush().await.ok()?;
    if manner == Manner::Silent {
        // Until the other side gives up.
        stream.read_to_end(&mut Vec::new()).await.ok()?;
    }
    stream.shutdown().await.ok()
}

async fn read<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.insert(name.to_lowercase(), value.to_owned());
    }
    let length = fields.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some(Request { method, path, fields })
}
