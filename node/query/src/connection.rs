//! One client's connection: frames in, answers out.
//!
//! ```text
//!  read ─► inbound ─► decode every whole frame ─► execute ─► out ──────────────► one write
//!                                                    ├─► held (until durable) ─┘
//!                                                    └─► pending futures ──────┘
//! ```
//!
//! All requests of a turn share one read and one write.
//! An answer that depends on a log position waits in `held`, encoded; a sync of the log releases everything up to its
//! position in one go.
//!
//! # Bounds
//! Reading stops while [`PENDING_MAX`] requests run or [`HELD_BYTES_MAX`] of answers wait, so a client that sends
//! without reading slows down itself only.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Buf as _, BytesMut};
use cql_protocol::{
    Compression, Consistency, Encoder, ErrorBody, ErrorKind, Event, Frame, FrameDecoder, Limits,
    Opcode, Peer, Request, WriteType,
};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use node_coordinator::LogPosition;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::counters::RequestCounters;
use crate::events::EventHub;
use crate::executor::{Executor, answer_error};
use crate::failure;
use crate::outcome::{Answer, Outcome};
use crate::session::{Session, Stage};
use crate::turn::Turn;

/// Requests of one connection that may run at once; more wait in the socket.
const PENDING_MAX: usize = 2_048;

/// Bytes of answers that may wait for the log or for the client.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Room for one read of the socket.
const READ_BYTES: usize = 64 << 10;

/// What all connections of a shard share.
pub struct Service {
    /// Runs requests.
    pub executor: Executor,
    /// Where events come from.
    pub events: EventHub,
    /// The answer to OPTIONS.
    pub supported: Vec<(String, Vec<String>)>,
    /// Limits of frames.
    pub limits: Limits,
    /// What the connections did.
    pub counters: Arc<RequestCounters>,
}

/// Why a connection ended by itself.
#[derive(Debug)]
pub enum Ended {
    /// The client closed it.
    ByClient,
    /// The node stops.
    ByNode,
    /// The client broke the protocol and was told so.
    Protocol(String),
    /// The client did not take its events in time.
    EventsOverflow,
    /// The socket failed.
    Io(io::Error),
}

/// An answer that waits for the log.
#[derive(Debug, Clone, Copy)]
struct Held {
    position: LogPosition,
    bytes: usize,
    stream: i16,
}

/// A request under way: the stream of its answer, and the answer.
type Pending = std::pin::Pin<Box<dyn Future<Output = (i16, Answer)>>>;

struct Connection<'s, S> {
    service: &'s Service,
    socket: S,
    session: Session,
    decoder: FrameDecoder,
    inbound: BytesMut,
    out: BytesMut,
    held_bytes: BytesMut,
    held: VecDeque<Held>,
    pending: FuturesUnordered<Pending>,
    events: Option<mpsc::Receiver<Arc<Event>>>,
    closing: Option<Ended>,
    turn: Rc<Turn>,
}

