//! Pauses between attempts: growing, jittered, and logged.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses of one call that is tried again and again.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    attempts: u32,
    until: Option<Instant>,
}

impl Backoff {
    /// The call has failed: says so in the log, and sets the next pause. Each is twice as long as the one before, up to
    /// half a minute, and cut by a random part of up to a half, so that many processes do not come back together.
    pub(super) fn failed(&mut self, label: &str, error: &Error) {
        let pause = self.pause();
        tracing::warn!(
            at = label,
            attempt = self.attempts,
            "trying again in {} ms: {error}",
            pause.as_millis()
        );
        self.until = Some(Instant::now() + pause);
    }

    /// The call has succeeded: the next failure is the first again.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Waits for the end of the pause, where there is one.
    ///
    /// Cancel safe: the pause ends when it ends, however often the wait is begun.
    pub(super) async fn wait(&self) {
        if let Some(until) = self.until {
            tokio::time::sleep_until(until).await;
        }
    }

    fn pause(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.attempts.min(16)).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        // A fresh hasher is seeded at random; nothing here needs better randomness.
        let random = RandomState::new().hash_one(self.attempts) as f64 / u64::MAX as f64;
        full.mul_f64(1.0 - random / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST, LONGEST};

    #[test]
    fn pauses_grow_and_have_a_ceiling() {
        let mut backoff = Backoff::default();
        let first = backoff.pause();
        assert!(first >= FIRST / 2 && first <= FIRST, "{first:?}");
        let last = (0..100).map(|_| backoff.pause()).last().unwrap();
        assert!(last >= LONGEST / 2 && last <= LONGEST, "{last:?}");
    }
}
