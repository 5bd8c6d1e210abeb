//! The task that reads a file, follows it, and moves on when it is rotated.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::connector::file::identity::Identity;
use crate::connector::lines::{CHUNK, Event};
use crate::error::{Error, ErrorKind};

/// Looks without news after which a file that was renamed has ended: its writer may notice late.
const QUIET_LOOKS: u32 = 5;

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Opened {
    file: File,
    pub(super) identity: Identity,
    pub(super) length: u64,
    offset: u64,
    /// It was renamed before it was opened: its end is the end.
    old: bool,
}

impl Opened {
    /// Opens a file at its beginning. `None` where there is none.
    ///
    /// # Errors
    /// What cannot be opened, and what is no regular file.
    pub(super) async fn open(path: &Path) -> Result<Option<Self>, Error> {
        let at = |error: Error| error.with("path", path.display());
        let failed =
            |error| at(Error::permanent(ErrorKind::Io, "the file cannot be opened").with_source(error));
        // Asked before it is opened: opening a named pipe waits for its writer.
        match tokio::fs::metadata(path).await {
            Ok(metadata) if metadata.is_file() => {}
            Ok(metadata) => {
                let message = match metadata.is_dir() {
                    true => "the path is a directory; name one file in it",
                    false => "the path is no regular file; pipe it into a `stdin` source",
                };
                return Err(at(Error::permanent(ErrorKind::Io, message)));
            }
            Err(error) if error.kind() == Io::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let file = match File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == Io::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().await.map_err(failed)?;
        let (identity, length) = (Identity::of(&metadata), metadata.len());
        Ok(Some(Self { file, identity, length, offset: 0, old: false }))
    }

    /// The file `identity` under whatever name it has now beside `path`.
    pub(super) async fn find(path: &Path, identity: Identity) -> Option<Self> {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut entries = tokio::fs::read_dir(directory).await.ok()?;
        while let Ok(Some(entry)) = entries.next_entry().await {
            let Ok(metadata) = entry.metadata().await else { continue };
            if metadata.is_file() && Identity::of(&metadata) == identity {
                let found = Self::open(&entry.path()).await.ok()??;
                return Some(Self { old: true, ..found }).filter(|found| found.identity == identity);
            }
        }
        None
    }

    /// Goes to byte `offset`.
    pub(super) async fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(offset)).await?;
        self.offset = offset;
        Ok(())
    }
}

/// The source went away: nobody wants more.
struct Gone;

/// Reads one path until its end, or for ever.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) label: String,
    pub(super) path: PathBuf,
    pub(super) follow: bool,
    /// Another run goes on where this one ends.
    pub(super) resumes: bool,
    pub(super) poll: Duration,
    pub(super) events: mpsc::Sender<Result<Event<Identity>, Error>>,
}

impl Reader {
    /// Reads `first`, then what stands at the path.
    pub(super) async fn run(self, first: Option<Opened>) {
        let _: Result<(), Gone> = self.read_all(first).await;
    }

    async fn read_all(&self, first: Option<Opened>) -> Result<(), Gone> {
        let mut next = first;
        loop {
            let Some(mut file) = next.take() else {
                next = self.look().await?;
                continue;
            };
            self.send(Ok(Event::Origin(file.identity, file.offset))).await?;
            self.read(&mut file).await?;
            let over = !self.follow && !file.old;
            // Half a line may be half written: where there is a next run, it gets the whole one.
            if !(over && self.resumes) {
                self.send(Ok(Event::End)).await?;
            }
            if over {
                return Ok(());
            }
        }
    }

    /// The file at the path, or nothing after a pause.
    async fn look(&self) -> Result<Option<Opened>, Gone> {
        match Opened::open(&self.path).await {
            Ok(Some(file)) => return Ok(Some(file)),
            Ok(None) if self.follow => {}
            Ok(None) => {
                let message = "there is no file at the path, or not any more";
                let error = Error::permanent(ErrorKind::Io, message).with("path", self.path.display());
                self.send(Err(error)).await?;
                return Err(Gone);
            }
            Err(error) => self.send(Err(error)).await?,
        }
        sleep(self.poll).await;
        Ok(None)
    }

    /// Reads one file until nothing can follow.
    async fn read(&self, file: &mut Opened) -> Result<(), Gone> {
        let mut chunk = vec![0; CHUNK];
        let mut quiet = 0;
        loop {
            match file.file.read(&mut chunk).await {
                Ok(0) if file.old || !self.follow || quiet == QUIET_LOOKS => return Ok(()),
                Ok(0) => {
                    sleep(self.poll).await;
                    self.restart_if_truncated(file).await?;
                    quiet = if self.is_rotated(file).await { quiet + 1 } else { 0 };
                }
                Ok(length) => {
                    quiet = 0;
                    file.offset += length as u64;
                    self.send(Ok(Event::Bytes(chunk[..length].to_vec()))).await?;
                }
                Err(error) => {
                    let error = Error::from(error).with("path", self.path.display());
                    self.send(Err(error)).await?;
                    sleep(self.poll).await;
                }
            }
        }
    }

    async fn restart_if_truncated(&self, file: &mut Opened) -> Result<(), Gone> {
        let Ok(metadata) = file.file.metadata().await else { return Ok(()) };
        if metadata.len() >= file.offset {
            return Ok(());
        }
        let (path, length) = (self.path.display(), metadata.len());
        tracing::info!(at = self.label, %path, read = file.offset, length, "the file was cut: reading from its beginning");
        match file.seek(0).await {
            Ok(()) => self.send(Ok(Event::Origin(file.identity, 0))).await,
            Err(error) => self.send(Err(error)).await,
        }
    }

    /// Does another file stand at the path? One that is only gone may come back.
    async fn is_rotated(&self, file: &Opened) -> bool {
        match tokio::fs::metadata(&self.path).await {
            Ok(metadata) => Identity::of(&metadata) != file.identity,
            Err(_) => false,
        }
    }

    async fn send(&self, event: Result<Event<Identity>, Error>) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }
}
