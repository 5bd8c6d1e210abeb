use flow::{
    BuildContext, Collect, Component, DecodeError, Error, NoConfig, Reason, RecordDecoder, RecordError,
};

/// Reads a temperature in thousandths of a degree, as text.
#[derive(Component)]
#[component(decoder, id = "millidegrees")]
pub struct MillidegreesDecoder;

impl MillidegreesDecoder {
    fn new(_: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl RecordDecoder for MillidegreesDecoder {
    fn decode<C: Collect>(&mut self, payload: &[u8], out: &mut C) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(payload).ok().map(str::trim);
        let number = text.and_then(|text| text.parse::<i32>().ok());
        let number = number.ok_or_else(|| RecordError::new(Reason::Syntax, "a whole number is expected"))?;
        Ok(out.collect_fields([("celsius", (f64::from(number) / 1000.0).into())])?)
    }
}
