//! Files, a line a payload.

mod config;
mod identity;
mod reader;
mod sink;
mod source;
mod state;
#[cfg(test)]
mod tests;

pub use config::{FileSinkConfig, FileSourceConfig, FileStart};
pub use sink::FileSink;
pub use source::FileSource;
