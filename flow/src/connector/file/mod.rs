//! Files, a line a payload.

mod config;
mod identity;
mod reader;
mod sink;
mod source;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use config::{FileSinkConfig, FileSourceConfig, FileStart};
pub use sink::FileSink;
pub use source::FileSource;

/// How a file is named among what the components of a pipeline use: one name, however its path is spelt.
fn claimed(path: &Path) -> String {
    let directory = path.parent().and_then(|parent| match parent.as_os_str().is_empty() {
        true => Path::new(".").canonicalize().ok(),
        false => parent.canonicalize().ok(),
    });
    let whole = path.canonicalize().ok().or_else(|| Some(directory?.join(path.file_name()?)));
    format!("the file {}", whole.as_deref().unwrap_or(path).display())
}
