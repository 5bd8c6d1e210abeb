//! A pipeline from a file, in the runtime that `flow run` gives it.

use std::future::pending;

use flow::{Builtins, Pipeline};

use crate::Failure;
use crate::input::Work;

pub(super) fn run(work: Work, qos: u8, port: u16) -> Result<(), Failure> {
    let pipeline = Pipeline::<Builtins>::from_text("mqtt_e2e.toml", &file(work, qos, port))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { tokio::spawn(pipeline.run(pending())).await })??;
    Ok(())
}

fn file(work: Work, qos: u8, port: u16) -> String {
    let (codec, body) = match work {
        Work::Raw => ("raw", "payload = \"binary\"\n"),
        Work::Json => (
            "json",
            r#"device_id = "string"
site = "string"
ts = "int64"
temperature = "float64"
humidity = "float64"
pressure = "float64"
voltage = "float64"
sequence = "int64"

[[transform]]
kind = "filter"
column = "temperature"
op = ">"
value = 50.0

[[transform]]
kind = "select"
columns = ["device_id", "temperature", "ts"]
"#,
        ),
    };
    format!(
        r#"on_error = "fail"
[source]
connector = "mqtt"
url = "mqtt://127.0.0.1:{port}"
client_id = "flow-source"
topic = "in/#"
qos = {qos}
decoder = "{codec}"

[source.schema]
{body}
[sink]
connector = "mqtt"
url = "mqtt://127.0.0.1:{port}"
client_id = "flow-sink"
topic = "out/x"
qos = {qos}
encoder = "{codec}"
"#
    )
}
