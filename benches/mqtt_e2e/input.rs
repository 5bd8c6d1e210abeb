//! The records that go through, and what becomes of them.

use serde::{Deserialize, Serialize};

use crate::Failure;

/// Different payloads, so that no branch predictor learns one by heart.
pub(crate) const POOL: usize = 256;

/// The temperature above which a record passes, in °C.
const LIMIT: f64 = 50.0;

/// What is done with a message between its arrival and its departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// It goes out as it came in.
    Raw,
    /// JSON of 8 fields → those above [`LIMIT`] → JSON of 3 fields.
    Json,
}

impl Work {
    pub(crate) const ALL: [Work; 2] = [Work::Raw, Work::Json];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Work::Raw => "raw",
            Work::Json => "json",
        }
    }

    /// Does it by hand: appends what goes out. False where the record does not pass.
    pub(crate) fn by_hand(self, payload: &[u8], out: &mut Vec<u8>) -> Result<bool, Failure> {
        match self {
            Work::Raw => out.extend_from_slice(payload),
            Work::Json => {
                let reading: Reading<'_> = serde_json::from_str(std::str::from_utf8(payload)?)?;
                if reading.temperature <= LIMIT {
                    return Ok(false);
                }
                let Reading { device_id, temperature, ts, .. } = reading;
                serde_json::to_writer(out, &Alert { device_id, temperature, ts })?;
            }
        }
        Ok(true)
    }

    /// Is this payload of [`payload`] one of those that go out?
    pub(crate) fn passes(self, index: usize) -> bool {
        self == Work::Raw || is_hot(index)
    }
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "all fields are decoded, three go out")]
struct Reading<'a> {
    device_id: &'a str,
    site: &'a str,
    ts: i64,
    temperature: f64,
    humidity: f64,
    pressure: f64,
    voltage: f64,
    sequence: i64,
}

#[derive(Serialize)]
struct Alert<'a> {
    device_id: &'a str,
    temperature: f64,
    ts: i64,
}

/// Every second one is above the limit, in an order that does not alternate.
fn is_hot(index: usize) -> bool {
    index.count_ones().is_multiple_of(2)
}

/// A payload of about 170 bytes.
pub(crate) fn payload(index: usize) -> String {
    let whole = if is_hot(index) { 51 + index % 40 } else { 11 + index % 39 };
    record(index, whole, 1_764_000_000_000 + index * 250)
}

/// A payload that passes, with this time in it.
pub(crate) fn stamped(index: usize, ts: u64) -> String {
    record(index, 77, ts as usize)
}

/// The time in what became of [`stamped`].
pub(crate) fn stamp(payload: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(payload).ok()?;
    let (_, rest) = text.split_once(r#""ts":"#)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

fn record(index: usize, whole: usize, ts: usize) -> String {
    format!(
        r#"{{"device_id":"sensor-{:06}","site":"plant-{}/hall-b/line-04","ts":{ts},"temperature":{whole}.{},"humidity":{}.25,"pressure":{}.25,"voltage":3.2{},"sequence":{}}}"#,
        index * 7919 % 1_000_000,
        index % 7,
        1 + index % 9,
        30 + index % 50,
        980 + index % 60,
        1 + index % 9,
        184_467_000 + index,
    )
}
