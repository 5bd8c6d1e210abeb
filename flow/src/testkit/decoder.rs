//! What a decoder promises.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::{Deserializer, Error as _, IgnoredAny};

use crate::codec::RecordDecoder;
use crate::error::{Reason, RecordError};
use crate::record::collection::Collect;
use crate::record::schema::Schema;
use crate::record::typed::TypedRecords;
use crate::testkit::bytes::{adversarial, random, show, truncated};
use crate::testkit::rows::Decoding;
use crate::testkit::verdict::{PATIENCE, Verdict, isolated, not_checked, require};

/// Payloads of random bytes that are tried.
const RANDOM: usize = 4000;

/// Checks the contract of [`RecordDecoder`] on the decoders that `make` makes, each of them fresh.
///
/// [`DecoderKit::schema`] and [`DecoderKit::payloads`] say what it reads.
pub fn decoder<D: RecordDecoder, M: Fn() -> D + Send + Sync + 'static>(make: M) -> DecoderKit<M> {
    let patience = PATIENCE;
    DecoderKit { make: Arc::new(make), schema: Schema::new(Vec::new()), payloads: Vec::new(), patience }
}

/// What a decoder promises, a method each. `Err` says what the decoder did, and with which payload.
#[derive(Debug)]
pub struct DecoderKit<M> {
    make: Arc<M>,
    schema: Arc<Schema>,
    payloads: Vec<Vec<u8>>,
    patience: Duration,
}

/// What one check works with.
struct Bench<M> {
    make: Arc<M>,
    schema: Arc<Schema>,
    payloads: Vec<Vec<u8>>,
    /// What is being decoded, for whoever finds that it panics or hangs.
    current: Arc<Mutex<Option<Vec<u8>>>>,
}

impl<D: RecordDecoder, M: Fn() -> D + Send + Sync + 'static> DecoderKit<M> {
    /// The columns to decode into, as a pipeline file would state them.
    #[must_use]
    pub fn schema(mut self, schema: Arc<Schema>) -> Self {
        self.schema = schema;
        self
    }

    /// Good payloads, in the order of their stream: the more kinds, the better. Everything that does harm is made from
    /// them.
    #[must_use]
    pub fn payloads(mut self, payloads: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        self.payloads.extend(payloads.into_iter().map(|payload| payload.as_ref().to_vec()));
        self
    }

    /// The sixth part of the time that a check may take. Default: 10 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn check(
        &self,
        name: &'static str,
        check: impl FnOnce(&Bench<M>) -> Result<(), String> + Send + 'static,
    ) -> Verdict {
        let current = Arc::new(Mutex::new(None));
        let bench = Bench {
            make: Arc::clone(&self.make),
            schema: Arc::clone(&self.schema),
            payloads: self.payloads.clone(),
            current: Arc::clone(&current),
        };
        isolated(name, self.patience, move || check(&bench)).map_err(|violation| {
            match current.lock().unwrap_or_else(PoisonError::into_inner).as_deref() {
                Some(payload) => violation.with(&format!(", with the payload {}", show(payload))),
                None => violation,
            }
        })
    }

    /// Runs every check.
    ///
    /// # Panics
    /// With everything that the decoder does not keep.
    #[track_caller]
    pub fn run(&self) {
        require(
            "decoder",
            [
                self.good_payloads_become_records(),
                self.random_bytes_do_no_harm(),
                self.truncated_payloads_do_no_harm(),
                self.adversarial_payloads_do_no_harm(),
                self.an_error_says_whether_the_stream_can_go_on(),
                self.a_refused_record_is_reported(),
            ],
        );
    }

    /// The kit's payloads are decoded whole, to the same records each time, whatever is decoded into.
    pub fn good_payloads_become_records(&self) -> Verdict {
        self.check("good_payloads_become_records", Bench::good)
    }

    /// No random bytes make it panic or loop.
    pub fn random_bytes_do_no_harm(&self) -> Verdict {
        self.check("random_bytes_do_no_harm", |bench| bench.survives(random(&bench.payloads, RANDOM)))
    }

    /// No beginning of a good payload makes it panic or loop.
    pub fn truncated_payloads_do_no_harm(&self) -> Verdict {
        self.check("truncated_payloads_do_no_harm", |bench| bench.survives(truncated(&bench.payloads)))
    }

    /// Neither changed bytes, lengths without measure, deep nesting nor payloads glued together make it panic or loop.
    pub fn adversarial_payloads_do_no_harm(&self) -> Verdict {
        self.check("adversarial_payloads_do_no_harm", |bench| bench.survives(adversarial(&bench.payloads)))
    }

    /// After an error that is not fatal, the next good payload gives the same records as without it.
    pub fn an_error_says_whether_the_stream_can_go_on(&self) -> Verdict {
        self.check("an_error_says_whether_the_stream_can_go_on", Bench::goes_on)
    }

    /// A record that the collection does not take is an error of the payload or is rejected, with the collection's own
    /// reason ([`Collect::fault`]).
    pub fn a_refused_record_is_reported(&self) -> Verdict {
        self.check("a_refused_record_is_reported", Bench::reports)
    }
}

impl<D: RecordDecoder, M: Fn() -> D> Bench<M> {
    fn decoding(&self) -> Decoding<D> {
        Decoding::new((self.make)(), &self.schema)
    }

