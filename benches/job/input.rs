//! What goes in, the same for every job: payloads, and the types that a program written by hand reads them with.

use std::fmt;

use flow::PayloadBatch;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// Different payloads of one input, so that no branch predictor learns a payload by heart.
const POOL: usize = 256;

/// One of the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Input {
    /// About 170 bytes and 8 fields, all of them declared.
    Flat,
    /// About 1.1 KB and 40 fields, 3 of them declared.
    Nested,
    /// 8 bytes in a binary codec of its own.
    Tiny,
}

impl Input {
    pub(crate) const ALL: [Input; 3] = [Input::Flat, Input::Nested, Input::Tiny];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Input::Flat => "flat",
            Input::Nested => "nested",
            Input::Tiny => "tiny",
        }
    }

    /// The id of its codec.
    pub(crate) fn codec(self) -> &'static str {
        if self == Input::Tiny { "tiny" } else { "json" }
    }

    /// The column that is filtered by, with its limit, and the columns that go out.
    pub(crate) fn filter(self) -> (&'static str, String, &'static [&'static str]) {
        match self {
            Input::Tiny => ("celsius", TINY_LIMIT.to_string(), &["device", "celsius", "ts"]),
            _ => ("temperature", format!("{LIMIT:?}"), &["device_id", "temperature", "ts"]),
        }
    }

    /// The schema of a pipeline file.
    pub(crate) fn schema(self) -> &'static str {
        match self {
            Input::Flat => {
                r#"device_id = "string"
site = "string"
ts = "timestamp(ms)"
temperature = "float64"
humidity = "float64"
pressure = "float64"
voltage = "float64"
sequence = "int64""#
            }
            Input::Nested => {
                r#"device_id = { type = "string", from = "device.id" }
temperature = { type = "float64", from = "climate.temperature" }
ts = "timestamp(ms)""#
            }
            Input::Tiny => {
                r#"device = "uint16"
celsius = "int16"
ts = "uint32""#
            }
        }
    }

    fn payload(self, index: usize) -> Vec<u8> {
        let device = format!("sensor-{:06}", index * 7919 % 1_000_000);
        let ts = 1_764_000_000_000 + index * 250;
        // Every second one is above the filter's 50, in an order that does not alternate.
        let whole = if index.count_ones().is_multiple_of(2) { 51 + index % 40 } else { 11 + index % 39 };
        let temperature = format!("{whole}.{}", 1 + index % 9);
        let text = match self {
            Input::Tiny => {
                let mut bytes = Vec::with_capacity(8);
                bytes.extend_from_slice(&((index * 7919 % 60_000) as u16).to_le_bytes());
                bytes.extend_from_slice(&((whole * 100 + index % 100) as i16).to_le_bytes());
                bytes.extend_from_slice(&((1_764_000_000 + index) as u32).to_le_bytes());
                return bytes;
            }
            Input::Flat => format!(
                r#"{{"device_id":"{device}","site":"plant-{}/hall-b/line-04","ts":{ts},"temperature":{temperature},"humidity":{}.25,"pressure":{}.25,"voltage":3.2{},"sequence":{}}}"#,
                index % 7,
                30 + index % 50,
                980 + index % 60,
                1 + index % 9,
                184_467_000 + index,
            ),
            Input::Nested => nested(&device, ts, &temperature, index),
        };
        text.into_bytes()
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Hands out payloads until it has handed out as many as it was asked for.
#[derive(Debug)]
pub(crate) struct Supply {
    pool: Vec<Vec<u8>>,
    next: usize,
    left: usize,
}

impl Supply {
    pub(crate) fn new(input: Input, records: usize) -> Self {
        Self { pool: (0..POOL).map(|index| input.payload(index)).collect(), next: 0, left: records }
    }

    /// Fills the batch; it stays empty where everything has been handed out.
    pub(crate) fn fill(&mut self, batch: &mut PayloadBatch) {
        while self.left > 0 && !batch.is_full() {
            batch.push(&self.pool[self.next]);
            self.next = (self.next + 1) % POOL;
            self.left -= 1;
        }
    }

    /// The mean length of a payload, in bytes.
    pub(crate) fn mean_bytes(&self) -> usize {
        self.pool.iter().map(Vec::len).sum::<usize>() / POOL
    }
}

/// A record as a program of one's own would declare it.
pub(crate) trait Reading: DeserializeOwned + Send + 'static {
    /// What goes out.
    type Alert: Serialize + ToBytes + Send + Sync + 'static;

    /// What goes out, where the record passes the filter.
    fn alert(self) -> Option<Self::Alert>;

    /// Reads the record from the bytes of [`Input::Tiny`]; the others have none.
    fn from_bytes(_: &[u8]) -> Result<Self, Failure> {
        Err("this record has no binary form".into())
    }
}

