//! PostgreSQL's message framing, as far as it takes to count: <https://www.postgresql.org/docs/17/protocol-message-formats.html>

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

/// What both directions of one connection know.
#[derive(Default)]
pub(crate) struct Connection {
    /// Answers of one bare byte that the server still owes (to a request for encryption).
    bare: AtomicU32,
}

/// What went through since the start or the last reset.
#[derive(Default)]
pub(crate) struct Counts {
    pub round_trips: AtomicU64,
    pub statements: AtomicU64,
    pub connections: AtomicU64,
}

/// Collects the first bytes of a message, then passes over the rest of it.
#[derive(Default)]
struct Framing {
    head: Vec<u8>,
    rest: usize,
}

impl Framing {
    /// Takes from `bytes` until a head of `size` bytes is complete.
    fn head(&mut self, bytes: &mut &[u8], size: usize) -> Option<Vec<u8>> {
        let skipped = self.rest.min(bytes.len());
        self.rest -= skipped;
        *bytes = &bytes[skipped..];
        let taken = (size - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..taken]);
        *bytes = &bytes[taken..];
        (self.head.len() == size).then(|| std::mem::take(&mut self.head))
    }

    /// The next `length` bytes belong to the message.
    fn pass(&mut self, length: usize) {
        self.rest = length;
    }
}

/// The messages of the client.
pub(crate) struct Client<'a> {
    connection: &'a Connection,
    framing: Framing,
    started: bool,
}

impl<'a> Client<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, framing: Framing::default(), started: false }
    }

    pub fn read(&mut self, mut bytes: &[u8], counts: &Counts) {
        loop {
            if !self.started {
                // Length and code; the only messages without a type.
                let Some(head) = self.framing.head(&mut bytes, 8) else { return };
                match number(&head[4..]) {
                    SSL_REQUEST | GSSENC_REQUEST => {
                        self.connection.bare.fetch_add(1, Relaxed);
                    }
                    _ => self.started = true,
                }
                self.framing.pass((number(&head) as usize).saturating_sub(8));
                continue;
            }
            let Some(head) = self.framing.head(&mut bytes, 5) else { return };
            // Query, Execute, FunctionCall.
            if matches!(head[0], b'Q' | b'E' | b'F') {
                counts.statements.fetch_add(1, Relaxed);
            }
            self.framing.pass((number(&head[1..]) as usize).saturating_sub(4));
        }
    }
}

/// The messages of the server.
pub(crate) struct Server<'a> {
    connection: &'a Connection,
    framing: Framing,
    started: bool,
}

impl<'a> Server<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, framing: Framing::default(), started: false }
    }

    pub fn read(&mut self, mut bytes: &[u8], counts: &Counts) {
        while !self.started && self.connection.bare.load(Relaxed) > 0 {
            if self.framing.head(&mut bytes, 1).is_none() {
                return;
            }
            self.connection.bare.fetch_sub(1, Relaxed);
        }
        while let Some(head) = self.framing.head(&mut bytes, 5) {
            // ReadyForQuery; the first one ends the start-up.
            if head[0] == b'Z' && std::mem::replace(&mut self.started, true) {
                counts.round_trips.fetch_add(1, Relaxed);
            }
            self.framing.pass((number(&head[1..]) as usize).saturating_sub(4));
        }
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap_or_default().to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    fn conversation() -> (Vec<u8>, Vec<u8>) {
        let code = |code: u32, rest: &[u8]| {
            let length = u32::try_from(rest.len() + 8).unwrap_or_default();
            [&length.to_be_bytes()[..], &code.to_be_bytes(), rest].concat()
        };
        let client = [
            code(SSL_REQUEST, b""),
            code(196_608, b"user\0application\0\0"),
            message(b'Q', b"SELECT 'Z'\0"),
            message(b'B', b"ZZZZZZ"),
            message(b'E', b"EEEE"),
            message(b'E', b""),
            message(b'S', b""),
        ];
        let server = [
            b"N".to_vec(),
            message(b'R', &[0; 4]),
            message(b'Z', b"I"),
            message(b'D', b"ZZZZZZZZZ"),
            message(b'Z', b"I"),
            message(b'C', b"Z"),
            message(b'Z', b"I"),
        ];
        (client.concat(), server.concat())
    }

    #[test]
    fn messages_are_counted_however_the_stream_is_cut() {
        let (client, server) = conversation();
        for size in 1..client.len() {
            let (connection, counts) = (Connection::default(), Counts::default());
            let (mut asking, mut answering) = (Client::new(&connection), Server::new(&connection));
            client.chunks(size).for_each(|bytes| asking.read(bytes, &counts));
            server.chunks(size).for_each(|bytes| answering.read(bytes, &counts));
            let seen = (counts.statements.load(Relaxed), counts.round_trips.load(Relaxed));
            assert_eq!(seen, (3, 2), "in pieces of {size} bytes");
        }
    }
}
