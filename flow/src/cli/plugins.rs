//! `--plugins`: directories of loadable libraries.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;
use crate::plugin::{Policy, Refusal};
use crate::registry::Runtime;

#[derive(Debug, Args)]
pub(super) struct PluginArguments {
    /// Load the plugins of this directory, an absolute path; may stand several times
    #[arg(long, value_name = "DIR", global = true)]
    plugins: Vec<PathBuf>,
    /// A plugin that is refused is an error
    #[arg(long, global = true)]
    strict_plugins: bool,
}

pub(super) fn load(runtime: &mut Runtime, arguments: &PluginArguments) -> Result<(), Error> {
    let policy = if arguments.strict_plugins { Policy::default().strict() } else { Policy::default() };
    for directory in &arguments.plugins {
        warn(&runtime.load_from_dir(directory, &policy)?.refused, &[]);
    }
    Ok(())
}

/// Says which of `refused` are not loaded, apart from those that were `said` before.
pub(super) fn warn(refused: &[Refusal], said: &[Refusal]) {
    for refusal in refused.iter().filter(|refusal| !said.contains(refusal)) {
        eprintln!("warning: {refusal}");
    }
}
