//! The wire format: frames of readings. Numbers are big-endian.
//!
//! | bytes | |
//! |---|---|
//! | 1 | `0xAC` |
//! | 1 | version: 1 |
//! | 2 | length of the body in bytes |
//! | n | body: readings, one after another |
//! | 4 | CRC-32 of all before |
//!
//! A reading: the length of the device's name (1 byte), the name in UTF-8, °C as a 64-bit float, milliseconds since 1970
//! as a signed 64-bit number.

use flow::{Reason, RecordError};

const MAGIC: u8 = 0xac;
const VERSION: u8 = 1;
const HEADER: usize = 4;
const CHECKSUM: usize = 4;

/// One measurement of one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    /// The device's name, of at most 255 bytes.
    pub device: &'a str,
    /// Degrees Celsius.
    pub celsius: f64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

impl<'a> Reading<'a> {
    /// Takes one reading off the front of a body.
    pub(crate) fn take(body: &mut &'a [u8]) -> Result<Self, RecordError> {
        let cut = || RecordError::new(Reason::Syntax, "the last reading of the frame is cut off");
        let (length, rest) = body.split_first().ok_or_else(cut)?;
        let (device, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(cut)?;
        let (celsius, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let (time, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let device = str::from_utf8(device)
            .map_err(|_| RecordError::new(Reason::Utf8, "the name is not UTF-8").with_field("device_id"))?;
        *body = rest;
        Ok(Self { device, celsius: f64::from_be_bytes(*celsius), time: i64::from_be_bytes(*time) })
    }

    /// Appends a frame with this reading.
    ///
    /// # Errors
    /// A name of more than 255 bytes; `out` is then as it was.
    pub fn write_frame(&self, out: &mut Vec<u8>) -> Result<(), RecordError> {
        let length = u8::try_from(self.device.len()).map_err(|_| {
            RecordError::new(Reason::Size, "the name has more than 255 bytes").with_field("device_id")
        })?;
        let start = out.len();
        out.extend_from_slice(&[MAGIC, VERSION]);
        // One byte of length, the name, twice eight bytes of numbers.
        out.extend_from_slice(&(u16::from(length) + 17).to_be_bytes());
        out.push(length);
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.celsius.to_be_bytes());
        out.extend_from_slice(&self.time.to_be_bytes());
        let checksum = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&checksum.to_be_bytes());
        Ok(())
    }
}

/// The length in bytes of the frame that begins here; None where its header is not all there.
///
/// # Errors
/// No frame begins here: whoever reads a stream has lost its place.
pub(crate) fn length(bytes: &[u8]) -> Result<Option<usize>, RecordError> {
    let syntax = |message: String| Err(RecordError::new(Reason::Syntax, message));
    match bytes {
        [magic, ..] if *magic != MAGIC => syntax(format!("a frame begins with 0xac, not with {magic:#04x}")),
        [_, version, ..] if *version != VERSION => {
            syntax(format!("the frame has version {version}, known is 1"))
        }
        [_, _, high, low, ..] => Ok(Some(HEADER + usize::from(u16::from_be_bytes([*high, *low])) + CHECKSUM)),
        _ => Ok(None),
    }
}

/// The body of one frame, whole and unharmed.
pub(crate) fn body(frame: &[u8]) -> Result<&[u8], RecordError> {
    let expected = length(frame)?.unwrap_or(HEADER + CHECKSUM);
    if frame.len() != expected {
        let message = format!("the frame has {} bytes and should have {expected}", frame.len());
        return Err(RecordError::new(Reason::Syntax, message));
    }
    let (content, checksum) = frame.split_at(expected - CHECKSUM);
    if crc32fast::hash(content).to_be_bytes() != checksum {
        return Err(RecordError::new(Reason::Syntax, "the checksum is wrong").with_offset(content.len()));
    }
    Ok(&content[HEADER..])
}
