//! Lines: how the byte streams of `stdin` and `file` become payloads, and payloads become lines.
//!
//! A line ends at `\n`; a `\r` before it belongs to the end. An empty line is an empty payload.

use tokio::sync::mpsc;

use crate::error::{Error, ErrorKind};
use crate::record::payload::{Metadata, PayloadBatch};
use crate::record::time::now_micros;

/// Bytes that a reader asks the operating system for at once.
pub(super) const CHUNK: usize = 128 << 10;

/// Chunks that may lie between a reader and a source: one to take while the other is filled.
pub(super) const CHUNKS: usize = 2;

/// What a reader tells its source, in the order in which it happens.
#[derive(Debug)]
pub(super) enum Event<O> {
    /// What follows comes from this origin, from this byte on. Half a line from before is dropped.
    Origin(O, u64),
    /// The next bytes.
    Bytes(Vec<u8>),
    /// The origin has ended: what has no `\n` yet is a whole line.
    End,
}

/// The longest line that is taken where nothing else is said: 1 MiB.
pub(super) fn default_max_line() -> usize {
    1 << 20
}

/// The largest limit that can be asked for, in bytes: what it asks for is held in memory.
const MAX_LINE: usize = 1 << 30;

/// # Errors
/// Where no line could ever be taken.
pub(super) fn check_max_line(max_line: usize) -> Result<usize, Error> {
    match max_line {
        0 => Err(Error::config("max_line", "no line fits into 0 bytes; leave the key out for 1048576")),
        limit if limit > MAX_LINE => Err(Error::config(
            "max_line",
            format!("{limit} bytes is more than the {MAX_LINE} that a line may have"),
        )),
        limit => Ok(limit),
    }
}

/// What a call before `open` gets.
pub(super) fn not_open() -> Error {
    Error::permanent(ErrorKind::Closed, "`open` comes first: nothing is open")
}

/// Takes whole lines out of the chunks of a reader. `O` is what the reader says about where they come from.
#[derive(Debug)]
pub(super) struct LineFeed<O> {
    label: String,
    events: mpsc::Receiver<Result<Event<O>, Error>>,
    lines: LineBuffer,
    origin: Option<O>,
}

impl<O> LineFeed<O> {
    pub(super) fn new(
        label: String,
        max_line: usize,
        events: mpsc::Receiver<Result<Event<O>, Error>>,
    ) -> Self {
        Self { label, events, lines: LineBuffer::new(max_line), origin: None }
    }

    /// Waits for a line, then takes those that are there. `false` where there is nothing more and never will be.
    ///
    /// # Cancel safety
    /// Cancel safe: it waits only while the batch is empty, and a chunk that has come is kept here.
    pub(super) async fn next(
        &mut self,
        batch: &mut PayloadBatch,
        topic: Option<&str>,
    ) -> Result<bool, Error> {
        loop {
            self.take(batch, topic);
            if !batch.is_empty() {
                return Ok(true);
            }
            match self.events.recv().await.transpose()? {
                Some(event) => self.hear(event),
                None => {
                    let (at, bytes) = (&self.label, self.lines.left());
                    if bytes > 0 {
                        tracing::warn!(
                            at,
                            bytes,
                            "the last line has no end yet: it is left for the next run"
                        );
                    }
                    return Ok(false);
                }
            }
        }
    }

    /// Where the last whole line ended, taken or thrown away: the origin, and the bytes of it up to there.
    pub(super) fn position(&self) -> Option<(&O, u64)> {
        self.origin.as_ref().map(|origin| (origin, self.lines.consumed - self.lines.skipping))
    }

    fn hear(&mut self, event: Event<O>) {
        match event {
            Event::Bytes(bytes) => self.lines.extend(&bytes),
            Event::End => self.lines.ended = true,
            Event::Origin(origin, offset) => {
                let half = self.lines.restart(offset);
                if half > 0 {
                    tracing::warn!(
                        at = self.label,
                        bytes = half,
                        "half a line is gone with the end of its file"
                    );
                }
                self.origin = Some(origin);
            }
        }
    }

