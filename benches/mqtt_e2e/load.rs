//! Load through a real broker: a publisher that keeps a few messages ahead, and a listener that counts what comes out.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::input::{self, POOL, Work};
use crate::wire::{self, Input, kind, put_puback, put_publish};
use crate::{Failure, PATIENCE};

/// How many messages may be on their way at once.
const AHEAD: u64 = 4_000;

/// How many are published in one write at most.
const CHUNK: u64 = 100;

/// Counts what arrives on a topic, and takes the time of what is stamped.
struct Listener {
    stream: TcpStream,
    arrived: Arc<AtomicU64>,
    delays: Arc<Mutex<Vec<Duration>>>,
    thread: JoinHandle<()>,
}

impl Listener {
    fn start(port: u16, filter: &str, qos: u8, epoch: Instant, stamped: bool) -> Result<Self, Failure> {
        let stream = wire::connect(port, "listener", Some((filter, qos)))?;
        let (arrived, delays) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<Duration>>>::default());
        let (mut reader, count, times) = (stream.try_clone()?, Arc::clone(&arrived), Arc::clone(&delays));
        let thread = thread::spawn(move || {
            let (mut input, mut out) = (Input::default(), Vec::new());
            loop {
                let mut fresh = 0;
                let read = input.read(&mut reader, |packet| {
                    if packet.kind() != kind::PUBLISH {
                        return;
                    }
                    let (id, payload) = packet.publish();
                    fresh += 1;
                    if let Some(id) = id {
                        put_puback(id, &mut out);
                    }
                    if let Some(sent) = input::stamp(payload).filter(|_| stamped) {
                        let delay = epoch.elapsed().saturating_sub(Duration::from_nanos(sent));
                        times.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
                    }
                });
                count.fetch_add(fresh, Ordering::SeqCst);
                let written = reader.write_all(&out);
                out.clear();
                // It ends when the other side of this thread closes the connection.
                if !matches!(read, Ok(true)) || written.is_err() {
                    return;
                }
            }
        });
        Ok(Self { stream, arrived, delays, thread })
    }

    fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::SeqCst)
    }

    /// Waits until `done`, as long as something arrives.
    fn until(&self, done: impl Fn(u64) -> bool) -> Result<(), Failure> {
        let mut last = (self.arrived(), Instant::now());
        while !done(last.0) {
            if last.1.elapsed() > PATIENCE {
                return Err(format!("{} have arrived, and no more for {PATIENCE:?}", last.0).into());
            }
            thread::sleep(Duration::from_micros(200));
            let now = self.arrived();
            if now != last.0 {
                last = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// The delays, sorted.
    fn end(self) -> Vec<Duration> {
        // The broker may have closed it already.
        let _ = self.stream.shutdown(Shutdown::Both);
        let _ = self.thread.join();
        let mut delays = std::mem::take(&mut *self.delays.lock().unwrap_or_else(PoisonError::into_inner));
        delays.sort_unstable();
        delays
    }
}

/// A connection that publishes; confirmations are read and dropped.
struct Publisher {
    stream: TcpStream,
    qos: u8,
    sent: u64,
    out: Vec<u8>,
}

impl Publisher {
    fn start(port: u16, qos: u8) -> Result<Self, Failure> {
        let stream = wire::connect(port, "publisher", None)?;
        let mut reader = stream.try_clone()?;
        thread::spawn(move || {
            let mut input = Input::default();
            while matches!(input.read(&mut reader, |_| ()), Ok(true)) {}
        });
        Ok(Self { stream, qos, sent: 0, out: Vec::new() })
    }

    fn add(&mut self, payload: &str) {
        let id = (self.qos > 0).then_some((self.sent % 65_535) as u16 + 1);
        put_publish("in/line-04", id, payload.as_bytes(), &mut self.out);
        self.sent += 1;
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // The broker may have closed it already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Sends `messages` through the client between `in/#` and `out/#`, and returns how long it took.
/// `ready` is called when everything but the client stands, and returns when that does too.
pub(crate) fn throughput(
    port: u16,
    work: Work,
    qos: u8,
    messages: u64,
    began: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let listener = Listener::start(port, "out/#", qos, Instant::now(), false)?;
    let mut publisher = Publisher::start(port, qos)?;
    warm_up(&mut publisher, &listener)?;
    began()?;
    let before = listener.arrived();
    let pool: Vec<String> = (0..POOL).map(input::payload).collect();
    let start = Instant::now();
    let (mut sent, mut expected) = (0, before);
    let mut share = Vec::with_capacity(messages as usize);
    while sent < messages {
        for _ in 0..CHUNK.min(messages - sent) {
            let index = sent as usize % POOL;
            publisher.add(&pool[index]);
            expected += u64::from(work.passes(index));
            share.push(expected);
            sent += 1;
        }
        publisher.flush()?;
        if sent > AHEAD {
            let due = share[(sent - AHEAD) as usize];
            listener.until(|arrived| arrived >= due)?;
        }
    }
    listener.until(|arrived| arrived >= expected)?;
    let took = start.elapsed();
    listener.end();
    Ok(took)
}

/// Waits until the client between them is connected: until the first of some messages comes through.
fn warm_up(publisher: &mut Publisher, listener: &Listener) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    let mut sent = 0;
    while listener.arrived() == 0 {
        if Instant::now() > deadline {
            return Err("nothing comes through the client".into());
        }
        publisher.add(&input::stamped(0, 0));
        publisher.flush()?;
        sent += 1;
        thread::sleep(Duration::from_millis(20));
    }
    // Those before the first that came through may be lost: the client had not subscribed. No more are on their way
    // once nothing has arrived for a moment.
    let mut last = (listener.arrived(), Instant::now());
    while last.0 < sent && last.1.elapsed() < Duration::from_millis(200) {
        thread::sleep(Duration::from_millis(5));
        if listener.arrived() != last.0 {
            last = (listener.arrived(), Instant::now());
        }
    }
    Ok(())
}

/// Sends a message a millisecond and returns the delays, sorted. `filter` is where they come out.
pub(crate) fn latency(port: u16, filter: &str, qos: u8, messages: u64) -> Result<Vec<Duration>, Failure> {
    let epoch = Instant::now();
    let listener = Listener::start(port, filter, qos, epoch, true)?;
    let mut publisher = Publisher::start(port, qos)?;
    warm_up(&mut publisher, &listener)?;
    let before = listener.arrived();
    listener.delays.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let start = Instant::now();
    for index in 0..messages {
        let due = start + Duration::from_millis(index);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        publisher.add(&input::stamped(index as usize, epoch.elapsed().as_nanos() as u64));
        publisher.flush()?;
    }
    listener.until(|arrived| arrived >= before + messages)?;
    Ok(listener.end())
}
