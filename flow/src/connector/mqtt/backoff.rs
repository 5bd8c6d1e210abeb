//! How long to wait before the next attempt to connect.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::session::Remedy;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// The shortest pause where waiting alone does not help.
const SELDOM: Duration = Duration::from_secs(15);

/// A connection that lived this long was a good one: the pauses start anew after it.
const GOOD: Duration = Duration::from_secs(2);

/// However the dice fall and whatever the broker does: no more attempts than these in this time.
const ATTEMPTS: usize = 10;
const WITHIN: Duration = Duration::from_secs(10);

/// Doubling pauses with full jitter.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    attempts: VecDeque<Instant>,
}

impl Backoff {
    /// When to try again after a connection that ended at `now` and had lived for `lived`.
    /// `dice` is a random number, all bits of it.
    pub(crate) fn next(&mut self, now: Instant, lived: Duration, remedy: Remedy, dice: u64) -> Instant {
        if lived >= GOOD {
            self.failures = 0;
        }
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let (floor, ceiling) = match remedy {
            Remedy::Wait => (Duration::ZERO, doubled),
            Remedy::Mend => (SELDOM, LONGEST),
            // Longer than any pause of the other one, if it comes back in its turn.
            Remedy::Yield => (LONGEST, 2 * LONGEST),
        };
        // The upper 32 bits as a fraction of what is between.
        let mut at = now + floor + (ceiling - floor).mul_f64((dice >> 32) as f64 / f64::from(u32::MAX));
        if self.attempts.len() == ATTEMPTS
            && let Some(oldest) = self.attempts.pop_front()
        {
            at = at.max(oldest + WITHIN);
        }
        self.attempts.push_back(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Backoff;
    use crate::connector::mqtt::session::Remedy;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_start_anew_after_a_good_connection() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let at = backoff.next(now, Duration::ZERO, Remedy::Wait, u64::MAX);
            pauses.push((at - now).as_millis());
            now = at;
        }
        assert_eq!(pauses[..5], [100, 200, 400, 800, 1600]);
        assert_eq!(pauses[11], 30_000);
        let at = backoff.next(now, Duration::from_secs(60), Remedy::Wait, u64::MAX);
        assert_eq!((at - now).as_millis(), 100);
    }

    #[test]
    fn what_time_does_not_mend_is_tried_seldom_from_the_first_time_on() {
        let now = Instant::now();
        for (remedy, shortest, longest) in [(Remedy::Mend, 15, 30), (Remedy::Yield, 30, 60)] {
            for (dice, seconds) in [(0, shortest), (u64::MAX, longest)] {
                let at = Backoff::default().next(now, Duration::from_secs(60), remedy, dice);
                assert_eq!((at - now).as_secs(), seconds, "{remedy:?}");
            }
        }
    }

    #[test]
    fn ten_attempts_in_ten_seconds_whatever_the_dice_and_the_broker_do() {
        let mut backoff = Backoff::default();
        let start = Instant::now();
        let mut now = start;
        let mut attempts = Vec::new();
        for _ in 0..100 {
            // Worst case: no pause by chance, and every connection counts as good.
            now = backoff.next(now, Duration::from_secs(3), Remedy::Wait, 0);
            attempts.push(now);
        }
        for window in attempts.windows(11) {
            assert!(window[10] - window[0] >= Duration::from_secs(10));
        }
    }
}