    fn take(&mut self, batch: &mut PayloadBatch, topic: Option<&str>) {
        let time = now_micros();
        while !batch.is_full() {
            match self.lines.next() {
                Some(Line::Whole(bytes)) => {
                    batch.push_with(bytes, Metadata { topic, key: None, time: Some(time) });
                }
                Some(Line::TooLong(bytes)) => self.skipped(bytes),
                None => return,
            }
        }
    }

    fn skipped(&mut self, bytes: u64) {
        let (lines, limit) = (self.lines.too_long, self.lines.max_line);
        // At 1, 2, 4, 8…: a file of nothing else does not fill the log.
        if lines.is_power_of_two() {
            let at = &self.label;
            tracing::warn!(at, bytes, lines, "skipped a line that is longer than `max_line` ({limit} bytes)");
        }
    }

    /// Says at the end how much was skipped in all.
    pub(super) fn report(&self) {
        if self.lines.too_long > 0 {
            let at = &self.label;
            tracing::warn!(at, lines = self.lines.too_long, "lines longer than `max_line` were skipped");
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Whole(&'a [u8]),
    /// Its length in bytes, without its end. The line itself was never held in memory.
    TooLong(u64),
}

/// Splits a byte stream at `\n`.
#[derive(Debug)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes before it were handed out.
    start: usize,
    /// No `\n` stands between `start` and here.
    searched: usize,
    /// Bytes of the origin before `start`.
    consumed: u64,
    /// Bytes already thrown away of a line that is too long.
    skipping: u64,
    ended: bool,
    max_line: usize,
    too_long: u64,
}

impl LineBuffer {
    fn new(max_line: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            searched: 0,
            consumed: 0,
            skipping: 0,
            ended: false,
            max_line,
            too_long: 0,
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins anew at `offset` of another origin. Returns the bytes of half a line that were left.
    fn restart(&mut self, offset: u64) -> u64 {
        let left = self.left();
        self.bytes.clear();
        (self.start, self.searched, self.consumed) = (0, 0, offset);
        (self.skipping, self.ended) = (0, false);
        left
    }

    /// The bytes of a line that has not ended.
    fn left(&self) -> u64 {
        self.skipping + (self.bytes.len() - self.start) as u64
    }

    fn next(&mut self) -> Option<Line<'_>> {
        let found = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n');
        let (end, after) = match found {
            Some(at) => (self.searched + at, self.searched + at + 1),
            None if self.ended && (self.skipping > 0 || self.start < self.bytes.len()) => {
                (self.bytes.len(), self.bytes.len())
            }
            None => {
                self.searched = self.bytes.len();
                self.throw_away();
                return None;
            }
        };
        let begin = std::mem::replace(&mut self.start, after);
        self.searched = after;
        self.consumed += (after - begin) as u64;
        let mut line = &self.bytes[begin..end];
        if let (Some(_), Some(shorter)) = (found, line.strip_suffix(b"\r")) {
            line = shorter;
        }
        let length = std::mem::take(&mut self.skipping) + line.len() as u64;
        if length > self.max_line as u64 {
            self.too_long += 1;
            return Some(Line::TooLong(length));
        }
        Some(Line::Whole(line))
    }

    /// A line that is too long already is not kept while the rest of it comes.
    fn throw_away(&mut self) {
        let held = self.bytes.len() - self.start;
        // One byte more may be the `\r` before the end.
        if self.skipping > 0 || held > self.max_line + 1 {
            self.skipping += held as u64;
            self.consumed += held as u64;
            self.bytes.clear();
            (self.start, self.searched) = (0, 0);
        }
    }
}

/// Appends every payload of `batch` to `out`, each with a `\n` after it.
pub(super) fn write_lines(batch: &PayloadBatch, out: &mut Vec<u8>) {
    for payload in batch.iter() {
        out.extend_from_slice(payload.bytes());
        out.push(b'\n');
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
