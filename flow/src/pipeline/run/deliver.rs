//! From a batch's records to the sinks: in parts, and with dead letters for what cannot go on.

use crate::error::Error;
use crate::pipeline::rejections::Fate;
use crate::pipeline::run::Runner;
use crate::pipeline::stage::Stage;
use crate::record::Collection;
use crate::registry::Registry;

impl<R: Registry, G: Stage> Runner<R, G> {
    /// Encodes and writes the stage's output to every sink, in parts of at most `batch.max_records`: a small payload can hold
    /// very many records. Each part has a sequence of its own; the last stands for the batch. Returns which took something,
    /// a bit each.
    pub(super) async fn deliver(&mut self, index: usize) -> Result<u64, Error> {
        let mut took = 0;
        let (sinks, records) = (self.sinks(), Collection::len(self.stage.output()));
        for start in (0..records).step_by(self.limits.max_records) {
            if start > 0 {
                self.sequence += 1;
                // A word to stop, and the rest of the program, must not wait for all parts.
                tokio::task::yield_now().await;
            }
            let part = start..records.min(start + self.limits.max_records);
            for outlet in 0..sinks {
                self.rejects.clear();
                self.outlets[outlet].encode(self.stage.output(), part.clone(), &mut self.rejects)?;
                self.reject_rows(index)?;
                if self.outlets[outlet]
                    .write(self.stage.output(), self.sequence, &self.metrics, &mut self.rejects)
                    .await?
                {
                    took |= 1 << outlet;
                }
                self.reject_rows(index)?;
            }
        }
        for (outlet, at) in self.outlets.iter_mut().zip(0..sinks) {
            if took & (1 << at) != 0 && outlet.written < self.sequence {
                outlet.advance(self.sequence, &self.metrics).await?;
            }
        }
        Ok(took)
    }

    /// Settles the rows that a sink has rejected, each once.
    fn reject_rows(&mut self, index: usize) -> Result<(), Error> {
        let inlet = &self.inlets[index];
        for (row, error) in self.rejects.drain(..) {
            let payload = self.stage.origin(row);
            self.rejections.reject_row(row, &inlet.label, &inlet.batch, payload, &error)?;
        }
        Ok(())
    }

    /// Writes what was rejected in this batch to the dead-letter sink, where there is one.
    /// Returns how many records are on their way in letters, and the sink's bit.
    pub(super) async fn dead_letters(&mut self) -> Result<(usize, u64), Error> {
        let sinks = self.sinks();
        let letters = self.rejections.letters();
        let Some(outlet) = self.outlets.get_mut(sinks).filter(|_| !Collection::is_empty(letters)) else {
            return Ok((0, 0));
        };
        self.rejects.clear();
        outlet.encode(letters, 0..Collection::len(letters), &mut self.rejects)?;
        let took = outlet.write(letters, self.sequence, &self.metrics, &mut self.rejects).await?;
        let mut records = self.rejections.count();
        for (letter, error) in &self.rejects {
            records -= letters.items().get(*letter).map_or(0, |letter| letter.records as usize);
            let pipeline = &self.name;
            let say = |left_out| {
                tracing::error!(pipeline, "{left_out} more dead letters were lost since the last line");
            };
            if self.lost_letters.admit(say) {
                tracing::error!(pipeline, at = outlet.label, "a dead letter is lost: {error}");
            }
        }
        Ok((records, u64::from(took) << sinks))
    }

    /// How many outlets are sinks of records: all but the dead-letter sink.
    pub(super) fn sinks(&self) -> usize {
        self.outlets.len() - usize::from(self.rejections.fate() == Fate::DeadLetter)
    }
}
