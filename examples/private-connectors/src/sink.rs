//! Frames to a gateway.

use std::collections::VecDeque;

use flow::{BuildContext, Checkpoint, Component, Error, PayloadBatch, SinkConnector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::frame;
use crate::link::{ACK, Link};
use crate::source::check_address;

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcmeSinkConfig {
    /// The gateway, as `host:port`.
    pub address: String,
    /// Frames that may be on their way at once.
    #[serde(default = "window")]
    pub window: usize,
}

fn window() -> usize {
    256
}

/// Sends frames to a gateway; they are confirmed when the gateway has answered them.
#[derive(Debug, Component)]
#[component(sink, id = "acme", config = AcmeSinkConfig)]
pub struct AcmeSink {
    link: Link,
    window: usize,
    /// Frames without an answer, each with the batch that it belongs to.
    unanswered: VecDeque<(Checkpoint, Vec<u8>)>,
    /// So many of them were sent on this connection, and so many bytes of the next.
    sent: (usize, usize),
    /// The newest batch of which nothing is left to come.
    complete: Option<Checkpoint>,
    confirmed: Option<Checkpoint>,
    told: Option<Checkpoint>,
}

impl AcmeSink {
    fn new(config: AcmeSinkConfig, context: &BuildContext) -> Result<Self, Error> {
        check_address(&config.address)?;
        if config.window == 0 {
            return Err(Error::config("window", "0 would never send; leave the key out for 256"));
        }
        Ok(Self {
            link: Link::new(context.label(), config.address),
            window: config.window,
            unanswered: VecDeque::new(),
            sent: (0, 0),
            complete: None,
            confirmed: None,
            told: None,
        })
    }

    /// Sends or hears something, whatever is possible first.
    ///
    /// # Cancel safety
    /// Cancel safe: reading and writing are, and what they did is noted in the poll that returns.
    async fn step(&mut self) {
        if self.link.connect().await {
            self.sent = (0, 0);
        }
        let Some(stream) = self.link.connected() else { return };
        let (mut reader, mut writer) = stream.split();
        let (frames, bytes) = self.sent;
        let due = self.unanswered.get(frames).map_or(&[][..], |(_, frame)| &frame[bytes..]);
        let mut answers = [0; 256];
        let outcome = tokio::select! {
            heard = reader.read(&mut answers) => match heard {
                Ok(0) => Err("the gateway has closed it".to_owned()),
                Ok(length) => self.hear(&answers[..length]),
                Err(error) => Err(error.to_string()),
            },
            written = writer.write(due), if !due.is_empty() => match written {
                Ok(length) if length == due.len() => {
                    self.sent = (frames + 1, 0);
                    Ok(())
                }
                Ok(length) => {
                    self.sent.1 += length;
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            },
        };
        if let Err(why) = outcome {
            self.link.lose(&why);
        }
    }

    fn hear(&mut self, answers: &[u8]) -> Result<(), String> {
        self.link.heard();
        for answer in answers {
            if *answer != ACK || self.sent.0 == 0 {
                return Err(format!(
                    "the gateway answered {answer:#04x} where no frame was sent or 0x06 was due"
                ));
            }
            self.sent.0 -= 1;
            if let Some((answered, _)) = self.unanswered.pop_front() {
                match self.unanswered.front() {
                    Some((next, _)) if *next > answered => self.confirmed = Some(answered),
                    Some(_) => {}
                    None => self.confirmed = self.complete,
                }
            }
        }
        Ok(())
    }

    /// Nothing more comes for this batch.
    fn end(&mut self, checkpoint: Checkpoint) {
        self.complete = Some(checkpoint);
        if self.unanswered.is_empty() {
            self.confirmed = self.complete;
        }
    }
}

impl SinkConnector for AcmeSink {
    async fn write(&mut self, batch: &PayloadBatch, checkpoint: Checkpoint) -> Result<(), Error> {
        for (index, payload) in batch.iter().enumerate() {
            if let Err(error) = frame::body(payload.bytes()) {
                return Err(Error::refused_payload(index, format!("no frame: {error}")));
            }
            while self.unanswered.len() >= self.window {
                self.step().await;
            }
            self.unanswered.push_back((checkpoint, payload.bytes().to_vec()));
        }
        self.end(checkpoint);
        while self.sent.0 < self.unanswered.len() {
            self.step().await;
        }
        Ok(())
    }

    /// # Cancel safety
    /// Cancel safe: what is confirmed stands here until it is returned.
    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        loop {
            match self.confirmed {
                Some(newest) if self.told < Some(newest) => {
                    self.told = Some(newest);
                    return Ok(newest);
                }
                _ => self.step().await,
            }
        }
    }

    async fn close(mut self) -> Result<(), Error> {
        while !self.unanswered.is_empty() {
            self.step().await;
        }
        Ok(self.link.close().await?)
    }
}
