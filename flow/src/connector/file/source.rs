//! Lines of a file as payloads.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::component::{BuildContext, Component, role};
use crate::connector::file::claimed;
use crate::connector::file::config::{FileSourceConfig, FileStart};
use crate::connector::file::identity::Identity;
use crate::connector::file::reader::{Opened, Reader};
use crate::connector::file::state::{Position, StateFile};
use crate::connector::lines::{self, CHUNKS, LineFeed};
use crate::connector::{Progress, SourceConnector};
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Checkpoint, PayloadBatch};

/// Lines of a file; [`Metadata::topic`](crate::Metadata::topic) is the path as the config spells it.
///
/// A last line without `\n` is delivered at the end of the file; while following, and with a `state`, it is held: more
/// of it may come, be it for the next run.
///
/// Following, it notices that the file was cut, and that another file took its place: it reads the old one to its
/// end, then the new one from its beginning. With a `state`, a restart goes on after the last line that was
/// delivered, also where the file was renamed meanwhile within its directory; lines that were not acknowledged
/// come again. What it cannot notice: a file that is cut and grows beyond its old length between two looks, and
/// files that come and go between two looks or two runs.
#[derive(Debug)]
pub struct FileSource {
    label: String,
    topic: String,
    path: PathBuf,
    follow: bool,
    start: FileStart,
    poll: Duration,
    max_line: usize,
    state: Option<StateFile>,
    feed: Option<LineFeed<Identity>>,
    /// The reader; dropped, it is aborted.
    reader: JoinSet<()>,
    checkpoint: u64,
    /// Where each batch ended that is not acknowledged, where there is a state to tell.
    unacknowledged: VecDeque<(Checkpoint, Position)>,
}

impl Component for FileSource {
    const ID: &'static str = "file";
    const DESCRIPTION: &'static str = "lines of a file, followed when asked";
    type Role = role::Source;
    type Config = FileSourceConfig;

    fn build(config: FileSourceConfig, context: &BuildContext) -> Result<Self, Error> {
        if config.path.is_empty() {
            return Err(Error::config("path", "the path is empty; name a file"));
        }
        let path = context.resolve(&config.path);
        let state = config.state.map(|state| context.resolve(state));
        if state.as_ref() == Some(&path) {
            return Err(Error::config("state", "the state would overwrite the file; name another path"));
        }
        if config.start == FileStart::End && !config.follow {
            return Err(Error::config("start", "`end` reads nothing without `follow = true`"));
        }
        if config.poll_ms == 0 {
            return Err(Error::config("poll_ms", "0 would never rest; leave the key out for 100"));
        }
        context.share("path", claimed(&path))?;
        if let Some(state) = &state {
            context.claim("state", claimed(state))?;
        }
        Ok(Self {
            label: context.label().to_owned(),
            topic: config.path,
            path,
            follow: config.follow,
            start: config.start,
            poll: Duration::from_millis(config.poll_ms),
            max_line: lines::check_max_line(config.max_line)?,
            state: state.map(StateFile::new),
            feed: None,
            reader: JoinSet::new(),
            checkpoint: 0,
            unacknowledged: VecDeque::new(),
        })
    }
}

impl FileSource {
    /// The file to begin with, at the byte to begin with.
    async fn first(&self) -> Result<Option<Opened>, Error> {
        let stored = match &self.state {
            Some(state) => state.load().await?,
            None => None,
        };
        let current = Opened::open(&self.path).await?;
        if let Some(position) = stored {
            return self.resume(position, current).await;
        }
        let Some(mut file) = current else { return self.absent().map(|()| None) };
        if self.start == FileStart::End {
            file.seek(file.length).await?;
        }
        Ok(Some(file))
    }

    async fn resume(&self, position: Position, current: Option<Opened>) -> Result<Option<Opened>, Error> {
        let (at, path) = (&self.label, self.path.display());
        let file = match current {
            Some(file) if file.identity == position.file => Some(file),
            _ => Opened::find(&self.path, position.file).await,
        };
        match file {
            Some(mut file) if position.offset <= file.length => {
                file.seek(position.offset).await?;
                Ok(Some(file))
            }
            Some(file) => {
                tracing::warn!(at, %path, read = position.offset, length = file.length,
                    "the file was cut since the last run: reading from its beginning");
                Ok(Some(file))
            }
            None => {
                tracing::warn!(at, %path, read = position.offset,
                    "the file of the last run is gone: what was left of it is not read");
                let current = Opened::open(&self.path).await?;
                if current.is_none() {
                    self.absent()?;
                }
                Ok(current)
            }
        }
    }

    /// No file at the path: fine where it may still come.
    fn absent(&self) -> Result<(), Error> {
        if self.follow
            && self.path.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir())
        {
            tracing::info!(at = self.label, path = %self.path.display(), "waiting for the file");
            return Ok(());
        }
        let message = match self.follow {
            true => "the directory of the file does not exist; create it first",
            false => "the file does not exist; create it, or wait for it with `follow = true`",
        };
        Err(Error::permanent(ErrorKind::Io, message).with("path", self.path.display()))
    }
}

impl SourceConnector for FileSource {
    async fn open(&mut self) -> Result<(), Error> {
        let first = self.first().await?;
        let (sender, events) = mpsc::channel(CHUNKS);
        let reader = Reader {
            label: self.label.clone(),
            path: self.path.clone(),
            follow: self.follow,
            resumes: self.state.is_some(),
            poll: self.poll,
            events: sender,
        };
        self.reader.spawn(reader.run(first));
        self.feed = Some(LineFeed::new(self.label.clone(), self.max_line, events));
        Ok(())
    }

    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        let feed = self.feed.as_mut().ok_or_else(lines::not_open)?;
        if !feed.next(batch, Some(&self.topic)).await? {
            return Ok(Progress::End);
        }
        self.checkpoint += 1;
        let checkpoint = Checkpoint(self.checkpoint);
        if let (Some(_), Some((file, offset))) = (&self.state, feed.position()) {
            self.unacknowledged.push_back((checkpoint, Position { file: *file, offset }));
        }
        Ok(Progress::Batch(checkpoint))
    }

    async fn acknowledge(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let Some(state) = &mut self.state else { return Ok(()) };
        let settled = self.unacknowledged.partition_point(|(handed_out, _)| *handed_out <= checkpoint);
        match self.unacknowledged.drain(..settled).next_back() {
            Some((_, position)) => state.store(position).await,
            None => Ok(()),
        }
    }

    async fn close(mut self) -> Result<(), Error> {
        self.reader.shutdown().await;
        if let Some(feed) = &self.feed {
            feed.report();
        }
        match &mut self.state {
            Some(state) => state.finish().await,
            None => Ok(()),
        }
    }
}
