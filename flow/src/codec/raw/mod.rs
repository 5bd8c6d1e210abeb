//! Raw payloads: the bytes as they are, as one column.

mod decoder;
mod encoder;
mod value;

pub use decoder::{RawDecoder, RawDecoderConfig};
pub use encoder::{RawEncoder, RawEncoderConfig};

#[cfg(test)]
mod tests;
