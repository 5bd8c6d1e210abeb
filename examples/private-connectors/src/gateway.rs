//! A gateway in memory: the other side of the source and the sink, for the tests of this crate and of its users.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::frame;
use crate::link::ACK;

/// Sends the frames it is given, and keeps the frames that it gets. Connections end when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Aborted when it is dropped.
    _listener: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    frames: Mutex<Frames>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Frames {
    out: Vec<Vec<u8>>,
    /// So many of `out` were answered.
    answered: usize,
    received: Vec<Vec<u8>>,
    stalled: bool,
    cuts: usize,
}

impl Gateway {
    /// A gateway on a free port of this machine. Needs a tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { frames: Mutex::default(), changed: watch::channel(()).0 });
        let mut tasks = JoinSet::new();
        let connections = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(serve(stream, Arc::clone(&connections)));
            }
        });
        Ok(Self { address, shared, _listener: tasks })
    }

    /// Its address, as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Sends these frames after those that it was given before.
    pub fn send(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        self.shared.change(|state| state.out.extend(frames));
    }

    /// How many frames were answered.
    pub fn answered(&self) -> usize {
        self.shared.frames().answered
    }

    /// The frames that it got, in order.
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.shared.frames().received.clone()
    }

    /// Reads nothing while it is stalled.
    pub fn stall(&self, stalled: bool) {
        self.shared.change(|state| state.stalled = stalled);
    }

    /// Breaks every connection; new ones are taken.
    pub fn cut(&self) {
        self.shared.change(|state| state.cuts += 1);
    }
}

impl Shared {
    fn frames(&self) -> MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Frames)) {
        change(&mut self.frames());
        self.changed.send_replace(());
    }

    async fn until<T>(&self, mut condition: impl FnMut(&mut Frames) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(result) = condition(&mut self.frames()) {
                return result;
            }
            // The sender lives in `self`.
            let _ = changes.changed().await;
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let (cuts, first) = {
        let frames = shared.frames();
        (frames.cuts, frames.answered)
    };
    let (mut reader, mut writer) = stream.split();
    let (mut received, mut sent) = (BytesMut::new(), first);
    // Frames that this connection has sent and has no answer for.
    let mut open = 0;
    loop {
        let out = tokio::select! {
            () = shared.until(|state| (state.cuts != cuts).then_some(())) => return,
            frame = shared.until(|state| state.out.get(sent).cloned()) => {
                sent += 1;
                open += 1;
                frame
            }
            more = async {
                shared.until(|state| (!state.stalled).then_some(())).await;
                reader.read_buf(&mut received).await
            } => {
                if !more.is_ok_and(|length| length > 0) {
                    return;
                }
                let answers = received.iter().take_while(|byte| **byte == ACK).count();
                if answers > open {
                    return;
                }
                open -= answers;
                received.advance(answers);
                shared.change(|state| state.answered += answers);
                let mut out = Vec::new();
                while let Ok(Some(length)) = frame::length(&received)
                    && length <= received.len()
                {
                    let frame = received.split_to(length).to_vec();
                    shared.change(|state| state.received.push(frame));
                    out.push(ACK);
                }
                out
            }
        };
        // In pieces, as they may come over a network.
        for piece in out.chunks(5) {
            if writer.write_all(piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
