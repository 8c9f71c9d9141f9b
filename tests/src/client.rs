//! A small CQL client: one connection, one request at a time, answers as raw cells.
//!
//! It speaks [`cql_protocol`] from the client's side and hides nothing: columns with their types, cells as bytes, warnings, errors with code and fields.
//! Events that arrive between answers are kept until [`Connection::event`] takes them.
//!
//! It works over any stream of bytes, so that simulation can give it the end of a pipe.
//!
//! Cost: a round trip a request; it is made for tests.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use cql_protocol::{
    Compression, Consistency, ErrorBody, ErrorCode, Event, EventType, FrameDecoder, FrameError,
    Limits, OutgoingBatch, OutgoingParameters, OwnedPrepared, Peer, Prelude, ProtocolError,
    RequestEncoder, Response, ResultBody, Rows, Version,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why a request has no result.
#[derive(Debug)]
pub enum ClientError {
    /// The stream failed, or ended: the request may or may not have had its effect.
    Stream(io::Error),
    /// The server sent something that is not a frame.
    Frame(FrameError),
    /// The server sent a frame that is not a message.
    Message(ProtocolError),
    /// The server answered with an error.
    Refused(Refusal),
    /// The server answered with something that does not answer the request.
    Unexpected(Box<Response>),
}

/// An error that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Code, fields and message.
    pub error: ErrorBody,
    /// Warnings that came with it.
    pub warnings: Vec<String>,
}

impl ClientError {
    /// The server's code, if it was the server that refused.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.error.kind.code()),
            Self::Stream(_) | Self::Frame(_) | Self::Message(_) | Self::Unexpected(_) => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => write!(f, "the connection broke: {error}"),
            Self::Frame(error) => write!(f, "the server sent no frame: {error}"),
            Self::Message(error) => write!(f, "the server sent no message: {error}"),
            Self::Refused(refusal) => write!(
                f,
                "the server refused: {:?}: {}",
                refusal.error.kind, refusal.error.message
            ),
            Self::Unexpected(response) => write!(f, "this answers no request: {response:?}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Rows, nothing, or what changed.
    pub body: ResultBody,
    /// Warnings.
    pub warnings: Vec<String>,
}

impl Answer {
    /// The rows; `None` if the answer is of another kind.
    #[must_use]
    pub fn rows(&self) -> Option<&Rows> {
        match &self.body {
            ResultBody::Rows(rows) => Some(rows),
            ResultBody::Void
            | ResultBody::SetKeyspace(_)
            | ResultBody::Prepared(_)
            | ResultBody::SchemaChange(_) => None,
        }
    }

    /// The cells of the rows, each row a list; empty if the answer is of another kind.
    #[must_use]
    pub fn cells(&self) -> Vec<Vec<Option<Vec<u8>>>> {
        self.rows().map(cells_of).unwrap_or_default()
    }
}

/// The cells of rows, each row a list.
#[must_use]
pub fn cells_of(rows: &Rows) -> Vec<Vec<Option<Vec<u8>>>> {
    let mut cells = rows.cells().map(|cell| cell.map(<[u8]>::to_vec));
    (0..rows.count)
        .map(|_| cells.by_ref().take(rows.metadata.count).collect())
        .collect()
}

/// Parameters of a request that asks for consistency ONE and nothing else.
#[must_use]
pub fn one() -> OutgoingParameters<'static> {
    OutgoingParameters::new(Consistency::One)
}

/// A connection that has introduced itself.
#[derive(Debug)]
pub struct Connection<S = TcpStream> {
    stream: S,
    encoder: RequestEncoder,
    decoder: FrameDecoder,
    input: BytesMut,
    output: BytesMut,
    next_stream: i16,
    events: VecDeque<Event>,
}

impl Connection<TcpStream> {
    /// Connects with version 4 and without compression.
    ///
    /// # Errors
    /// The port does not answer, or the server refuses.
    ///
    /// # Cancel safety
    /// Cancelling closes the connection.
    pub async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::start(stream, Version::V4, None).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Introduces itself over a stream.
    ///
    /// # Errors
    /// The stream breaks, or the server refuses.
    ///
    /// # Cancel safety
    /// Cancelling closes the stream.
    pub async fn start(
        stream: S,
        version: Version,
        compression: Option<Compression>,
    ) -> Result<Self, ClientError> {
        let mut connection = Self {
            stream,
            encoder: RequestEncoder {
                version,
                compression: None,
            },
            decoder: FrameDecoder::new(Peer::Server, Limits::default()),
            input: BytesMut::new(),
            output: BytesMut::new(),
            next_stream: 0,
            events: VecDeque::new(),
        };
        connection.decoder.start();
        let mut options = vec![("CQL_VERSION", "3.0.0")];
        options.extend(compression.map(|kind| ("COMPRESSION", kind.name())));
        let (_, response) = connection
            .request(|encoder, out, stream| encoder.startup(out, stream, &options))
            .await?;
        let Response::Ready = response else {
            return Err(ClientError::Unexpected(Box::new(response)));
        };
        connection.encoder.compression = compression;
        connection.decoder.set_compression(compression);
        Ok(connection)
    }