    fn watched<T>(&self, payload: &[u8], decode: impl FnOnce() -> T) -> T {
        let current = |value| *self.current.lock().unwrap_or_else(PoisonError::into_inner) = value;
        current(Some(payload.to_vec()));
        let result = decode();
        current(None);
        result
    }

    fn samples(&self) -> Result<&[Vec<u8>], String> {
        match self.payloads.as_slice() {
            [] => Err("the kit has no good payloads; add them with `.payloads([…])`".to_owned()),
            payloads => Ok(payloads),
        }
    }

    fn good(&self) -> Result<(), String> {
        let (mut first, mut second) = (self.decoding(), self.decoding());
        let (mut typed, mut decoder) = (TypedRecords::<IgnoredAny>::new(), (self.make)());
        let mut count = 0;
        for payload in self.samples()? {
            let bad = |error: &dyn std::fmt::Display| {
                format!("the good payload {} was not decoded: {error}", show(payload))
            };
            let rows = self.watched(payload, || first.decode(payload)).map_err(|error| bad(&error))?;
            if let Some(rejected) = rows.iter().find_map(|row| row.strip_prefix("rejected: ")) {
                return Err(bad(&rejected));
            }
            let again = second.decode(payload).map_err(|error| bad(&error))?;
            if rows != again {
                return Err(format!(
                    "the payload {} gave {rows:?} at first and {again:?} in another decoder",
                    show(payload)
                ));
            }
            let before = Collect::len(&typed);
            self.watched(payload, || decoder.decode(payload, &mut typed)).map_err(|error| bad(&error))?;
            let taken = Collect::len(&typed) - before;
            if taken != rows.len() {
                return Err(format!(
                    "the payload {} gave {} columnar records and {taken} records of another type",
                    show(payload),
                    rows.len()
                ));
            }
            count += rows.len();
        }
        if count == 0 { Err("the good payloads hold no record at all".to_owned()) } else { Ok(()) }
    }

    fn survives(&self, payloads: Vec<Vec<u8>>) -> Result<(), String> {
        self.samples()?;
        let mut decoding = self.decoding();
        for payload in payloads {
            let outcome = self.watched(&payload, || decoding.decode(&payload));
            // One that has lost its place promises nothing more.
            if outcome.is_err_and(|error| error.is_fatal()) {
                decoding = self.decoding();
            }
        }
        Ok(())
    }

    fn goes_on(&self) -> Result<(), String> {
        let samples = self.samples()?;
        let (before, after) = (&samples[0], samples.get(1).unwrap_or(&samples[0]));
        let refused = |error| format!("the good payload {} was not decoded: {error}", show(after));
        let mut expected = self.decoding();
        expected.decode(before).map_err(refused)?;
        let expected = expected.decode(after).map_err(refused)?;
        let mut bad = truncated(samples);
        bad.extend(random(samples, RANDOM / 10));
        bad.extend(adversarial(samples));
        for payload in bad {
            let mut decoding = self.decoding();
            decoding.decode(before).map_err(refused)?;
            match self.watched(&payload, || decoding.decode(&payload)) {
                Ok(_) => continue,
                Err(error) if error.is_fatal() => continue,
                Err(_) => {}
            }
            let rows = self.watched(after, || decoding.decode(after));
            if rows.as_ref() != Ok(&expected) {
                let got = rows.map_or_else(|error| error.to_string(), |rows| format!("{rows:?}"));
                return Err(format!(
                    "after the error of {}, which is not fatal, the good payload {} gave {got} and not {expected:?}",
                    show(&payload),
                    show(after)
                ));
            }
        }
        Ok(())
    }

    fn reports(&self) -> Result<(), String> {
        let mut checked = false;
        for payload in self.samples()? {
            let mut refusing = Refusing::default();
            let outcome = self.watched(payload, || (self.make)().decode(payload, &mut refusing));
            if refusing.asked == 0 {
                continue;
            }
            checked = true;
            let reported = outcome.err().map(|error| error.record().clone());
            let Some(reported) = reported.or_else(|| refusing.rejected.into_iter().next()) else {
                return Err(format!(
                    "a record of {} was refused by the collection, and the decoder did not say so",
                    show(payload)
                ));
            };
            if reported.reason() != Refusing::REASON {
                return Err(format!(
                    "a record of {} was refused by the collection ({}), and the decoder reported `{}` ({reported}); \
                     take `out.fault()` first",
                    show(payload),
                    Refusing::REASON.as_str(),
                    reported.reason().as_str()
                ));
            }
        }
        if checked { Ok(()) } else { not_checked("the good payloads hold no record at all") }
    }
}

/// A collection that refuses every record.
#[derive(Default)]
struct Refusing {
    asked: usize,
    fault: Option<RecordError>,
    rejected: Vec<RecordError>,
}

impl Refusing {
    /// A reason that no decoder comes to by itself.
    const REASON: Reason = Reason::Missing;
}

impl Collect for Refusing {
    fn collect<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.asked += 1;
        self.fault = None;
        deserializer.deserialize_ignored_any(IgnoredAny)?;
        self.fault = Some(RecordError::new(Self::REASON, "refused by the collection"));
        Err(D::Error::custom("refused by the collection"))
    }

    fn fault(&mut self) -> Option<RecordError> {
        self.fault.take()
    }

    fn reject(&mut self, error: RecordError) {
        self.rejected.push(error);
    }

    fn len(&self) -> usize {
        0
    }

    fn truncate(&mut self, _: usize) {}
}
