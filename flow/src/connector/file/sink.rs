//! Payloads as lines at the end of a file.

use std::fs::TryLockError;
use std::io::{self, ErrorKind as Io, SeekFrom};
use std::path::PathBuf;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::component::{BuildContext, Component, role};
use crate::connector::SinkConnector;
use crate::connector::confirmed::Confirmed;
use crate::connector::file::claimed;
use crate::connector::file::config::FileSinkConfig;
use crate::connector::file::identity::Identity;
use crate::connector::lines;
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Checkpoint, PayloadBatch};

/// Appends payloads to a file, each with a `\n` after it, and confirms what the operating system has;
/// with `sync`, what the disk has.
///
/// The file is this sink's alone while it runs: a lock says so to other sinks. A batch that could not be written
/// whole is cut off again, and a last line that a crash has left without its `\n` gets one: no line ever glues
/// to another. When the file is renamed or removed, a new one is made in its place.
#[derive(Debug)]
pub struct FileSink {
    label: String,
    path: PathBuf,
    sync: bool,
    target: Option<Target>,
    lines: Vec<u8>,
    confirmed: Confirmed,
}

/// The open file.
#[derive(Debug)]
struct Target {
    file: File,
    identity: Identity,
    /// Bytes that are whole lines.
    length: u64,
    /// A write failed and what it left could not be cut off yet.
    torn: bool,
}

impl Component for FileSink {
    const ID: &'static str = "file";
    const DESCRIPTION: &'static str = "lines appended to a file";
    type Role = role::Sink;
    type Config = FileSinkConfig;

    fn build(config: FileSinkConfig, context: &BuildContext) -> Result<Self, Error> {
        if config.path.is_empty() {
            return Err(Error::config("path", "the path is empty; name a file"));
        }
        let path = context.resolve(config.path);
        context.claim("path", claimed(&path))?;
        Ok(Self {
            label: context.label().to_owned(),
            path,
            sync: config.sync,
            target: None,
            lines: Vec::new(),
            confirmed: Confirmed::default(),
        })
    }
}

impl FileSink {
    async fn open_target(&self) -> Result<Target, Error> {
        let at = |error: Error| error.with("path", self.path.display());
        if tokio::fs::metadata(&self.path).await.is_ok_and(|metadata| !metadata.is_file()) {
            return Err(at(Error::permanent(
                ErrorKind::Io,
                "the path is no regular file; name a file to append to",
            )));
        }
        let opened = OpenOptions::new().create(true).read(true).append(true).open(&self.path).await;
        let file = opened.map_err(|error| match error.kind() {
            Io::NotFound => at(Error::permanent(
                ErrorKind::Io,
                "the directory of the file does not exist; create it first",
            )),
            _ => at(Error::permanent(ErrorKind::Io, "the file cannot be opened").with_source(error)),
        })?;
        let file = file.into_std().await;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "another sink writes this file already; give each its own";
                return Err(at(Error::permanent(ErrorKind::Refused, message)));
            }
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(at = self.label, path = %self.path.display(), %error, "the file cannot be locked");
            }
        }
        let mut target = self.inspect(File::from_std(file)).await.map_err(|error| at(error.into()))?;
        target.end_last_line(&self.label).await.map_err(|error| at(error.into()))?;
        Ok(target)
    }

    async fn inspect(&self, file: File) -> io::Result<Target> {
        let metadata = file.metadata().await?;
        Ok(Target { file, identity: Identity::of(&metadata), length: metadata.len(), torn: false })
    }

    /// The file at the path: the open one, or a new one where that is no longer there.
    async fn target(&mut self) -> Result<&mut Target, Error> {
        let here = tokio::fs::metadata(&self.path).await.ok();
        let identity = here.as_ref().map(Identity::of);
        match self.target.take() {
            Some(mut target) if identity == Some(target.identity) => {
                // Whatever others have appended despite the lock is not cut off with a failed write.
                if let (false, Some(here)) = (target.torn, here) {
                    target.length = here.len();
                }
                Ok(self.target.insert(target))
            }
            None => Err(lines::not_open()),
            Some(mut old) => {
                tracing::info!(at = self.label, path = %self.path.display(), "the file was moved away: making a new one");
                // The old one stays where it is until the new one is there, for a call that comes again.
                // What is there of a batch that could not be written whole comes again, whole, in the new one.
                let cut = if old.torn { old.cut().await } else { Ok(()) };
                let (synced, opened) = (old.file.sync_all().await, self.open_target().await);
                self.target = Some(old);
                cut.and(synced).map_err(|error| Error::from(error).with("path", self.path.display()))?;
                Ok(self.target.insert(opened?))
            }
        }
    }
}

impl Target {
    /// Half a line that a crash has left, or that somebody else wrote, becomes a line of its own.
    async fn end_last_line(&mut self, label: &str) -> io::Result<()> {
        if self.length == 0 {
            return Ok(());
        }
        self.file.seek(SeekFrom::End(-1)).await?;
        if self.file.read_u8().await? != b'\n' {
            tracing::warn!(at = label, "the file ends within a line: ending the line");
            self.append(b"\n", false).await?;
        }
        Ok(())
    }

    /// Appends all of `bytes` or nothing.
    async fn append(&mut self, bytes: &[u8], sync: bool) -> io::Result<()> {
        if self.torn {
            self.cut().await?;
        }
        self.torn = true;
        match self.append_to_end(bytes, sync).await {
            Ok(()) => {
                self.length += bytes.len() as u64;
                self.torn = false;
                Ok(())
            }
            Err(error) => {
                // Where that fails too, the next call begins with it.
                let _: io::Result<()> = self.cut().await;
                Err(error)
            }
        }
    }

    async fn append_to_end(&mut self, bytes: &[u8], sync: bool) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.file.flush().await?;
        if sync {
            self.file.sync_data().await?;
        }
        Ok(())
    }

    async fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length).await?;
        self.torn = false;
        Ok(())
    }
}

impl SinkConnector for FileSink {
    async fn open(&mut self) -> Result<(), Error> {
        self.target = Some(self.open_target().await?);
        Ok(())
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        let sync = self.sync;
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        lines::write_lines(batch, &mut lines);
        let written = self.target().await?.append(&lines, sync).await;
        self.lines = lines;
        written.map_err(|error| Error::from(error).with("path", self.path.display()))?;
        self.confirmed.confirm(checkpoint);
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        Ok(self.confirmed.news().await)
    }

    async fn close(self) -> Result<(), Error> {
        let Some(mut target) = self.target else { return Ok(()) };
        let ended = async {
            if target.torn {
                target.cut().await?;
            }
            target.file.sync_all().await
        };
        ended.await.map_err(|error| Error::from(error).with("path", self.path.display()))
    }
}
