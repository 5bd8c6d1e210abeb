//! What a pipeline counts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::error::Reason;

const REASONS: usize = Reason::ALL.len();

/// Live counters of a running pipeline. Cheap to clone: clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Counters>);

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) payloads_in: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) records_in: AtomicU64,
    pub(crate) filtered: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) dead_lettered: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) payloads_out: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) retries: AtomicU64,
    lag_micros: AtomicI64,
    rejected: [AtomicU64; REASONS],
}

impl Counters {
    /// `count` records are no longer in flight: they count under `fate`.
    pub(crate) fn settled(&self, count: usize, fate: &AtomicU64) {
        add(fate, count);
        self.in_flight.fetch_sub(count as u64, Ordering::Relaxed);
    }

    /// How long the batch that was settled last took from arrival on, in microseconds.
    pub(crate) fn lag(&self, micros: i64) {
        self.lag_micros.store(micros, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn counters(&self) -> &Counters {
        &self.0
    }

    pub(crate) fn rejected(&self, reason: Reason) {
        if let Some(index) = Reason::ALL.iter().position(|known| *known == reason) {
            self.0.rejected[index].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counters as they stand.
    pub fn report(&self) -> Report {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &*self.0;
        let rejected =
            Reason::ALL.iter().zip(&counters.rejected).map(|(reason, count)| (*reason, get(count)));
        Report {
            payloads_in: get(&counters.payloads_in),
            bytes_in: get(&counters.bytes_in),
            records_in: get(&counters.records_in),
            filtered: get(&counters.filtered),
            delivered: get(&counters.delivered),
            skipped: get(&counters.skipped),
            dead_lettered: get(&counters.dead_lettered),
            in_flight: get(&counters.in_flight),
            payloads_out: get(&counters.payloads_out),
            bytes_out: get(&counters.bytes_out),
            retries: get(&counters.retries),
            lag: Duration::from_micros(
                u64::try_from(counters.lag_micros.load(Ordering::Relaxed)).unwrap_or(0),
            ),
            rejected: rejected.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

/// What a pipeline has counted.
///
/// Nothing gets lost between the lines:
/// `records_in == filtered + delivered + skipped + dead_lettered + in_flight`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Payloads that the sources handed out.
    pub payloads_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Records in those payloads; a payload that could not be decoded at all counts as one.
    pub records_in: u64,
    /// Records that a transform or a closure dropped.
    pub filtered: u64,
    /// Records that every sink has confirmed.
    pub delivered: u64,
    /// Records that were rejected and dropped, as `on_error = "skip"` says.
    pub skipped: u64,
    /// Records that were rejected and are confirmed by the dead-letter sink.
    pub dead_lettered: u64,
    /// Records that are on their way: not confirmed yet.
    pub in_flight: u64,
    /// Payloads that sinks have taken, dead letters among them.
    pub payloads_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Reads of sources and writes of sinks that were tried again after a temporary error.
    pub retries: u64,
    /// From arrival to settlement, for the batch that was settled last.
    pub lag: Duration,
    /// Rejections by reason; a record that two sinks reject stands here twice.
    pub rejected: Vec<(Reason, u64)>,
}

impl Report {
    /// Records that could not go on.
    pub fn errors(&self) -> u64 {
        self.skipped + self.dead_lettered
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "in {} ({} payloads, {} bytes), out {} ({} payloads, {} bytes), filtered {}, skipped {}, dead-lettered {}",
            self.records_in,
            self.payloads_in,
            self.bytes_in,
            self.delivered,
            self.payloads_out,
            self.bytes_out,
            self.filtered,
            self.skipped,
            self.dead_lettered
        )?;
        if self.in_flight > 0 {
            write!(f, ", not confirmed {}", self.in_flight)?;
        }
        for (index, (reason, count)) in self.rejected.iter().enumerate() {
            write!(f, "{}{}: {count}", if index == 0 { "; rejected for " } else { ", " }, reason.as_str())?;
        }
        Ok(())
    }
}
