//! What becomes of records that cannot go on: counted, logged, and skipped, dead-lettered or the end of the pipeline.

use crate::error::{Error, ErrorKind, Reason, RecordError};
use crate::pipeline::dead_letter::DeadLetter;
use crate::pipeline::log_limit::LogLimit;
use crate::pipeline::metrics::Metrics;
use crate::record::{Collection, Payload, PayloadBatch, TypedRecords};

/// Bytes of the payload that a line shows.
const EXCERPT: usize = 96;

/// What the pipeline file says about records that cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fail,
    Skip,
    DeadLetter,
}

/// The rejections of the batch at hand.
#[derive(Debug)]
pub(crate) struct Rejections {
    pipeline: String,
    fate: Fate,
    metrics: Metrics,
    log: RejectLog,
    letters: TypedRecords<DeadLetter>,
    count: usize,
    /// For each payload of the batch that has a dead letter, which.
    letter_of: Vec<Option<u32>>,
    /// Which rows of the output a sink has rejected, and how many.
    rows: Vec<bool>,
    lost: usize,
}

impl Rejections {
    pub(crate) fn new(pipeline: &str, fate: Fate, metrics: Metrics) -> Self {
        let (log, letters) = (RejectLog::new(pipeline), TypedRecords::new());
        Self {
            pipeline: pipeline.to_owned(),
            fate,
            metrics,
            log,
            letters,
            count: 0,
            letter_of: Vec::new(),
            rows: Vec::new(),
            lost: 0,
        }
    }

    pub(crate) fn fate(&self) -> Fate {
        self.fate
    }

    /// A new batch begins.
    pub(crate) fn begin(&mut self) {
        self.letters.empty();
        self.letter_of.clear();
        self.rows.clear();
        (self.count, self.lost) = (0, 0);
    }

    /// Records of this batch that were rejected, wherever it was.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Records of this batch that were decoded and then rejected by a sink.
    pub(crate) fn lost(&self) -> usize {
        self.lost
    }

    /// The dead letters of this batch.
    pub(crate) fn letters(&self) -> &TypedRecords<DeadLetter> {
        &self.letters
    }

    /// A record of the payload at `index` of `batch` cannot go on.
    ///
    /// # Errors
    /// Where the pipeline file says `on_error = "fail"`.
    pub(crate) fn reject(
        &mut self,
        source: &str,
        batch: &PayloadBatch,
        index: usize,
        error: &RecordError,
    ) -> Result<(), Error> {
        let payload = batch.get(index);
        self.metrics.rejected(error.reason());
        self.count += 1;
        let fate = match self.fate {
            Fate::Fail => "stops the pipeline",
            Fate::Skip => "skipped",
            Fate::DeadLetter => "dead-lettered",
        };
        self.log.write(source, payload, error, fate);
        match self.fate {
            Fate::Fail => {
                let message = format!("a record cannot go on, and `on_error` is \"fail\": {error}");
                return Err(Error::permanent(ErrorKind::Record, message).with("from", source));
            }
            Fate::Skip => {}
            Fate::DeadLetter => self.dead_letter(source, payload, index, error),
        }
        Ok(())
    }

    /// One letter for a payload, however many of its records are rejected: it holds all of the payload's bytes.
    fn dead_letter(&mut self, source: &str, payload: Option<Payload<'_>>, index: usize, error: &RecordError) {
        if self.letter_of.len() <= index {
            self.letter_of.resize(index + 1, None);
        }
        match self.letter_of[index].and_then(|letter| self.letters.get_mut(letter as usize)) {
            Some(letter) => letter.records += 1,
            None => {
                self.letter_of[index] = u32::try_from(Collection::len(&self.letters)).ok();
                self.letters.push(index, DeadLetter::new(&self.pipeline, source, payload, error));
            }
        }
    }

