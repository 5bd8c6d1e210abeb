//! A decoder and an encoder of counted numbers that keep every promise, or all but one.

use std::sync::Arc;

use flow::testkit::{DecoderKit, EncoderKit, WithDecoder, decoder, encoder};
use flow::{
    Collect, Collection, CollectionEncoder, DecodeError, EncodeError, PayloadBatch, Reason, RecordDecoder,
    RecordError, Schema,
};
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde_json::json;

use crate::{SOON, broken};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    PanicsWhenCut,
    PanicsOnCount,
    PanicsOnRandom,
    Loops,
    LosesItsPlace,
    Fickle,
    Swallows,
    OwnReason,
    TypedOnly,
    Unclosed,
    TooMany,
    Tramples,
    NamesTheFirst,
    KeepsGoing,
    Rounds,
}

/// A count, then as many numbers, a byte each; each number is a record.
struct Counted {
    fault: Fault,
    lost: bool,
}

impl Counted {
    fn numbers(&mut self, payload: &[u8]) -> Result<Vec<u8>, RecordError> {
        let syntax = |message| RecordError::new(Reason::Syntax, message);
        let Some((count, numbers)) = payload.split_first() else {
            assert!(self.fault != Fault::PanicsWhenCut, "a cut payload");
            return Err(syntax("the payload is empty"));
        };
        match self.fault {
            Fault::PanicsOnCount if *count == 0xff => panic!("a count without measure"),
            Fault::PanicsOnRandom if numbers.len() > 600 => panic!("too much"),
            Fault::Loops if *count == 0xff => loop {
                std::thread::sleep(SOON);
            },
            _ => {}
        }
        if std::mem::take(&mut self.lost) {
            return Err(syntax("the place is lost"));
        }
        if usize::from(*count) != numbers.len() {
            self.lost = self.fault == Fault::LosesItsPlace;
            return Err(syntax("the count is wrong"));
        }
        Ok(numbers.to_vec())
    }
}

impl RecordDecoder for Counted {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        for number in self.numbers(payload)? {
            let number = match self.fault {
                Fault::Fickle => i64::from(number) + std::ptr::from_ref(self).addr() as i64,
                _ => i64::from(number),
            };
            if self.fault == Fault::TypedOnly && std::any::type_name::<C>().contains("TypedRecords") {
                continue;
            }
            let record = MapDeserializer::<_, ValueError>::new([("number", number)].into_iter());
            match out.collect(record) {
                Ok(()) => {}
                Err(_) if self.fault == Fault::Swallows => {}
                Err(error) if self.fault == Fault::OwnReason => {
                    return Err(RecordError::new(Reason::Syntax, error.to_string()).into());
                }
                Err(error) => {
                    let own = || RecordError::new(Reason::Type, error.to_string());
                    return Err(out.fault().unwrap_or_else(own).into());
                }
            }
        }
        Ok(())
    }
}

struct Counting(Fault);

impl CollectionEncoder for Counting {
    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        if self.0 == Fault::Tramples {
            out.clear();
        }
        for index in 0..records.len() {
            let value = match records.serialize(index, serde_json::value::Serializer) {
                Ok(value) => value["number"].as_u64().unwrap_or_default(),
                Err(_) if self.0 == Fault::KeepsGoing => continue,
                Err(error) => {
                    let named = if self.0 == Fault::NamesTheFirst { 0 } else { index };
                    return Err(EncodeError::new(named, RecordError::new(Reason::Encode, error.to_string())));
                }
            };
            let number = u8::try_from(value).unwrap() & if self.0 == Fault::Rounds { 0xfe } else { 0xff };
            out.buffer().extend_from_slice(&[1, number]);
            out.finish();
            if self.0 == Fault::TooMany {
                out.push(&[0]);
            }
        }
        if self.0 == Fault::Unclosed {
            out.buffer().push(0);
        }
        Ok(())
    }
}

fn schema() -> Arc<Schema> {
    Schema::from_value(&json!({ "number": { "type": "int64", "required": true } })).unwrap()
}

fn reader(fault: Fault) -> DecoderKit<impl Fn() -> Counted + Send + Sync + 'static> {
    let make = move || Counted { fault, lost: false };
    decoder(make).schema(schema()).payloads([&[2, 7, 8][..], &[1, 9], &[0]]).patience(SOON)
}

type Reading = WithDecoder<fn() -> Counted>;

