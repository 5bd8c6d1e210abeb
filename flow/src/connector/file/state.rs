//! How far a file is delivered, kept in a small file of its own.

use std::io::{self, ErrorKind as Io, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::connector::file::identity::Identity;
use crate::error::{Error, ErrorKind};

/// Every byte before `offset` of this file is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    pub(super) file: Identity,
    pub(super) offset: u64,
}

/// The state file of one source.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    unsaved: Option<Position>,
    /// One at a time: two would write the same temporary file.
    saving: Option<JoinHandle<Result<(), (Position, io::Error)>>>,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, unsaved: None, saving: None }
    }

    /// What an earlier run has left.
    ///
    /// # Errors
    /// A state that cannot be read, or a file that is none: it is not overwritten.
    pub(super) async fn load(&self) -> Result<Option<Position>, Error> {
        let at = |error: Error| error.with("state", self.path.display());
        let text = match tokio::fs::read(&self.path).await {
            Ok(text) => text,
            Err(error) if error.kind() == Io::NotFound => return self.check_directory().map(|()| None),
            Err(error) => {
                return Err(at(
                    Error::permanent(ErrorKind::Io, "the state cannot be read").with_source(error)
                ));
            }
        };
        // What a power cut makes of a file that was just replaced. Reading again is safe, skipping is not.
        if text.iter().all(|byte| *byte == 0) {
            tracing::warn!(state = %self.path.display(), "the state is empty: reading from the beginning");
            return Ok(None);
        }
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let message =
                "this is not the state of a `file` source; remove it to begin anew, or name another path";
            at(Error::permanent(ErrorKind::Config, message).with_source(error))
        })
    }

    fn check_directory(&self) -> Result<(), Error> {
        let directory = self.path.parent().unwrap_or(Path::new(""));
        if directory.as_os_str().is_empty() || directory.is_dir() {
            return Ok(());
        }
        let message = "the directory of the state does not exist; create it first";
        Err(Error::permanent(ErrorKind::Io, message).with("directory", directory.display()))
    }

    /// Stores a position that replaces the one before.
    ///
    /// # Cancel safety
    /// Cancel safe: what was begun goes on, and the next call waits for it.
    pub(super) async fn store(&mut self, position: Position) -> Result<(), Error> {
        self.unsaved = Some(position);
        self.finish().await
    }

    /// Stores what is not stored yet.
    ///
    /// # Cancel safety
    /// As for [`StateFile::store`].
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        loop {
            if let Some(saving) = &mut self.saving {
                let saved = saving.await;
                self.saving = None;
                if let Ok(Err((position, error))) = saved {
                    self.unsaved.get_or_insert(position);
                    return Err(Error::from(error).with("state", self.path.display()));
                }
            }
            let Some(position) = self.unsaved.take() else { return Ok(()) };
            let path = self.path.clone();
            self.saving =
                Some(spawn_blocking(move || replace(&path, &position).map_err(|error| (position, error))));
        }
    }
}

/// Whoever reads the file finds the old position or the new one, never half of one.
fn replace(path: &Path, position: &Position) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = std::fs::File::create(&temporary)?;
    serde_json::to_writer(&mut file, position)?;
    file.write_all(b"\n")?;
    std::fs::rename(&temporary, path)
}