/// Serves one connection until it ends.
///
/// # Cancel safety
/// Dropping it closes the socket; requests under way may have been applied.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    service: Rc<Service>,
    stop: CancellationToken,
) -> Ended {
    let clock = service.executor.coordinator().clock();
    let turn = Rc::new(Turn::new(Arc::clone(clock)));
    let mut connection = Connection {
        service: &service,
        socket,
        session: Session::default(),
        decoder: FrameDecoder::new(Peer::Client, service.limits),
        inbound: BytesMut::with_capacity(READ_BYTES),
        out: BytesMut::with_capacity(READ_BYTES),
        held_bytes: BytesMut::new(),
        held: VecDeque::new(),
        pending: FuturesUnordered::new(),
        events: None,
        closing: None,
        turn: Rc::clone(&turn),
    };
    service.counters.connected();
    let ended = turn.each_poll(connection.run(&stop)).await;
    service.counters.disconnected();
    ended
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self, stop: &CancellationToken) -> Ended {
        loop {
            self.take_answers().await;
            self.execute_frames();
            self.release();
            if let Err(ended) = self.write(stop).await {
                return ended;
            }
            let idle = self.pending.is_empty() && self.held.is_empty();
            if idle && let Some(ended) = self.closing.take() {
                let _ = self.socket.shutdown().await;
                return ended;
            }
            let went_on = match self.turn.is_over() {
                true => {
                    tokio::task::yield_now().await;
                    self.look_around(stop).await
                }
                false => self.wait(stop).await,
            };
            if let Err(ended) = went_on {
                return ended;
            }
        }
    }

    /// Executes the whole frames that have arrived, as many as the turn takes.
    fn execute_frames(&mut self) {
        while self.closing.is_none() && !self.is_full() && self.turn.takes_frames() {
            match self.decoder.decode(&mut self.inbound) {
                Ok(Some(frame)) => {
                    self.turn.count_frame();
                    self.handle(&frame);
                }
                Ok(None) => return,
                Err(error) => {
                    Encoder::refuse(&mut self.out, &error);
                    self.closing = Some(Ended::Protocol(error.to_string()));
                }
            }
        }
    }

    /// Lets the requests under way go on, and takes the answers of those that are done, for their part of the turn.
    async fn take_answers(&mut self) {
        let turn = Rc::clone(&self.turn);
        let frames_wait = !self.inbound.is_empty();
        let is_over = || match frames_wait {
            true => turn.is_half_over(),
            false => turn.is_over(),
        };
        while !self.pending.is_empty() && !is_over() {
            // The set lets a few of them take a step, in the order in which they became ready to.
            let steps = turn.steps();
            let next = poll_fn(|context| Poll::Ready(self.pending.poll_next_unpin(context))).await;
            match next {
                Poll::Ready(Some((stream, answer))) => self.take_answer(stream, &answer),
                Poll::Ready(None) | Poll::Pending if turn.steps() == steps => return,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }

    fn take_answer(&mut self, stream: i16, answer: &Answer) {
        let start = self.out.len();
        self.out.extend_from_slice(&answer.bytes);
        self.count_answer(start);
        self.hold(start, answer.position, stream);
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_MAX
            || self.held_bytes.len() + self.out.len() >= HELD_BYTES_MAX
    }

    fn handle(&mut self, frame: &Frame) {
        self.service.counters.requested();
        self.session.encoder.version = frame.version;
        let stream = frame.stream;
        let start = self.out.len();
        let outcome = match Request::decode(frame) {
            Ok(request) => self.dispatch(stream, &request),
            Err(error) => {
                let error = ErrorBody::from(&error);
                answer_error(self.session.encoder, stream, &error, &mut self.out)
            }
        };
        match outcome {
            Outcome::Answered(position) => {
                self.count_answer(start);
                self.hold(start, position, stream);
            }
            Outcome::Later(request) => {
                let answer = Rc::clone(&self.turn).counted(request);
                self.pending
                    .push(Box::pin(async move { (stream, answer.await) }));
            }
        }
    }

    /// Counts the answer that begins at `start`.
    fn count_answer(&self, start: usize) {
        let counters = &self.service.counters;
        counters.answered();
        // The opcode of a frame is its fifth byte.
        if self.out.get(start + 4) == Some(&Opcode::Error.code()) {
            counters.failed();
        }
    }

    /// Moves the answer that was just encoded to those that wait, if it must wait.
    fn hold(&mut self, start: usize, position: LogPosition, stream: i16) {
        if self.service.executor.coordinator().is_durable(position) {
            return;
        }
        let answer = self.out.get(start..).unwrap_or_default();
        self.held_bytes.extend_from_slice(answer);
        // Released in order: an answer waits at most for those before it.
        let last = self
            .held
            .back()
            .map_or(LogPosition::NONE, |held| held.position);
        self.held.push_back(Held {
            position: position.max(last),
            bytes: answer.len(),
            stream,
        });
        self.out.truncate(start);
    }

    fn dispatch(&mut self, stream: i16, request: &Request<'_>) -> Outcome {
        let Self {
            service,
            session,
            out,
            ..
        } = self;
        let ready = session.stage == Stage::Ready;
        match request {
            Request::Execute(execute) if ready => {
                service.executor.execute(session, stream, execute, out)
            }
            Request::Query(query) if ready => service.executor.query(session, stream, query, out),
            Request::Batch(batch) if ready => service.executor.batch(session, stream, batch, out),
            Request::Prepare(text) if ready => service.executor.prepare(session, stream, text, out),
            Request::Register(types) if ready => {
                session.events = session.events.union(*types);
                self.events = Some(service.events.listen(session.events));
                session.encoder.ready(out, stream);
                Outcome::Answered(LogPosition::NONE)
            }
            Request::Options => {
                let options: Vec<(&str, Vec<&str>)> = service
                    .supported
                    .iter()
                    .map(|(name, values)| {
                        (name.as_str(), values.iter().map(String::as_str).collect())
                    })
                    .collect();
                let options: Vec<(&str, &[&str])> = options
                    .iter()
                    .map(|(name, values)| (*name, values.as_slice()))
                    .collect();
                session.encoder.supported(out, stream, &options);
                Outcome::Answered(LogPosition::NONE)
            }
            Request::Startup(startup) if !ready => {
                let agreed = startup.cql_version().and_then(|_| startup.compression());
                match agreed {
                    Ok(compression) => self.start(stream, compression),
                    Err(error) => {
                        let error = ErrorBody::from(&error);
                        answer_error(session.encoder, stream, &error, out)
                    }
                }
            }
            unexpected => {
                let expecting = if ready {
                    "a request"
                } else {
                    "STARTUP or OPTIONS"
                };
                let error = ErrorBody::new(
                    ErrorKind::ProtocolError,
                    format!(
                        "Unexpected message {}, expecting {expecting}",
                        unexpected.opcode()
                    ),
                );
                answer_error(session.encoder, stream, &error, out)
            }
        }
    }

    fn start(&mut self, stream: i16, compression: Option<Compression>) -> Outcome {
        self.session.encoder.ready(&mut self.out, stream);
        self.session.encoder.compression = compression;
        self.session.stage = Stage::Ready;
        self.decoder.start();
        self.decoder.set_compression(compression);
        Outcome::Answered(LogPosition::NONE)
    }

    /// Moves the answers whose positions are durable to the output.
    fn release(&mut self) {
        let coordinator = self.service.executor.coordinator();
        let mut bytes = 0;
        while let Some(held) = self.held.front()
            && coordinator.is_durable(held.position)
        {
            bytes += held.bytes;
            self.held.pop_front();
        }
        if bytes == 0 {
            return;
        }
        if self.out.is_empty() && self.held.is_empty() {
            std::mem::swap(&mut self.out, &mut self.held_bytes);
        } else {
            let released = self.held_bytes.get(..bytes).unwrap_or_default();
            self.out.extend_from_slice(released);
            self.held_bytes.advance(bytes);
        }
    }

    /// The log has failed: what waits for it may have been applied, and its clients are told so.
    fn give_up(&mut self, why: &str) {
        self.held_bytes.clear();
        for held in std::mem::take(&mut self.held) {
            let error = failure::unknown_write(why.to_owned(), Consistency::One, WriteType::Simple);
            self.session
                .encoder
                .error(&mut self.out, held.stream, &error);
        }
    }

    async fn write(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = tokio::select! {
            biased;
            // A stopping node still answers what it has done, but waits for no slow client.
            written = self.socket.write_all(&self.out) => written,
            () = stop.cancelled() => return Err(Ended::ByNode),
        };
        self.out.clear();
        written.map_err(Ended::Io)
    }

    /// Takes one of the things that are there already; none of them can be kept out by a client that never pauses.
    async fn look_around(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        let mut wait = pin!(self.wait(stop));
        poll_fn(|context| match wait.as_mut().poll(context) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready @ Poll::Ready(_) => ready,
        })
        .await
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        let coordinator = self.service.executor.coordinator();
        let first = self.held.front().map(|held| held.position);
        let can_read = self.closing.is_none() && !self.is_full();
        if self.inbound.capacity() - self.inbound.len() < READ_BYTES / 4 {
            self.inbound.reserve(READ_BYTES);
        }
        tokio::select! {
            biased;
            () = stop.cancelled(), if self.closing.is_none() => {
                // What runs is answered; nothing more is read.
                self.closing = Some(Ended::ByNode);
            }
            event = next_event(&mut self.events) => match event {
                Some(event) => self.session.encoder.event(&mut self.out, &event),
                None => return Err(Ended::EventsOverflow),
            },
            durable = async { coordinator.durable_at(first.unwrap_or_default()).await }, if first.is_some() => {
                if let Err(error) = durable {
                    self.give_up(&error.to_string());
                }
            }
            read = self.socket.read_buf(&mut self.inbound), if can_read => match read {
                Ok(0) => return Err(Ended::ByClient),
                Ok(_) => {}
                Err(error) => return Err(Ended::Io(error)),
            },
            // Last: they have their part of every turn.
            Some((stream, answer)) = self.pending.next(), if !self.pending.is_empty() => {
                self.take_answer(stream, &answer);
            }
        }
        Ok(())
    }
}

/// The next event, or never if nobody listens.
async fn next_event(events: &mut Option<mpsc::Receiver<Arc<Event>>>) -> Option<Arc<Event>> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}