    /// A sink cannot take the record at `row`, which came from the payload at `index` of `batch`. The first sink that says so decides what becomes of it.
    ///
    /// # Errors
    /// Where the pipeline file says `on_error = "fail"`.
    pub(crate) fn reject_row(
        &mut self,
        row: usize,
        source: &str,
        batch: &PayloadBatch,
        index: usize,
        error: &RecordError,
    ) -> Result<(), Error> {
        if self.rows.len() <= row {
            self.rows.resize(row + 1, false);
        }
        if std::mem::replace(&mut self.rows[row], true) {
            self.metrics.rejected(error.reason());
            return Ok(());
        }
        self.lost += 1;
        self.reject(source, batch, index, error)
    }

    /// Says how many log lines were left out.
    pub(crate) fn flush(&mut self) {
        self.log.flush();
    }
}

/// Writes the first record errors of each reason and window, and counts the others.
#[derive(Debug)]
struct RejectLog {
    pipeline: String,
    limits: [LogLimit; Reason::ALL.len()],
}

impl RejectLog {
    fn new(pipeline: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), limits: Default::default() }
    }

    fn write(&mut self, source: &str, payload: Option<Payload<'_>>, error: &RecordError, fate: &str) {
        let reason = error.reason();
        let Some(index) = Reason::ALL.iter().position(|known| *known == reason) else { return };
        if !self.limits[index].admit(|left_out| say_left_out(&self.pipeline, reason, left_out)) {
            return;
        }
        let topic = payload.and_then(|payload| payload.metadata().topic).unwrap_or("-");
        let excerpt = payload.map(|payload| excerpt(payload.bytes(), error.offset())).unwrap_or_default();
        tracing::warn!(
            pipeline = self.pipeline,
            source,
            topic,
            reason = reason.as_str(),
            "record {fate}: {error}; payload: {excerpt}"
        );
    }

    /// Says how many were left out since the last time.
    fn flush(&mut self) {
        for (limit, reason) in self.limits.iter_mut().zip(Reason::ALL) {
            limit.flush(|left_out| say_left_out(&self.pipeline, *reason, left_out));
        }
    }
}

fn say_left_out(pipeline: &str, reason: Reason, left_out: u64) {
    let reason = reason.as_str();
    tracing::warn!(pipeline, reason, "{left_out} more record errors of this reason since the last line");
}

/// Some bytes around `offset`: text with its control characters escaped, or hexadecimal digits where it is no text.
fn excerpt(bytes: &[u8], offset: Option<usize>) -> String {
    let middle = offset.unwrap_or(0).min(bytes.len());
    let start = if bytes.len() <= EXCERPT {
        0
    } else {
        middle.saturating_sub(EXCERPT / 2).min(bytes.len() - EXCERPT)
    };
    let end = bytes.len().min(start + EXCERPT);
    let shown = &bytes[start..end];
    // The window may cut a character in two at both ends.
    let text = match String::from_utf8_lossy(shown) {
        text if text.trim_matches(char::REPLACEMENT_CHARACTER).contains(char::REPLACEMENT_CHARACTER) => {
            shown.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        text => text
            .chars()
            .map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() })
            .collect(),
    };
    let text: String = text;
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < bytes.len() { "…" } else { "" });
    format!("{before}{text}{after} ({} bytes)", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_shows_the_place_and_is_short() {
        let mut payload = vec![b'a'; 10_000];
        payload[5_000] = b'X';
        let shown = excerpt(&payload, Some(5_000));
        assert!(shown.contains('X') && shown.len() < 200, "{shown}");
        assert_eq!(excerpt(b"{\"a\":\n", None), "{\"a\":\\n (6 bytes)");
        assert_eq!(excerpt(b"a\xff\x01b", Some(0)), "61ff0162 (4 bytes)");
        assert_eq!(excerpt(b"", Some(3)), " (0 bytes)");
        assert!(excerpt(&[0xff; 4], Some(0)).ends_with("(4 bytes)"));
    }
}
