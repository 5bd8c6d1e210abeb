//! A sink: files of a directory, by a template over the records.

use std::collections::BTreeMap;
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
    open: BTreeMap<String, File>,
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

fn check(name: &str) -> Result<(), &'static str> {
    if name.contains('/') { Err("a file's name holds no `/`") } else { Ok(()) }
}

impl SpoolSink {
    fn new(config: SpoolConfig, context: &BuildContext) -> Result<Self, Error> {
        let file = Template::parse(&config.file, check).map_err(|why| Error::config("file", why))?;
        let directory = context.resolve(config.directory);
        Ok(Self { directory, file, open: BTreeMap::new(), confirmed: None })
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
            if name.is_empty() {
                return Err(Error::refused_payload(index, "no file's name"));
            }
            if !self.open.contains_key(name) {
                let mut options = File::options();
                let file = options.create(true).append(true).open(self.directory.join(name)).await;
                self.open.insert(name.to_owned(), file?);
            }
            if let Some(file) = self.open.get_mut(name) {
                file.write_all(&[payload.bytes(), b"\n"].concat()).await?;
            }
        }
        for file in self.open.values_mut() {
            file.flush().await?;
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
            let synced = file.sync_all().await;
            let failed = |error: std::io::Error| {
                Error::permanent(ErrorKind::Io, "the file cannot be brought to disk").with_source(error)
            };
            synced.map_err(|error| failed(error).with("file", name))?;
        }
        Ok(())
    }
}
