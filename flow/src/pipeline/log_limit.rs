//! A limit on log lines of one kind, so that a flood of trouble does not fill the disk.

use std::time::{Duration, Instant};

/// Lines that go through in one window.
const LINES: u32 = 3;
/// How long a window lasts.
const WINDOW: Duration = Duration::from_secs(10);

/// Lets the first lines of each window through and counts the others.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogLimit {
    began: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl LogLimit {
    /// May a line be written? Where lines were left out before it, `say` hears how many.
    pub(crate) fn admit(&mut self, say: impl FnOnce(u64)) -> bool {
        if self.began.is_none_or(|began| began.elapsed() >= WINDOW) {
            self.flush(say);
            *self = Self { began: Some(Instant::now()), ..Self::default() };
        }
        if self.written >= LINES {
            self.left_out += 1;
            return false;
        }
        self.written += 1;
        true
    }

    /// `say` hears how many lines were left out since the last time, where any were.
    pub(crate) fn flush(&mut self, say: impl FnOnce(u64)) {
        if self.left_out > 0 {
            say(std::mem::take(&mut self.left_out));
        }
    }
}