fn writer(fault: Fault) -> EncoderKit<impl Fn() -> Counting + Send + Sync + 'static, Reading> {
    let make: fn() -> Counted = || Counted { fault: Fault::None, lost: false };
    let records = (0..20).map(|number| json!({ "number": number * 12 + 1 }));
    encoder(move || Counting(fault)).schema(schema()).records(records).decoder(make)
}

flow::conformance! {
    decoder counted => reader(Fault::None);
    encoder counting => writer(Fault::None);
}

#[test]
fn payloads_that_do_harm_are_named() {
    let text = "a call panicked: a cut payload, with the payload 0x";
    broken(reader(Fault::PanicsWhenCut).truncated_payloads_do_no_harm(), text);
    let text = "a call panicked: a count without measure, with the payload 0xff0708";
    broken(reader(Fault::PanicsOnCount).adversarial_payloads_do_no_harm(), text);
    broken(
        reader(Fault::PanicsOnRandom).random_bytes_do_no_harm(),
        "a call panicked: too much, with the payload 0x",
    );
    let text = "a call does not come back: it blocks its thread or loops, with the payload 0xff0708";
    broken(reader(Fault::Loops).adversarial_payloads_do_no_harm(), text);
}

#[test]
fn a_decoder_that_goes_on_where_it_cannot_is_noticed() {
    let text =
        "after the error of 0x, which is not fatal, the good payload 0x0109 gave the place is lost and not";
    let text = text.replace("of 0x,", "of 0x02,");
    broken(reader(Fault::LosesItsPlace).an_error_says_whether_the_stream_can_go_on(), &text);
}

#[test]
fn records_that_are_not_what_was_sent_are_noticed() {
    broken(reader(Fault::Fickle).good_payloads_become_records(), "in another decoder");
    let text = "the payload 0x020708 gave 2 columnar records and 0 records of another type";
    broken(reader(Fault::TypedOnly).good_payloads_become_records(), text);
    let none: [&[u8]; 0] = [];
    let kit = decoder(|| Counted { fault: Fault::None, lost: false }).schema(schema()).payloads(none);
    broken(
        kit.good_payloads_become_records(),
        "the kit has no good payloads; add them with `.payloads([…])`",
    );
    let kit = decoder(|| Counted { fault: Fault::None, lost: false }).schema(schema()).payloads([[5, 5]]);
    broken(kit.good_payloads_become_records(), "the good payload 0x0505 was not decoded: the count is wrong");
}

#[test]
fn refused_records_that_go_missing_are_noticed() {
    let text = "a record of 0x020708 was refused by the collection, and the decoder did not say so";
    broken(reader(Fault::Swallows).a_refused_record_is_reported(), text);
    let text =
        "(missing), and the decoder reported `syntax` (refused by the collection); take `out.fault()` first";
    broken(reader(Fault::OwnReason).a_refused_record_is_reported(), text);
}

#[test]
fn an_encoder_that_frames_badly_is_noticed() {
    let text = "`encode` left bytes behind that belong to no payload; call `finish`";
    broken(writer(Fault::Unclosed).the_framing_is_what_it_says(), text);
    let text = "20 records became 40 payloads where PerRecord means 20";
    broken(writer(Fault::TooMany).the_framing_is_what_it_says(), text);
    let text = "a payload that stood in the batch before the call is not what it was";
    broken(writer(Fault::Tramples).earlier_payloads_stay_as_they_are(), text);
}

#[test]
fn an_encoder_that_fails_badly_is_noticed() {
    let text = "the record at 10 cannot be serialized, and the error names 0";
    broken(writer(Fault::NamesTheFirst).a_record_that_cannot_be_written_is_named(), text);
    let text = "the record at 0 cannot be serialized, and `encode` did not fail";
    broken(writer(Fault::KeepsGoing).a_record_that_cannot_be_written_is_named(), text);
}

#[test]
fn a_record_that_comes_back_as_another_is_noticed() {
    let text = r#"{"number":1} came back as {"number":0}"#;
    broken(writer(Fault::Rounds).records_come_back_as_they_were(), text);
    let kit = encoder(|| Counting(Fault::None)).schema(schema()).records([json!({ "number": "x" })]);
    let text = "does not fit the schema of the kit: field `number`: expected int64";
    broken(kit.the_framing_is_what_it_says(), text);
}
