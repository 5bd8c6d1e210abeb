//! JSON: one object a payload, an array of objects, or newline-delimited objects.

mod decoder;
mod encoder;
mod error;
mod number;
mod reader;
mod scan;

pub use decoder::{JsonDecoder, JsonDecoderConfig, JsonDecoderFraming};
pub use encoder::{JsonEncoder, JsonEncoderConfig, JsonEncoderFraming};

#[cfg(test)]
mod tests;
