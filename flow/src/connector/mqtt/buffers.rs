//! What stands between a session and its socket.

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// How much one read takes at most, in bytes. What is not touched of it costs no memory.
const READ: usize = 256 << 10;

/// Bytes that were read and not taken yet, in a buffer that is used again.
#[derive(Default)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
}

impl Input {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The first `count` bytes are not needed any more.
    pub(super) fn taken(&mut self, count: usize) {
        self.start += count;
        if self.start == self.buffer.len() {
            self.start = 0;
            self.buffer.clear();
            // A packet of many MiB does not hold on to its memory for ever.
            self.buffer.shrink_to(4 * READ);
        }
    }

    /// Where the next read goes to the end of: there is room behind what is left.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() - self.buffer.len() < READ / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.reserve(READ.saturating_sub(self.buffer.len()).max(READ / 2));
        }
        &mut self.buffer
    }
}

/// Bytes on their way to the socket.
pub(super) struct Output {
    bytes: Vec<u8>,
    done: usize,
    flushed: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self { bytes: Vec::new(), done: 0, flushed: true }
    }
}

impl Output {
    /// Is everything with the operating system?
    pub(super) fn is_done(&self) -> bool {
        self.flushed
    }

    /// How many of the bytes are with the operating system.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Takes what `write` appends, after everything before it is done.
    pub(super) fn refill(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.clear();
        self.done = 0;
        write(&mut self.bytes);
        self.flushed = self.bytes.is_empty();
    }

    /// Writes what is left.
    ///
    /// # Cancel safety
    /// Cancel safe: what is written is counted before the next wait.
    pub(super) async fn push<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> std::io::Result<()> {
        while self.done < self.bytes.len() {
            match writer.write(&self.bytes[self.done..]).await? {
                0 => return Err(std::io::ErrorKind::WriteZero.into()),
                count => self.done += count,
            }
        }
        // TLS keeps records back until the socket takes them.
        writer.flush().await?;
        self.flushed = true;
        Ok(())
    }
}
