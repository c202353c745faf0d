//! The body of a response: decoded, counted, redacted, and ended by the deadline.

use std::{fmt, io, mem, pin::Pin, sync::Arc};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{
    client,
    deadline::Deadline,
    error::EgressError,
    limits::{Account, Place},
    redactor::Redactor,
};

/// Encodings that the host asks for and undoes.
pub(crate) const ACCEPTED: &str = "gzip, br, deflate";
/// Bytes that a decoder gives at once.
const CHUNK: usize = 16 * 1024;
/// Most bytes for which room is made because an origin announces them.
const MAX_EXPECTED: u64 = 1 << 20;

/// The pieces of a body before they are counted.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The body of a response. Dropping it ends the request.
pub struct Body {
    chunks: Chunks,
    redactor: Redactor,
    /// A piece that is clean already.
    ready: Bytes,
    account: Arc<Account>,
    deadline: Deadline,
    /// Bytes that may still come.
    left: u64,
    most: u64,
    expected: usize,
    ended: bool,
    _place: Place,
}

/// What holds for one body.
pub(crate) struct Terms {
    pub account: Arc<Account>,
    pub place: Place,
    pub deadline: Deadline,
    pub most: u64,
    /// Bytes that the origin announces, as far as it does.
    pub expected: u64,
    pub redactor: Redactor,
}

impl Body {
    pub(crate) fn new(chunks: Chunks, terms: Terms) -> Self {
        let Terms { account, place, deadline, most, expected, redactor } = terms;
        let expected = expected.min(most).min(MAX_EXPECTED) as usize;
        let ready = Bytes::new();
        Self { chunks, redactor, ready, account, deadline, left: most, most, expected, ended: false, _place: place }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`EgressError::TimedOut`], [`EgressError::TooLarge`], [`EgressError::Limited`] for the byte budget, and
    /// [`EgressError::Failed`]. After an error there is nothing more.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        while self.ready.is_empty() && !self.ended {
            let [piece, ready] = self.advance().await.inspect_err(|_| self.ended = true)?;
            self.ready = ready;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        let piece = mem::take(&mut self.ready);
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// All pieces that are yet to come.
    pub(crate) async fn whole(&mut self) -> Result<Bytes, EgressError> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity(self.expected.max(first.len() + second.len()));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    async fn advance(&mut self) -> Result<[Bytes; 2], EgressError> {
        let Some(chunk) = self.deadline.bound(self.chunks.next()).await? else {
            self.ended = true;
            return Ok([self.redactor.finish(), Bytes::new()]);
        };
        let chunk = chunk.map_err(|error| self.failure(&error))?;
        let size = chunk.len() as u64;
        if size > self.left {
            return Err(EgressError::TooLarge(format!("its body has more than {} bytes", self.most)));
        }
        self.left -= size;
        self.account.charge_bytes(chunk.len())?;
        Ok(self.redactor.pieces(chunk))
    }

    fn failure(&self, error: &io::Error) -> EgressError {
        EgressError::Failed(
            self.redactor.patterns().redact_text(format!("the body broke off: {}", client::words(error))),
        )
    }

    /// The body as a stream of [`Self::chunk`]s.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, EgressError>> + Send {
        futures_util::stream::unfold(self, |mut body| async move {
            let item = body.chunk().await.transpose()?;
            Some((item, body))
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("left", &self.left).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// The body of a response, decoded. Removes the fields that describe its transport.
///
/// # Errors
/// The name of an encoding that the host cannot undo: what cannot be decoded cannot be redacted.
pub(crate) fn decoded(answer: reqwest::Response, headers: &mut HeaderMap) -> Result<Chunks, String> {
    let encoding = content_encoding(headers)?;
    let is_empty = answer.content_length() == Some(0);
    headers.remove(header::TRANSFER_ENCODING);
    let chunks = answer.bytes_stream().map_err(io::Error::other);
    if encoding.is_empty() || is_empty {
        return Ok(Box::pin(chunks));
    }
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    let reader = StreamReader::new(chunks);
    Ok(match encoding.as_str() {
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(ReaderStream::with_capacity(decoder, CHUNK))
        }
        "deflate" => Box::pin(ReaderStream::with_capacity(ZlibDecoder::new(reader), CHUNK)),
        "br" => Box::pin(ReaderStream::with_capacity(BrotliDecoder::new(reader), CHUNK)),
        _ => return Err(encoding),
    })
}

/// The one encoding of a body; empty for none.
fn content_encoding(headers: &HeaderMap) -> Result<String, String> {
    let mut names = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .flat_map(|value| String::from_utf8_lossy(value.as_bytes()).split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity");
    let first = names.next().unwrap_or_default();
    match names.next() {
        Some(second) => Err(format!("{first}, {second}")),
        None => Ok(first),
    }
}
