//! A broker that does what a script says, byte by byte.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a script says has gone wrong where a connection ends before its time: nothing, mostly.
pub(crate) type Outcome = io::Result<()>;

/// It ends with its last handle.
pub(crate) struct Scripted {
    port: u16,
    connections: Arc<Mutex<usize>>,
    failures: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Plays `script` on every connection, with its number from 0. The connection is closed when it ends.
    pub(crate) async fn start<F>(script: impl Fn(usize, Peer) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let connections = Arc::new(Mutex::new(0));
        let failures = Arc::new(Mutex::new(Vec::new()));
        let (count, wrong) = (Arc::clone(&connections), Arc::clone(&failures));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                    *count += 1;
                    *count - 1
                };
                stream.set_nodelay(true).expect("a socket");
                let playing = tokio::spawn(script(number, Peer { stream, unread: Vec::new() }));
                let wrong = Arc::clone(&wrong);
                tokio::spawn(async move {
                    if let Err(panic) = playing.await {
                        let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        wrong.push(format!("connection {number}: {panic}"));
                    }
                });
            }
        });
        Self { port, connections, failures, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// How many connections were taken so far.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails the test where a script has.
    pub(crate) fn check(&self) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(failures.is_empty(), "{failures:#?}");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The client's side of a connection.
pub(crate) struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Peer {
    /// The next packet of the client.
    pub(crate) async fn packet(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(length) = length(&self.unread) {
                return Ok(self.unread.drain(..length).collect());
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The next packet, which is of this kind: the high half of its first byte. PINGREQ is answered in between.
    pub(crate) async fn expect(&mut self, kind: u8) -> io::Result<Vec<u8>> {
        loop {
            let packet = self.packet().await?;
            if packet[0] == 0xc0 && kind != 12 {
                self.send(&[0xd0, 0]).await?;
                continue;
            }
            assert_eq!(packet[0] >> 4, kind, "{packet:?}");
            return Ok(packet);
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Outcome {
        self.stream.write_all(bytes).await
    }

    /// Takes CONNECT and answers it.
    pub(crate) async fn accept(&mut self, connack: &[u8]) -> Outcome {
        self.expect(1).await?;
        self.send(connack).await
    }

    /// Takes SUBSCRIBE with one filter and grants it; `properties` with MQTT 5.
    pub(crate) async fn grant(&mut self, qos: u8, properties: &[u8]) -> Outcome {
        let subscribe = self.expect(8).await?;
        let length = 3 + properties.len() as u8;
        let suback = [&[0x90, length, subscribe[2], subscribe[3]], properties, &[qos]].concat();
        self.send(&suback).await
    }

    /// Answers PINGREQ and reads past everything else until the client goes.
    pub(crate) async fn listen(&mut self) -> Outcome {
        loop {
            if self.packet().await?[0] == 0xc0 {
                self.send(&[0xd0, 0]).await?;
            }
        }
    }
}

/// The length of the packet at the beginning, where it is all there.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut value = 0;
    for (index, byte) in bytes.get(1..)?.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let length = 2 + index + value;
            return (bytes.len() >= length).then_some(length);
        }
    }
    None
}

/// A PUBLISH with QoS and flags in its first byte, and with properties (their length before them) with MQTT 5.
pub(crate) fn message(first: u8, id: u16, properties: &[u8], text: &str) -> Vec<u8> {
    let body = [&[0, 1, b't'], &id.to_be_bytes()[..], properties, text.as_bytes()].concat();
    let mut packet = vec![first];
    let mut length = body.len();
    while length >= 0x80 {
        packet.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend_from_slice(&body);
    packet
}
