//! A client that costs little: one blocking connection that keeps many requests in flight.
//!
//! Answers are not looked into beyond their header, but an error ends the run.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bytes::BytesMut;
use cql_protocol::{
    Consistency, Frame, FrameDecoder, Limits, Opcode, OutgoingParameters, OutgoingValues, Peer,
    RequestEncoder, Response, ResultBody, ValueRef, Version,
};

use crate::Outcome;

/// Room for one read of the socket.
const READ_BYTES: usize = 64 << 10;

/// Encodes requests as these programs send them: version 4, nothing compressed.
pub const ENCODER: RequestEncoder = RequestEncoder {
    version: Version::V4,
    compression: None,
};

/// One connection.
#[derive(Debug)]
pub struct Pipeline {
    socket: TcpStream,
    decoder: FrameDecoder,
    input: BytesMut,
    output: BytesMut,
}

impl Pipeline {
    /// Connects and introduces itself.
    ///
    /// # Errors
    /// Nobody listens, or it is no CQL server.
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let mut decoder = FrameDecoder::new(Peer::Server, Limits::default());
        decoder.start();
        let mut connection = Self {
            socket,
            decoder,
            input: BytesMut::with_capacity(READ_BYTES),
            output: BytesMut::with_capacity(READ_BYTES),
        };
        connection.call(|out| ENCODER.startup(out, 0, &[("CQL_VERSION", "3.0.0")]))?;
        Ok(connection)
    }

    /// Runs a statement and waits for its answer.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn query(&mut self, statement: &str) -> Outcome<Response> {
        let parameters = OutgoingParameters::new(Consistency::One);
        self.call(|out| ENCODER.query(out, 0, statement, &parameters))
    }

    /// Prepares a statement and gives its id.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn prepare(&mut self, statement: &str) -> Outcome<Vec<u8>> {
        match self.call(|out| ENCODER.prepare(out, 0, statement))? {
            Response::Result(ResultBody::Prepared(prepared)) => Ok(prepared.id),
            other => Err(format!("PREPARE gave {other:?}").into()),
        }
    }

    /// Asks what the server can do: the cheapest request there is.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn ping(&mut self) -> Outcome {
        self.call(|out| ENCODER.options(out, 0))?;
        Ok(())
    }

    /// Sends what `next` writes, with at most `window` requests in flight, until it says that nothing is left; returns when all are answered.
    ///
    /// # Errors
    /// The connection breaks, or the server answers with an error.
    pub fn run(
        &mut self,
        window: i16,
        mut next: impl FnMut(&mut BytesMut, i16) -> Next,
    ) -> Outcome {
        let mut free: Vec<i16> = (0..window).collect();
        let mut more = Next::Written;
        loop {
            while more == Next::Written
                && let Some(stream) = free.pop()
            {
                more = next(&mut self.output, stream);
                if more == Next::End {
                    free.push(stream);
                }
            }
            if more == Next::End && free.len() == usize::from(window.unsigned_abs()) {
                return Ok(());
            }
            self.send()?;
            free.push(self.receive()?.stream);
            while let Some(frame) = self.decoded()? {
                free.push(frame.stream);
            }
        }
    }

    fn call(&mut self, write: impl FnOnce(&mut BytesMut)) -> Outcome<Response> {
        write(&mut self.output);
        self.send()?;
        let frame = self.receive()?;
        Ok(Response::decode(&frame).map(|(_, response)| response)?)
    }

    fn send(&mut self) -> Outcome {
        self.socket.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    fn receive(&mut self) -> Outcome<Frame> {
        loop {
            if let Some(frame) = self.decoded()? {
                return Ok(frame);
            }
            let filled = self.input.len();
            self.input.resize(filled + READ_BYTES, 0);
            let room = self.input.get_mut(filled..).unwrap_or_default();
            let read = self.socket.read(room)?;
            self.input.truncate(filled + read);
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// The next frame of those that have arrived; a refusal is an error.
    fn decoded(&mut self) -> Outcome<Option<Frame>> {
        let Some(frame) = self.decoder.decode(&mut self.input)? else {
            return Ok(None);
        };
        if frame.opcode == Opcode::Error {
            let (_, response) = Response::decode(&frame)?;
            return Err(format!("the server refused: {response:?}").into());
        }
        Ok(Some(frame))
    }
}

/// Whether there was another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is written.
    Written,
    /// There is none.
    End,
}

/// Writes an EXECUTE.
pub fn execute(out: &mut BytesMut, stream: i16, id: &[u8], values: &[&[u8]]) {
    let mut bound = [ValueRef::Null; 8];
    for (place, value) in bound.iter_mut().zip(values) {
        *place = ValueRef::Bytes(value);
    }
    let mut parameters = OutgoingParameters::new(Consistency::One);
    parameters.values = OutgoingValues::Positional(bound.get(..values.len()).unwrap_or_default());
    parameters.skip_metadata = true;
    ENCODER.execute(out, stream, id, &parameters);
}
