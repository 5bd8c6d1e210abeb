//! A broker that sends and takes packets in large chunks, so that what is measured is the client.

use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::input::{self, POOL};
use crate::wire::{CONNACK, Input, PINGRESP, kind, put_puback, put_publish};
use crate::{Failure, PATIENCE};

/// How many messages of QoS 1 may be unacknowledged.
const WINDOW: u64 = 8_192;

/// About how many bytes are sent at once.
const CHUNK: usize = 64 << 10;

/// A broker for one client, which may have several connections. Every subscription gets all messages.
pub(crate) struct Mock {
    port: u16,
    state: Arc<State>,
}

struct State {
    qos: u8,
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    connections: usize,
    subscribed: bool,
    /// How many messages may be sent in all.
    allowed: u64,
    acknowledged: u64,
    received: u64,
    /// Publishes are left unread.
    stalled: bool,
    over: bool,
    streams: Vec<TcpStream>,
}

impl State {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, action: impl FnOnce(&mut Now)) {
        action(&mut self.now());
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&Now) -> bool) -> MutexGuard<'_, Now> {
        let waited = self.changed.wait_while(self.now(), |now| !until(now));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mock {
    /// A broker that sends its messages with this QoS.
    pub(crate) fn start(qos: u8) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State { qos, now: Mutex::default(), changed: Condvar::new() });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.now().over {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else { continue };
                // A client that is killed breaks its connections: that is how each of them ends.
                thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        Ok(Self { port, state })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the client has subscribed and has this many connections.
    pub(crate) fn ready(&self, connections: usize) -> Result<(), Failure> {
        self.until("the client to connect", |now| now.subscribed && now.connections >= connections)
    }

    /// Lets so many more messages go out.
    pub(crate) fn send(&self, messages: u64) {
        self.state.change(|now| now.allowed += messages);
    }

    /// How many messages have come back.
    pub(crate) fn received(&self) -> u64 {
        self.state.now().received
    }

    /// Waits until this many have come back in all.
    pub(crate) fn wait_for(&self, received: u64) -> Result<(), Failure> {
        self.until("the messages to come back", |now| now.received >= received)
    }

    /// Stops reading what the client publishes, or goes on with it.
    pub(crate) fn stall(&self, stalled: bool) {
        self.state.change(|now| now.stalled = stalled);
    }

    /// Waits as long as something moves.
    fn until(&self, what: &str, done: impl Fn(&Now) -> bool) -> Result<(), Failure> {
        let mut now = self.state.now();
        let mut last = (now.received, Instant::now());
        while !done(&now) {
            if now.received != last.0 {
                last = (now.received, Instant::now());
            } else if last.1.elapsed() > PATIENCE {
                let (received, connections) = (now.received, now.connections);
                return Err(format!(
                    "waited {PATIENCE:?} for {what}: {received} came back over {connections} connections"
                )
                .into());
            }
            let waited = self.state.changed.wait_timeout(now, Duration::from_millis(20));
            now = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.state.change(|now| {
            now.over = true;
            for stream in now.streams.drain(..) {
                // It may be closed already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: TcpStream, state: &Arc<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keep = stream.try_clone()?;
    state.change(|now| now.streams.push(keep));
    let mut input = Input::default();
    let mut out = Vec::new();
    loop {
        let (mut published, mut acknowledged, mut subscribed, mut connected) = (0, 0, false, 0);
        let open = input.read(&mut stream, |packet| match packet.kind() {
            kind::PUBLISH => {
                published += 1;
                if let (Some(id), _) = packet.publish() {
                    put_puback(id, &mut out);
                }
            }
            kind::PUBACK => acknowledged += 1,
            kind::CONNECT => {
                connected += 1;
                out.extend_from_slice(&CONNACK);
            }
            kind::SUBSCRIBE => {
                subscribed = true;
                out.extend_from_slice(&[0x90, 3, packet.body[0], packet.body[1], state.qos]);
            }
            kind::PINGREQ => out.extend_from_slice(&PINGRESP),
            _ => {}
        })?;
        stream.write_all(&out)?;
        out.clear();
        if subscribed {
            let (stream, state) = (stream.try_clone()?, Arc::clone(state));
            thread::spawn(move || drop(send(stream, &state)));
        }
        state.change(|now| {
            now.connections += connected;
            now.subscribed |= subscribed;
            now.acknowledged += acknowledged;
            now.received += published;
        });
        if !open {
            return Ok(());
        }
        if published > 0 {
            drop(state.wait(|now| !now.stalled || now.over));
        }
    }
}

/// Sends what it may, as fast as the client takes it.
fn send(mut stream: TcpStream, state: &State) -> io::Result<()> {
    let id = (state.qos > 0).then_some(1);
    let mut pool: Vec<(Vec<u8>, usize)> = Vec::with_capacity(POOL);
    for index in 0..POOL {
        let (mut packet, payload) = (Vec::new(), input::payload(index));
        put_publish("in/line-04", id, payload.as_bytes(), &mut packet);
        let id_at = packet.len() - payload.len() - 2;
        pool.push((packet, id_at));
    }
    let mut sent = 0;
    let mut chunk = Vec::with_capacity(2 * CHUNK);
    loop {
        let limit = {
            let limit = |now: &Now| {
                if state.qos == 0 { now.allowed } else { now.allowed.min(now.acknowledged + WINDOW) }
            };
            let now = state.wait(|now| now.over || limit(now) > sent);
            if now.over {
                return Ok(());
            }
            limit(&now)
        };
        while sent < limit {
            chunk.clear();
            while sent < limit && chunk.len() < CHUNK {
                let (packet, id_at) = &pool[sent as usize % POOL];
                let start = chunk.len();
                chunk.extend_from_slice(packet);
                if state.qos > 0 {
                    let id = (sent % 65_535) as u16 + 1;
                    chunk[start + id_at..][..2].copy_from_slice(&id.to_be_bytes());
                }
                sent += 1;
            }
            stream.write_all(&chunk)?;
        }
    }
}
