//! The connection to a gateway.
//!
//! Whoever has frames sends them one after another. The other side answers each, in order, with [`ACK`] when it has the
//! frame for good. On a new connection everything that was not answered comes again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The answer to one frame.
pub(crate) const ACK: u8 = 0x06;

/// The first pause between two attempts, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Link {
    label: String,
    address: String,
    stream: Option<TcpStream>,
    attempts: u32,
}

impl Link {
    pub(crate) fn new(label: &str, address: String) -> Self {
        Self { label: label.to_owned(), address, stream: None, attempts: 0 }
    }

    /// The connection, where there is one.
    pub(crate) fn connected(&mut self) -> Option<&mut TcpStream> {
        self.stream.as_mut()
    }

    /// Waits until there is a connection. `true` where it is a new one.
    ///
    /// # Cancel safety
    /// Cancel safe: a connection is kept in the poll that returns.
    pub(crate) async fn connect(&mut self) -> bool {
        if self.stream.is_some() {
            return false;
        }
        loop {
            if self.attempts > 0 {
                tokio::time::sleep(pause(self.attempts)).await;
            }
            self.attempts = self.attempts.saturating_add(1);
            match TcpStream::connect(&self.address).await {
                Ok(stream) => {
                    tracing::info!(at = self.label, address = self.address, "connected");
                    self.stream = Some(stream);
                    return true;
                }
                Err(error) => {
                    tracing::warn!(at = self.label, address = self.address, %error, "cannot connect");
                }
            }
        }
    }

    /// Something came over the connection: the next loss begins with a short pause again.
    pub(crate) fn heard(&mut self) {
        self.attempts = 0;
    }

    /// The connection is of no use any more.
    pub(crate) fn lose(&mut self, why: &str) {
        if self.stream.take().is_some() {
            tracing::warn!(at = self.label, address = self.address, why, "connection lost");
        }
    }

    /// Says good-bye, and waits until the other side has heard what was said before.
    pub(crate) async fn close(self) -> std::io::Result<()> {
        let Some(mut stream) = self.stream else { return Ok(()) };
        stream.shutdown().await?;
        // A socket that is dropped with bytes unread takes back what it sent last.
        let rest = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {} };
        let _ = tokio::time::timeout(GOOD_BYE, rest).await;
        Ok(())
    }
}

/// Doubles with every attempt, between half and all of it by chance.
fn pause(attempts: u32) -> Duration {
    let longest = PAUSES.0.saturating_mul(1 << attempts.min(10)).min(PAUSES.1);
    let chance = RandomState::new().hash_one(attempts) as f64 / u64::MAX as f64;
    longest.mul_f64(0.5 + chance / 2.0)
}