    /// What the server says it can do.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// None: drop the connection after cancelling.
    pub async fn options(&mut self) -> Result<Vec<(String, Vec<String>)>, ClientError> {
        let (_, response) = self
            .request(|encoder, out, stream| encoder.options(out, stream))
            .await?;
        match response {
            Response::Supported(options) => Ok(options),
            other => Err(ClientError::Unexpected(Box::new(other))),
        }
    }

    /// Asks for events.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// None: drop the connection after cancelling.
    pub async fn register(&mut self, types: &[EventType]) -> Result<(), ClientError> {
        let (_, response) = self
            .request(|encoder, out, stream| encoder.register(out, stream, types))
            .await?;
        match response {
            Response::Ready => Ok(()),
            other => Err(ClientError::Unexpected(Box::new(other))),
        }
    }

    /// Runs a statement at consistency ONE, without values and without paging.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// None: drop the connection after cancelling; the statement may have had its effect.
    pub async fn query(&mut self, statement: &str) -> Result<Answer, ClientError> {
        self.query_with(statement, &one()).await
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// As [`Self::query`].
    pub async fn query_with(
        &mut self,
        statement: &str,
        parameters: &OutgoingParameters<'_>,
    ) -> Result<Answer, ClientError> {
        self.result(|encoder, out, stream| encoder.query(out, stream, statement, parameters))
            .await
    }

    /// Prepares a statement.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// None: drop the connection after cancelling.
    pub async fn prepare(&mut self, statement: &str) -> Result<OwnedPrepared, ClientError> {
        let answer = self
            .result(|encoder, out, stream| encoder.prepare(out, stream, statement))
            .await?;
        match answer.body {
            ResultBody::Prepared(prepared) => Ok(prepared),
            other => Err(ClientError::Unexpected(Box::new(Response::Result(other)))),
        }
    }

    /// Runs a prepared statement.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// As [`Self::query`].
    pub async fn execute(
        &mut self,
        id: &[u8],
        parameters: &OutgoingParameters<'_>,
    ) -> Result<Answer, ClientError> {
        self.result(|encoder, out, stream| encoder.execute(out, stream, id, parameters))
            .await
    }

    /// Runs a batch.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// As [`Self::query`].
    pub async fn batch(&mut self, batch: &OutgoingBatch<'_>) -> Result<Answer, ClientError> {
        self.result(|encoder, out, stream| encoder.batch(out, stream, batch))
            .await
    }

    /// The next event; waits for it.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Cancel safety
    /// Yes: no event is lost.
    pub async fn event(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let (_, _, response) = self.receive().await?;
            match response {
                Response::Event(event) => self.events.push_back(event),
                other => return Err(ClientError::Unexpected(Box::new(other))),
            }
        }
    }

    async fn result(
        &mut self,
        write: impl FnOnce(&RequestEncoder, &mut BytesMut, i16),
    ) -> Result<Answer, ClientError> {
        let (prelude, response) = self.request(write).await?;
        match response {
            Response::Result(body) => Ok(Answer {
                body,
                warnings: prelude.warnings,
            }),
            other => Err(ClientError::Unexpected(Box::new(other))),
        }
    }

    /// Sends one request and waits for its answer.
    async fn request(
        &mut self,
        write: impl FnOnce(&RequestEncoder, &mut BytesMut, i16),
    ) -> Result<(Prelude, Response), ClientError> {
        let stream = self.next_stream;
        self.next_stream = stream.checked_add(1).unwrap_or(0);
        self.output.clear();
        write(&self.encoder, &mut self.output, stream);
        self.stream.write_all(&self.output).await?;
        self.stream.flush().await?;
        loop {
            let (answers, prelude, response) = self.receive().await?;
            match response {
                Response::Event(event) => self.events.push_back(event),
                other if answers != stream => {
                    return Err(ClientError::Unexpected(Box::new(other)));
                }
                Response::Error(error) => {
                    return Err(ClientError::Refused(Refusal {
                        error,
                        warnings: prelude.warnings,
                    }));
                }
                other => return Ok((prelude, other)),
            }
        }
    }

    async fn receive(&mut self) -> Result<(i16, Prelude, Response), ClientError> {
        loop {
            if let Some(frame) = self
                .decoder
                .decode(&mut self.input)
                .map_err(ClientError::Frame)?
            {
                let (prelude, response) = Response::decode(&frame).map_err(ClientError::Message)?;
                return Ok((frame.stream, prelude, response));
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}
