use crate::error::{Error, Result};
use crate::pg_wire::{Client, Connection, Counts, Server};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP proxy in front of PostgreSQL that counts round trips, and can cut or refuse connections.
///
/// ```no_run
/// # async fn example(database: harness::Database) -> harness::Result<()> {
/// let proxy = harness::CountingProxy::start(database.port()).await?;
/// let url = database.url_through(proxy.port(), harness::APPLICATION.0, harness::APPLICATION.1);
/// // … let a function work with this DATABASE_URL …
/// assert!(proxy.count() <= 4);
/// # Ok(()) }
/// ```
pub struct CountingProxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    server: u16,
    counts: Counts,
    cut: watch::Sender<()>,
    silent: watch::Sender<bool>,
}

impl CountingProxy {
    /// A proxy for the server on this loopback port.
    ///
    /// # Errors
    /// [`Error::Io`] when no port can be listened to.
    pub async fn start(server: u16) -> Result<Self> {
        let listener = listen(0).await?;
        let port = listener.local_addr().map_err(Error::io("listen for PostgreSQL's clients"))?.port();
        let shared = Arc::new(Shared {
            server,
            counts: Counts::default(),
            cut: watch::Sender::new(()),
            silent: watch::Sender::new(false),
        });
        let accepting = Mutex::new(Some(tokio::spawn(accept(listener, Arc::clone(&shared)))));
        Ok(Self { port, shared, accepting })
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Round trips: how often the server reported that it is ready for the next query, start-up not counted.
    pub fn count(&self) -> u64 {
        self.shared.counts.round_trips.load(Relaxed)
    }

    /// Statements that were executed, several in one round trip counted one by one.
    pub fn statements(&self) -> u64 {
        self.shared.counts.statements.load(Relaxed)
    }

    /// Connections that were opened.
    pub fn connections(&self) -> u64 {
        self.shared.counts.connections.load(Relaxed)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        let Counts { round_trips, statements, connections } = &self.shared.counts;
        for count in [round_trips, statements, connections] {
            count.store(0, Relaxed);
        }
    }

    /// Cuts all connections that are open now, as a failover does; new ones are let through.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }

    /// From now on nobody listens ("connection refused"); connections that are open stay so.
    pub async fn refuse(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// From now on nothing goes through, as after a failover that nobody was told of: connections stay open and can be opened, and no
    /// word is answered; `false` lets everything through again.
    pub fn silence(&self, silent: bool) {
        self.shared.silent.send_replace(silent);
    }

    /// Listens again after [`Self::refuse`].
    ///
    /// # Errors
    /// [`Error::Io`] when somebody else has taken the port.
    pub async fn accept(&self) -> Result<()> {
        self.refuse().await;
        let accepting = tokio::spawn(accept(listen(self.port).await?, Arc::clone(&self.shared)));
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
        Ok(())
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            accepting.abort();
        }
        self.cut();
    }
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(Error::io("listen for PostgreSQL's clients"))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        shared.counts.connections.fetch_add(1, Relaxed);
        let mut cut = shared.cut.subscribe();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            tokio::select! {
                _ = cut.changed() => {}
                _ = serve(client, &shared) => {}
            }
        });
    }
}

async fn serve(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", shared.server)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let connection = Connection::default();
    let (mut asking, mut answering) = (Client::new(&connection), Server::new(&connection));
    let (mut loud, mut loud_too) = (shared.silent.subscribe(), shared.silent.subscribe());
    let ask = copy(&mut from_client, &mut to_server, &mut loud, |bytes| asking.read(bytes, &shared.counts));
    let answer = copy(&mut from_server, &mut to_client, &mut loud_too, |bytes| answering.read(bytes, &shared.counts));
    // Whoever ends first, the conversation is over: PostgreSQL does not know half-closed connections.
    tokio::select! {
        ended = ask => ended,
        ended = answer => ended,
    }
}

async fn copy(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    silent: &mut watch::Receiver<bool>,
    mut look: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        if silent.wait_for(|silent| !silent).await.is_err() {
            return Ok(());
        }
        look(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
    }
}
