//! `#[derive(Component)]` as an author of a component uses it.

use flow::{
    BuildContext, Checkpoint, Component, Error, NoConfig, PayloadBatch, Progress, SinkConnector,
    SourceConnector, role,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountConfig {
    label: Option<String>,
    to: u64,
}

/// Counts to a number.
///
/// And no further.
#[derive(Debug, Component)]
#[component(source, id = "count", config = CountConfig)]
struct Count {
    label: String,
    at: u64,
    to: u64,
}

impl Count {
    fn new(config: CountConfig, context: &BuildContext) -> Result<Self, Error> {
        if config.to == 0 {
            return Err(Error::config("to", "0 counts nothing; name at least 1"));
        }
        let label = config.label.unwrap_or_else(|| context.label().to_owned());
        Ok(Self { label, at: 0, to: config.to })
    }
}

impl SourceConnector for Count {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        if self.at == self.to {
            return Ok(Progress::End);
        }
        self.at += 1;
        batch.push(self.at.to_string().as_bytes());
        Ok(Progress::Batch(Checkpoint(self.at)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Component)]
#[component(sink, id = "hole", description = "takes everything")]
struct Hole;

impl Hole {
    fn new(NoConfig {}: NoConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl SinkConnector for Hole {
    async fn write(&mut self, _: &PayloadBatch, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn confirmed(&mut self) -> Result<Checkpoint, Error> {
        std::future::pending().await
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

fn is_source<C: Component<Role = role::Source> + SourceConnector>() {}
fn is_sink<C: Component<Role = role::Sink, Config = NoConfig> + SinkConnector>() {}

#[test]
fn id_role_and_description_are_those_of_the_attribute() {
    is_source::<Count>();
    is_sink::<Hole>();
    assert_eq!((Count::ID, Count::DESCRIPTION), ("count", "Counts to a number."));
    assert_eq!((Hole::ID, Hole::DESCRIPTION), ("hole", "takes everything"));
}

#[tokio::test]
async fn build_calls_new_with_config_and_context() {
    let context = BuildContext::new("p/source.count", "");
    let config = serde_json::from_str(r#"{ "to": 1 }"#).unwrap();
    let mut count = Count::build(config, &context).unwrap();
    assert_eq!(count.label, "p/source.count");
    let mut batch = PayloadBatch::new();
    assert_eq!(count.next(&mut batch).await.unwrap(), Progress::Batch(Checkpoint(1)));
    let error = Count::build(CountConfig { label: None, to: 0 }, &context).unwrap_err();
    assert_eq!(error.key(), Some("to"));
}

#[test]
fn a_component_without_a_config_takes_no_keys() {
    assert!(serde_json::from_str::<NoConfig>("{}").is_ok());
    let error = serde_json::from_str::<NoConfig>(r#"{ "colour": "red" }"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `colour`"), "{error}");
}
