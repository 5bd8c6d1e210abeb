//! TLS with an authority of one's own, and with client certificates.

use flow::connector::mqtt::MqttSource;
use flow::{BuildContext, Component};
use serde_json::{Value, json};

use super::{logged, open_sink, open_source, options, publish, subscribed, texts, with};
use crate::support::Broker;
use crate::support::certs::Authority;
use crate::support::mosquitto::Mosquitto;

const LISTENER: &str =
    "allow_anonymous true\ncafile DIR/ca.pem\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n";

/// A Mosquitto that speaks TLS, and the options of a client with a certificate.
fn start(listener: &str) -> Option<(Mosquitto, Value)> {
    let authority = Authority::new();
    let (server, server_key) = authority.issue("localhost");
    let (client, client_key) = authority.issue("client");
    let files = [
        ("ca.pem", authority.pem()),
        ("server.pem", server),
        ("server.key", server_key),
        ("client.pem", client),
        ("client.key", client_key),
        ("other.pem", Authority::new().pem()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let broker = Mosquitto::start_with(&format!("{LISTENER}{listener}"), &files)?;
    let tls = json!({ "ca": broker.file("ca.pem"), "cert": broker.file("client.pem"), "key": broker.file("client.key") });
    Some((broker, tls))
}

fn url(broker: &Mosquitto) -> String {
    format!("mqtts://localhost:{}", broker.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_ones_own_is_trusted() {
    let Some((broker, mut tls)) = start("") else { return };
    tls.as_object_mut().expect("an object").retain(|key, _| key == "ca");
    round_trip("tls-ca", &broker, &tls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_its_certificate() {
    let Some((broker, tls)) = start("require_certificate true\n") else { return };
    round_trip("tls-mutual", &broker, &tls).await;
}

async fn round_trip(label: &str, broker: &Mosquitto, tls: &Value) {
    for version in ["3.1.1", "5"] {
        let label = format!("{label}-{version}");
        let extra = json!({ "version": version, "qos": 1, "tls": tls });
        let mut source = subscribed(&label, options(&url(broker), &label, &extra)).await;
        let mut sink = open_sink(&format!("{label}-sink"), options(&url(broker), &label, &extra)).await;
        let big = "x".repeat(300_000);
        publish(&mut sink, 1, ["a", &big]).await;
        assert_eq!(texts(&mut source, 2).await, ["a", &big]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_another_authority_is_not_talked_to() {
    let Some((broker, _)) = start("") else { return };
    let tls = json!({ "tls": { "ca": broker.file("other.pem") } });
    let _source = open_source("tls-other", options(&url(&broker), "t", &tls)).await;
    logged("tls-other", "the TLS handshake failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_are_start_up_errors() {
    let Some((broker, tls)) = start("") else { return };
    let base = options(&url(&broker), "t", &json!({}));
    for (change, key, words) in [
        (json!({ "ca": broker.file("absent.pem") }), "tls.ca", "cannot be read"),
        (json!({ "ca": broker.file("server.key") }), "tls.ca", "holds no PEM certificate"),
        (json!({ "cert": broker.file("server.key") }), "tls.cert", "holds no PEM certificate"),
        (json!({ "key": broker.file("ca.pem") }), "tls.key", "cannot be read"),
        (json!({ "key": broker.file("server.key") }), "tls.cert", "do not fit together"),
        (json!({ "key": null }), "tls.key", "needs the `key`"),
    ] {
        let options = with(base.clone(), &json!({ "tls": with(tls.clone(), &change) }));
        let config = serde_json::from_value(options).expect("options");
        let Err(error) = MqttSource::build(config, &BuildContext::default()) else {
            panic!("{change} is taken")
        };
        assert_eq!(error.key(), Some(key), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
