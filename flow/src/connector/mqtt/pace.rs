//! When a busy connection reads again.
//!
//! A broker that writes each message by itself wakes its reader for each. Up to a few messages a millisecond that is
//! right: nothing waits. Above, a connection reads at most once a millisecond, as network cards hold back their
//! interrupts, and everything after it (decoding, publishing, acknowledging) happens for many messages at once.
//!
//! TCP must confirm at once meanwhile. The operating system likes to send its confirmation along with other bytes, and waits up
//! to 40 ms for them; whoever writes without TCP_NODELAY, as Mosquitto and rumqttd do by default, holds back what is smaller
//! than a segment until then.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// How long a busy connection rests between two reads.
const REST: Duration = Duration::from_millis(1);

/// With how many packets in [`REST`] a connection is busy. With more it is read as fast as the pipeline goes, and a read
/// brings many packets by itself.
const BUSY: RangeInclusive<u64> = 4..=100;

/// After a read of so many bytes, the next rest could fill the socket's buffer.
const LARGE: usize = 64 << 10;

/// The other side's window must be this many times what it sends during a rest: it never waits for us because of that.
const WIDE: u64 = 8;

/// How long the operating system may hold back a confirmation. A connection that reads less often than this saves a packet by
/// it, and nobody waits.
const HELD_BACK: Duration = Duration::from_millis(40);

/// What follows a read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Turn {
    /// Should TCP confirm at once?
    pub(super) confirm: bool,
    /// Until when the next read should wait, if it should.
    pub(super) rest: Option<Instant>,
}

/// The pace of one connection's reads.
#[derive(Debug)]
pub(super) struct Pace {
    last: Instant,
    /// Since when `packets` are counted.
    since: Instant,
    packets: u64,
    /// The most deliveries that were open at once: a window of the other side is no narrower. 0 where there is none,
    /// as at QoS 0.
    widest: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, since: now, packets: 0, widest: 0 }
    }

    /// A read at `now` brought `bytes` with `packets` in them, after which `open` deliveries wait for their
    /// acknowledgement.
    pub(super) fn read(&mut self, now: Instant, bytes: usize, packets: u64, open: usize) -> Turn {
        let confirm = now - self.last < HELD_BACK;
        self.last = now;
        self.packets += packets;
        self.widest = self.widest.max(open as u64);
        let passed = now - self.since;
        if passed < REST {
            return Turn { confirm, rest: None };
        }
        // How many come while it rests, if they go on coming like this.
        let expected = (self.packets as f64 * REST.as_secs_f64() / passed.as_secs_f64()) as u64;
        self.packets = 0;
        self.since = now;
        let harmless = bytes < LARGE && (self.widest == 0 || self.widest >= WIDE * expected);
        Turn { confirm, rest: (harmless && BUSY.contains(&expected)).then(|| now + REST) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Pace, Turn};

    /// How many of a second's reads, at an even rate of packets, are followed by a rest. `open` deliveries wait all the time.
    fn rests(a_second: u32, bytes: usize, open: usize) -> u32 {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut rests = 0;
        let (mut now, mut waiting) = (start, 0);
        for index in 1..=a_second {
            let arrival = start + Duration::from_secs(1) * index / a_second;
            waiting += 1;
            if arrival < now {
                continue;
            }
            now = arrival;
            if let Some(until) = pace.read(now, bytes * waiting, waiting as u64, open).rest {
                rests += 1;
                now = until;
            }
            waiting = 0;
        }
        rests
    }

    #[test]
    fn a_quiet_connection_never_rests_and_a_busy_one_a_thousand_times_a_second() {
        assert_eq!(rests(1_000, 100, 0), 0);
        assert_eq!(rests(3_900, 100, 0), 0);
        assert!((900..=1_000).contains(&rests(40_000, 100, 0)));
    }

    #[test]
    fn it_does_not_rest_where_the_broker_would_wait_for_acknowledgements() {
        assert_eq!(rests(20_000, 100, 20), 0);
        assert!(rests(20_000, 100, 1_000) > 900);
    }

    #[test]
    fn it_does_not_rest_where_a_read_brings_much_anyway() {
        assert_eq!(rests(20_000, 70_000, 0), 0);
        assert_eq!(rests(200_000, 100, 0), 0);
    }

    #[test]
    fn the_first_message_after_a_silence_is_followed_by_no_rest() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let busy = start + Duration::from_millis(2);
        let rest = Some(busy + Duration::from_millis(1));
        assert_eq!(pace.read(busy, 1_000, 100, 0), Turn { confirm: true, rest });
        assert_eq!(pace.read(busy + Duration::from_secs(1), 100, 1, 0), Turn::default());
    }

    #[test]
    fn a_quiet_connection_leaves_it_to_the_operating_system_when_tcp_confirms() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let at = |ms| start + Duration::from_millis(ms);
        assert!(!pace.read(at(50), 100, 1, 0).confirm);
        assert!(!pace.read(at(100), 100, 1, 0).confirm);
        assert!(pace.read(at(110), 100, 1, 0).confirm);
    }
}
