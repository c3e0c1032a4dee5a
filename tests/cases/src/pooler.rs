//! A pooler in transaction mode, as PgBouncer's `pool_mode = transaction` is without its support of prepared statements: all clients share
//! one server connection, and have it from a transaction's first message to its end.
//!
//! There is no packaged one for a test to fetch. The first client's own start makes the server connection, so that its password is really
//! checked; the others are let in with what the server told the first.
//! <https://www.postgresql.org/docs/17/protocol-message-formats.html>

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// The longest message that is taken.
const MESSAGE_LIMIT: usize = 256 << 20;

/// A running pooler.
pub(crate) struct Pooler {
    port: u16,
    accepting: JoinHandle<()>,
}

/// The server's side of it.
struct Server {
    connection: Side,
    /// What it told at its start: parameters, the key to cancel, and that it is ready.
    greeting: Vec<u8>,
}

/// One side of a conversation: messages as they come in.
struct Side {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Pooler {
    /// A pooler before the server on this loopback port.
    pub async fn start(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Mutex::new(None));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A client that breaks off is its own affair.
                    let _ = serve(Side::new(client), server, &shared).await;
                });
            }
        });
        Ok(Self { port, accepting })
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Side {
    fn new(stream: TcpStream) -> Self {
        // Without it small packets wait for each other; that changes nothing but the time.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::new() }
    }

    /// The next message, of which the length stands after `skipped` bytes. Nothing is lost where the wait for it is broken off.
    async fn message(&mut self, skipped: usize) -> io::Result<Vec<u8>> {
        loop {
            if let Some(length) = self.buffer.get(skipped..skipped + 4) {
                let length = length.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
                if length > MESSAGE_LIMIT {
                    return Err(io::Error::other("a message that is too long"));
                }
                if self.buffer.len() >= skipped + length {
                    return Ok(self.buffer.drain(..skipped + length).collect());
                }
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

async fn serve(mut client: Side, port: u16, shared: &Mutex<Option<Server>>) -> io::Result<()> {
    // The first message has no type.
    let startup = client.message(0).await?;
    {
        let mut server = shared.lock().await;
        match &*server {
            Some(server) => {
                // AuthenticationOk, and what the server told.
                client.stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0]).await?;
                client.stream.write_all(&server.greeting).await?;
            }
            None => *server = Some(connect(&mut client, port, &startup).await?),
        }
    }
    loop {
        let first = client.message(1).await?;
        if first[0] == b'X' {
            return Ok(());
        }
        let mut server = shared.lock().await;
        let Some(held) = server.as_mut() else { return Ok(()) };
        if let Err(error) = transaction(&mut client, &mut held.connection, first).await {
            // Whatever it had begun is rolled back with the connection, as PgBouncer does.
            *server = None;
            return Err(error);
        }
    }
}

/// Starts the server connection with a client's own words.
async fn connect(client: &mut Side, port: u16, startup: &[u8]) -> io::Result<Server> {
    let mut connection = Side::new(TcpStream::connect(("127.0.0.1", port)).await?);
    connection.stream.write_all(startup).await?;
    let mut greeting = Vec::new();
    loop {
        let told = connection.message(1).await?;
        client.stream.write_all(&told).await?;
        match (told[0], told.get(5..9)) {
            (b'Z', _) => {
                greeting.extend(told);
                return Ok(Server { connection, greeting });
            }
            // Everything of the authentication but its end and SASL's last word waits for the client.
            (b'R', Some(code)) if !matches!(code, [0, 0, 0, 0 | 12]) => {
                let answer = client.message(1).await?;
                connection.stream.write_all(&answer).await?;
            }
            (b'R', _) => {}
            (b'E', _) => return Err(io::Error::other("the server refused the connection")),
            _ => greeting.extend(told),
        }
    }
}

/// Lets a client have the server until its transaction is over.
async fn transaction(client: &mut Side, server: &mut Side, first: Vec<u8>) -> io::Result<()> {
    let mut owed = ready_for(&first);
    let mut open = owed == 0;
    server.stream.write_all(&first).await?;
    loop {
        tokio::select! {
            asked = client.message(1) => {
                let asked = asked?;
                if asked[0] == b'X' {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                let ready = ready_for(&asked);
                owed += ready;
                open = ready == 0;
                server.stream.write_all(&asked).await?;
            }
            told = server.message(1) => {
                let told = told?;
                client.stream.write_all(&told).await?;
                if told[0] == b'Z' {
                    owed = owed.saturating_sub(1);
                    if owed == 0 && !open && told.get(5) == Some(&b'I') {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// How often the server will say that it is ready because of this message: after Query, Sync and FunctionCall.
fn ready_for(message: &[u8]) -> u32 {
    u32::from(matches!(message[0], b'Q' | b'S' | b'F'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::world;
    use harness::APPLICATION;
    use sqlx::{Connection, Executor, PgConnection, Row};

    #[tokio::test]
    async fn all_clients_share_one_connection_and_what_is_prepared_on_it() -> Result<(), Failure> {
        let database = world::database("pooler").await?;
        let pooler = Pooler::start(database.port()).await?;
        let url = database.url_through(pooler.port(), APPLICATION.0, APPLICATION.1);
        let mut one = PgConnection::connect(&url).await?;
        let mut other = PgConnection::connect(&url).await?;
        one.execute(sqlx::raw_sql("SET application_name = 'of one'")).await?;
        let seen = other.fetch_one(sqlx::raw_sql("SHOW application_name")).await?;
        assert_eq!(seen.try_get_raw(0)?.as_str().ok(), Some("of one"));
        assert_eq!(sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(&mut one).await?, 1);
        let collision = sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(&mut other).await;
        assert!(collision.is_err_and(|error| error.to_string().contains("already exists")));
        Ok(())
    }

    #[tokio::test]
    async fn what_a_client_leaves_open_is_rolled_back() -> Result<(), Failure> {
        let database = world::database("pooler").await?;
        let pooler = Pooler::start(database.port()).await?;
        let url = database.url_through(pooler.port(), APPLICATION.0, APPLICATION.1);
        let mut one = PgConnection::connect(&url).await?;
        one.execute(sqlx::raw_sql("CREATE TABLE t (n int)")).await?;
        one.execute(sqlx::raw_sql("BEGIN; INSERT INTO t VALUES (1)")).await?;
        drop(one);
        let mut next = PgConnection::connect(&url).await?;
        let left = next.fetch_all(sqlx::raw_sql("SELECT n FROM t")).await?;
        assert!(left.is_empty());
        Ok(())
    }
}
