//! What a pipeline file may say about files.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::connector::lines;

/// What a pipeline file may say about the `file` source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileSourceConfig {
    /// The file. A relative path starts at the pipeline file's directory.
    pub path: String,
    /// Go on when the end is reached: wait for more, and move on to the new file when this one is rotated.
    #[serde(default)]
    pub follow: bool,
    /// Where to begin when no state says so: `beginning` or `end`. `end` needs `follow = true`.
    #[serde(default)]
    pub start: FileStart,
    /// The longest line in bytes. Longer ones are skipped and counted. Default: 1048576.
    #[serde(default = "lines::default_max_line")]
    pub max_line: usize,
    /// A file that remembers how far the lines are delivered, so that a restart goes on there.
    pub state: Option<String>,
    /// How often to look for more while following, in milliseconds. Default: 100.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
}

/// Where a file source begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FileStart {
    /// At the first line.
    #[default]
    Beginning,
    /// After what stands there already.
    End,
}

fn default_poll_ms() -> u64 {
    100
}

/// What a pipeline file may say about the `file` sink.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileSinkConfig {
    /// The file to append to. It is created, its directory is not. A relative path starts at the
    /// pipeline file's directory.
    pub path: String,
    /// Bring every batch to the disk before it counts as delivered: slower, and safe against a power cut.
    #[serde(default)]
    pub sync: bool,
}