/// What can be written as the bytes of [`Input::Tiny`].
pub(crate) trait ToBytes {
    /// Appends the bytes; the other records have none.
    fn write_bytes(&self, _: &mut Vec<u8>) -> Result<(), Failure> {
        Err("this record has no binary form".into())
    }
}

/// What goes out of the JSON inputs.
#[derive(Debug, Serialize)]
pub(crate) struct Alert {
    device_id: String,
    temperature: f64,
    ts: i64,
}

impl ToBytes for Alert {}

/// The temperature above which a record passes, in °C.
pub(crate) const LIMIT: f64 = 50.0;

/// The same in 1/100 °C.
pub(crate) const TINY_LIMIT: i16 = 5_000;

/// [`Input::Tiny`].
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Tiny {
    pub(crate) device: u16,
    pub(crate) celsius: i16,
    pub(crate) ts: u32,
}

impl Reading for Tiny {
    type Alert = Tiny;

    #[inline]
    fn alert(self) -> Option<Tiny> {
        (self.celsius > TINY_LIMIT).then_some(self)
    }

    #[inline]
    fn from_bytes(payload: &[u8]) -> Result<Self, Failure> {
        let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(payload) else {
            return Err("eight bytes are expected".into());
        };
        Ok(Self {
            device: u16::from_le_bytes([a, b]),
            celsius: i16::from_le_bytes([c, d]),
            ts: u32::from_le_bytes([e, f, g, h]),
        })
    }
}

impl ToBytes for Tiny {
    #[inline]
    fn write_bytes(&self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Self { device, celsius, ts } = self;
        let ([a, b], [c, d], [e, f, g, h]) = (device.to_le_bytes(), celsius.to_le_bytes(), ts.to_le_bytes());
        out.extend_from_slice(&[a, b, c, d, e, f, g, h]);
        Ok(())
    }
}

/// [`Input::Flat`].
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "all fields are decoded, three go out")]
pub(crate) struct Flat {
    device_id: String,
    site: String,
    ts: i64,
    temperature: f64,
    humidity: f64,
    pressure: f64,
    voltage: f64,
    sequence: i64,
}

impl Reading for Flat {
    type Alert = Alert;

    fn alert(self) -> Option<Alert> {
        let Self { device_id, temperature, ts, .. } = self;
        (temperature > LIMIT).then_some(Alert { device_id, temperature, ts })
    }
}

/// [`Input::Nested`].
#[derive(Debug, Deserialize)]
pub(crate) struct Nested {
    device: Device,
    climate: Climate,
    ts: i64,
}

#[derive(Debug, Deserialize)]
struct Device {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Climate {
    temperature: f64,
}

impl Reading for Nested {
    type Alert = Alert;

    fn alert(self) -> Option<Alert> {
        let temperature = self.climate.temperature;
        (temperature > LIMIT).then_some(Alert { device_id: self.device.id, temperature, ts: self.ts })
    }
}

fn nested(device: &str, ts: usize, temperature: &str, index: usize) -> String {
    format!(
        r#"{{"schema":"https://schemas.example.com/telemetry/environment/v3.json","message_id":"7f3c9a52-11d4-4b8e-9c1e-{index:012}","ts":{ts},
"device":{{"id":"{device}","serial":"SN-{index:08}","vendor":"Example Instruments","model":"EX-4100","hardware":"rev. C","firmware":"4.12.{}","uptime_s":{},"tags":["roof","north","critical"]}},
"location":{{"site":"plant-{}","building":"hall-b","floor":2,"room":"compressor room behind the boiler","position":{{"lat":52.5200{},"lon":13.4049{},"alt":34.5}}}},
"climate":{{"humidity":{}.25,"temperature":{temperature},"pressure":1013.25,"dew_point":11.4}},
"power":{{"voltage":3.298,"current":0.0421,"battery":{},"charging":false}},
"vibration":{{"rms":[0.0123,0.0118,0.0131],"peak":[0.0911,0.0874,0.0952],"frequency_hz":49.98}},
"network":{{"rssi":-{},"snr":9.5,"gateway":"gw-{}"}},
"quality":{{"valid":true,"calibrated":"2026-03-14T08:00:00Z","drift":0.0021,"flags":null,"note":"nominal; replaced \"filter B\" at the last service, checked seal and gasket, found no leak; the next visit needs a ladder and the second key"}},
"maintenance":{{"last":"2026-09-01","next":"2027-03-01","hours":{}}}}}"#,
        index % 30,
        86_400 + index * 60,
        index % 7,
        index % 10,
        index % 10,
        30 + index % 50,
        60 + index % 40,
        50 + index % 40,
        index % 5,
        1_200 + index,
    )
}
