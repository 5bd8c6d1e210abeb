//! An encoder: a line of text for each record.

use flow::{
    BuildContext, Collection, CollectionEncoder, Component, EncodeError, Error, PayloadBatch, Schema,
    Template,
};

/// Writes each record as a text with its fields in it.
#[derive(Debug, Component)]
#[component(encoder, id = "text", config = TextConfig)]
pub struct TextEncoder {
    template: Template,
    line: String,
}

/// What a pipeline file may say about it.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// The text: `{device_id} is at {temperature} °C`.
    template: String,
}

impl TextEncoder {
    fn new(config: TextConfig, _: &BuildContext) -> Result<Self, Error> {
        let template = Template::parse(&config.template, |_| Ok(()));
        let template = template.map_err(|why| Error::config("template", why))?;
        Ok(Self { template, line: String::new() })
    }
}

impl CollectionEncoder for TextEncoder {
    fn check(&self, schema: &Schema) -> Result<(), Error> {
        self.template.check(schema).map_err(|why| Error::config("template", why))
    }

    fn encode<C: Collection>(&mut self, records: &C, out: &mut PayloadBatch) -> Result<(), EncodeError> {
        for index in 0..records.len() {
            self.line.clear();
            let written = records.render(index, &self.template, &mut self.line);
            written.map_err(|error| EncodeError::new(index, error))?;
            out.push(self.line.as_bytes());
        }
        Ok(())
    }
}
