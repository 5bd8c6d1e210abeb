//! The command line with private components, as an operator meets it.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use acme::Reading;
use acme::gateway::Gateway;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn acme_flow(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_acme-flow")).args(arguments).current_dir(directory).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn list_and_schema_show_private_components() {
    let here = Path::new(".");
    let list = text(&acme_flow(&["list"], here).stdout);
    let acme: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().take(3).collect())
        .filter(|columns: &Vec<&str>| columns[2] == "acme")
        .collect();
    let roles = ["source", "decoder", "encoder", "sink"];
    assert_eq!(acme, roles.map(|role| vec![role, "acme", "acme"]), "{list}");

    let schema: serde_json::Value = serde_json::from_slice(&acme_flow(&["schema"], here).stdout).unwrap();
    assert!(schema.to_string().contains("Frames that may be on their way at once."), "{schema:#}");
}

#[test]
fn check_says_what_is_wrong_with_private_options() {
    let directory = tempfile::tempdir().unwrap();
    let errors = |address: &str, option: &str| {
        let file = format!(
            r#"
[source]
connector = "acme"
address = "{address}"
decoder = "acme"
[source.schema]
device_id = "string"
[sink]
connector = "acme"
address = "gateway:7"
{option}
encoder = "acme"
"#
        );
        std::fs::write(directory.path().join("bad.toml"), file).unwrap();
        let output = acme_flow(&["check", "bad.toml"], directory.path());
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let options = errors("gateway", "windw = 5");
    for expected in ["bad.toml:4: source.address: `gateway` is no `host:port`", "did you mean `window`?"] {
        assert!(options.contains(expected), "no {expected} in {options}");
    }
    let columns = errors("gateway:7", "");
    assert!(columns.contains("there is no column `celsius`"), "{columns}");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_takes_frames_from_one_gateway_to_another() {
    let (from, to) = (Gateway::start().unwrap(), Gateway::start().unwrap());
    let frames: Vec<Vec<u8>> = (0..100).map(|number| frame("pump-7", f64::from(number))).collect();
    let mut sent = frames.clone();
    // One that the decoder does not take, in the middle.
    let mut broken = frames[0].clone();
    *broken.last_mut().unwrap() ^= 1;
    sent.insert(50, broken);
    from.send(sent);

    let directory = tempfile::tempdir().unwrap();
    let (source, sink) = (from.address(), to.address());
    let file = format!(
        r#"
[source]
connector = "acme"
address = "{source}"
decoder = "acme"
[source.schema]
device_id = {{ type = "string", required = true }}
celsius = "float64"
ts = "timestamp(ms)"
[[transform]]
kind = "filter"
column = "celsius"
op = ">="
value = 50.0
[sink]
connector = "acme"
address = "{sink}"
encoder = "acme"
"#
    );
    let path = directory.path().join("hot.toml");
    std::fs::write(&path, file).unwrap();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_acme-flow"));
    let child =
        child.arg("run").arg(&path).stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let settled = async {
        while from.answered() < 101 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("every frame is answered, the broken one, too");
    assert_eq!(to.received(), frames[50..]);

    let asked = Command::new("kill").arg("-TERM").arg(child.id().unwrap().to_string()).status();
    assert!(asked.unwrap().success());
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(errors.contains("the checksum is wrong"), "{errors}");
}

fn frame(device: &str, celsius: f64) -> Vec<u8> {
    let mut frame = Vec::new();
    Reading { device, celsius, time: 1_764_000_000_000 }.write_frame(&mut frame).unwrap();
    frame
}
