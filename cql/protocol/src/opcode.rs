//! Kinds of messages.

use std::fmt;

/// Kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// Something went wrong.
    Error,
    /// First message of a connection.
    Startup,
    /// The connection may be used.
    Ready,
    /// Who are you?
    Authenticate,
    /// What do you support?
    Options,
    /// This is supported.
    Supported,
    /// A statement as text.
    Query,
    /// Outcome of a statement.
    Result,
    /// Keep this statement.
    Prepare,
    /// Run a kept statement.
    Execute,
    /// Tell me of events.
    Register,
    /// Something happened.
    Event,
    /// Several statements.
    Batch,
    /// Next question of the authenticator.
    AuthChallenge,
    /// Answer to the authenticator.
    AuthResponse,
    /// The authenticator is satisfied.
    AuthSuccess,
}

const CODES: [(Opcode, u8, &str); 16] = [
    (Opcode::Error, 0x00, "ERROR"),
    (Opcode::Startup, 0x01, "STARTUP"),
    (Opcode::Ready, 0x02, "READY"),
    (Opcode::Authenticate, 0x03, "AUTHENTICATE"),
    (Opcode::Options, 0x05, "OPTIONS"),
    (Opcode::Supported, 0x06, "SUPPORTED"),
    (Opcode::Query, 0x07, "QUERY"),
    (Opcode::Result, 0x08, "RESULT"),
    (Opcode::Prepare, 0x09, "PREPARE"),
    (Opcode::Execute, 0x0A, "EXECUTE"),
    (Opcode::Register, 0x0B, "REGISTER"),
    (Opcode::Event, 0x0C, "EVENT"),
    (Opcode::Batch, 0x0D, "BATCH"),
    (Opcode::AuthChallenge, 0x0E, "AUTH_CHALLENGE"),
    (Opcode::AuthResponse, 0x0F, "AUTH_RESPONSE"),
    (Opcode::AuthSuccess, 0x10, "AUTH_SUCCESS"),
];

impl Opcode {
    /// The byte in the header.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Error => 0x00,
            Self::Startup => 0x01,
            Self::Ready => 0x02,
            Self::Authenticate => 0x03,
            Self::Options => 0x05,
            Self::Supported => 0x06,
            Self::Query => 0x07,
            Self::Result => 0x08,
            Self::Prepare => 0x09,
            Self::Execute => 0x0A,
            Self::Register => 0x0B,
            Self::Event => 0x0C,
            Self::Batch => 0x0D,
            Self::AuthChallenge => 0x0E,
            Self::AuthResponse => 0x0F,
            Self::AuthSuccess => 0x10,
        }
    }

    /// The kind with that byte.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        // The usual ones first.
        match code {
            0x0A => Some(Self::Execute),
            0x07 => Some(Self::Query),
            0x08 => Some(Self::Result),
            _ => CODES
                .iter()
                .find(|(_, known, _)| *known == code)
                .map(|(opcode, _, _)| *opcode),
        }
    }

    /// Whether clients send it; servers send the others.
    #[must_use]
    pub fn is_request(self) -> bool {
        match self {
            Self::Startup
            | Self::Options
            | Self::Query
            | Self::Prepare
            | Self::Execute
            | Self::Register
            | Self::Batch
            | Self::AuthResponse => true,
            Self::Error
            | Self::Ready
            | Self::Authenticate
            | Self::Supported
            | Self::Result
            | Self::Event
            | Self::AuthChallenge
            | Self::AuthSuccess => false,
        }
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CODES
            .iter()
            .find(|(opcode, _, _)| opcode == self)
            .map_or("?", |(_, _, name)| name);
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{CODES, Opcode};

    #[test]
    fn codes_and_table_agree() {
        for (opcode, code, _) in CODES {
            assert_eq!(opcode.code(), code);
            assert_eq!(Opcode::from_code(code), Some(opcode));
        }
        assert_eq!((0..=255).filter_map(Opcode::from_code).count(), CODES.len());
    }
}
