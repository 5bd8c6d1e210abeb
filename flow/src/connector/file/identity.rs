//! Which file it is, whatever its name is now.

use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// What stays the same when a file is renamed, and differs when another takes its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    inode: u64,
    /// In microseconds since 1970, where the file system knows: an inode's number is soon used again.
    created: Option<u64>,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let created = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let created = created.and_then(|since| u64::try_from(since.as_micros()).ok());
        Self { inode: inode(metadata), created }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Elsewhere the time of creation has to do.
#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
