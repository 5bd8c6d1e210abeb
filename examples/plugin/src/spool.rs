//! A sink: files of a directory, by a template over the records.

use std::collections::VecDeque;
use std::path::PathBuf;

use flow::{BuildContext, Checkpoint, Component, Error, ErrorKind, PayloadBatch, SinkConnector, Template};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

/// Appends each payload as a line to the file that its record names.
#[derive(Debug, Component)]
#[component(sink, id = "spool", config = SpoolConfig)]
pub struct SpoolSink {
    directory: PathBuf,
    file: Template,
    open: VecDeque<(String, File)>,
    confirmed: Option<Checkpoint>,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpoolConfig {
    /// Where the files lie.
    directory: PathBuf,
    /// A file's name, with the fields of its records: `{device_id}.txt`.
    file: String,
}

/// Files that are open at once. The one that was written to longest ago is closed first.
const MOST_OPEN: usize = 64;

fn check(name: &str) -> Result<(), &'static str> {
    match name {
        "" | "." | ".." => Err("no file's name"),
        name if name.contains(['/', '\0']) => Err("a file's name holds no `/` and no NUL character"),
        _ => Ok(()),
    }
}

/// What was written of a batch is not known after this: it must not come again as if nothing had been.
fn failed(error: std::io::Error, name: &str) -> Error {
    Error::permanent(ErrorKind::Io, "the file cannot be written").with_source(error).with("file", name)
}

impl SpoolSink {
    fn new(config: SpoolConfig, context: &BuildContext) -> Result<Self, Error> {
        let file = Template::parse(&config.file, check).map_err(|why| Error::config("file", why))?;
        let directory = context.resolve(config.directory);
        // Two of them would write each other's files.
        context.claim("file", format!("the file {}", directory.join(&config.file).display()))?;
        Ok(Self { directory, file, open: VecDeque::new(), confirmed: None })
    }

    /// The file of this name, open, at the end of those that are.
    async fn file(&mut self, name: &str) -> Result<&mut File, Error> {
        let file =
            match self.open.iter().position(|(open, _)| open == name).and_then(|at| self.open.remove(at)) {
                Some((_, file)) => file,
                None => {
                    let mut options = File::options();
                    let opened = options.create(true).append(true).open(self.directory.join(name)).await;
                    opened.map_err(|error| failed(error, name))?
                }
            };
        if self.open.len() == MOST_OPEN
            && let Some((name, mut file)) = self.open.pop_front()
        {
            file.flush().await.map_err(|error| failed(error, &name))?;
        }
        self.open.push_back((name.to_owned(), file));
        self.open
            .back_mut()
            .map(|(_, file)| file)
            .ok_or_else(|| Error::permanent(ErrorKind::Closed, "no file is open"))
    }
}

impl SinkConnector for SpoolSink {
    async fn open(&mut self) -> Result<(), Error> {
        let made = tokio::fs::create_dir_all(&self.directory).await;
        made.map_err(|error| Error::from(error).with("directory", self.directory.display()))
    }

    fn route(&self) -> Option<&Template> {
        Some(&self.file)
    }

    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        for (index, payload) in batch.iter().enumerate() {
            let name = payload.metadata().topic.unwrap_or_default();
            if let Err(why) = check(name) {
                return Err(Error::refused_payload(index, why));
            }
            let written = self.file(name).await?.write_all(&[payload.bytes(), b"\n"].concat()).await;
            written.map_err(|error| failed(error, name))?;
        }
        for (name, file) in &mut self.open {
            file.flush().await.map_err(|error| failed(error, name))?;
        }
        tracing::debug!(payloads = batch.len(), "written");
        self.confirmed = Some(checkpoint);
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        match self.confirmed.take() {
            Some(checkpoint) => Ok(checkpoint),
            None => std::future::pending().await,
        }
    }

    async fn close(mut self) -> Result<(), Error> {
        for (name, file) in &mut self.open {
            file.sync_all().await.map_err(|error| failed(error, name))?;
        }
        Ok(())
    }
}
