use serde_json::{Value, json};

use crate::component::{BuildContext, Component};
use crate::connector::mqtt::{MqttSink, MqttSource};

/// Builds a component from its options and says which key is at fault, and why.
fn build<C: Component>(options: Value) -> Result<(), (String, String)> {
    let config: C::Config =
        serde_json::from_value(options).map_err(|error| (String::new(), error.to_string()))?;
    match C::build(config, &BuildContext::default()) {
        Ok(_) => Ok(()),
        Err(error) => Err((error.key().unwrap_or_default().to_owned(), error.to_string())),
    }
}

fn with(extra: &Value) -> Value {
    let mut options = json!({ "url": "mqtt://localhost", "topic": "t" });
    for (key, value) in extra.as_object().unwrap() {
        options[key] = value.clone();
    }
    options
}

#[test]
fn good_options_are_taken() {
    for extra in [
        json!({}),
        json!({ "url": "mqtt://user:p%40ss@[::1]:1999/" }),
        json!({ "version": "5", "client_id": "x", "session_expiry": 60 }),
        json!({ "client_id": "x", "clean_session": true, "keep_alive": 0 }),
        json!({ "will": { "topic": "gone", "payload": "x", "qos": 2, "retain": true } }),
        json!({ "url": "unix:///run/broker.sock", "username": "u" }),
        json!({ "url": "mqtt+unix:///run/a%20b" }),
        json!({ "qos": 2, "client_id": "x" }),
        json!({ "qos": 1, "at_least_once": false }),
        json!({ "qos": 1, "at_least_once": true, "client_id": "x", "version": "5", "session_expiry": 60 }),
    ] {
        assert_eq!(build::<MqttSource>(with(&extra)), Ok(()), "{extra}");
        assert_eq!(build::<MqttSink>(with(&extra)), Ok(()), "{extra}");
    }
    assert_eq!(build::<MqttSource>(with(&json!({ "topic": ["a/+", "$share/g/b/#"] }))), Ok(()));
    assert_eq!(build::<MqttSink>(with(&json!({ "topic": "alerts/{id}", "retain": true }))), Ok(()));
}

#[test]
fn bad_options_name_their_key_and_the_fix() {
    for (extra, key, words) in [
        (json!({ "url": "localhost:1883" }), "url", "write `mqtt://host:1883`"),
        (json!({ "url": "http://a" }), "url", "`http://` is no scheme of MQTT"),
        (json!({ "url": "mqtt://" }), "url", "names no host"),
        (json!({ "url": "mqtt://a/b" }), "url", "nothing can stand after"),
        (json!({ "url": "mqtt://u@a", "username": "v" }), "username", "give it once"),
        (json!({ "password": "x" }), "username", "needs a user name"),
        (json!({ "clean_session": false }), "client_id", "needs a `client_id`"),
        (json!({ "client_id": "" }), "client_id", "cannot be empty"),
        (json!({ "session_expiry": 1 }), "session_expiry", "version = \"5\""),
        (json!({ "version": "5", "session_expiry": 1 }), "session_expiry", "no effect"),
        (json!({ "qos": 3 }), "qos", "can be 0"),
        (json!({ "at_least_once": true }), "qos", "needs `qos = 1`"),
        (json!({ "url": "unix://run/a" }), "url", "three slashes"),
        (json!({ "url": "unix:///" }), "url", "three slashes"),
        (json!({ "url": "unix:///run/a", "tls": {} }), "tls", "socket of this machine"),
        (json!({ "tls": {} }), "tls", "write `mqtts://`"),
        (json!({ "will": { "topic": "a/#" } }), "will.topic", "wildcards"),
        (json!({ "will": { "topic": "a", "qos": 3 } }), "will.qos", "can be 0"),
        (json!({ "connect_timeout": 0 }), "connect_timeout", "default is 10"),
        (json!({ "max_packet_size": 3 }), "max_packet_size", "64 bytes"),
        (json!({ "max_packet_size": 1_u32 << 29 }), "max_packet_size", "more than 268435460 bytes"),
        (
            json!({ "url": "mqtts://a", "tls": { "ca": "absent.pem" } }),
            "tls.ca",
            "`absent.pem` cannot be read",
        ),
        (json!({ "version": "4" }), "", "expected `3.1.1` or `5`"),
        (json!({ "keep_alive": "x" }), "", "expected u16"),
        (json!({ "colour": 1 }), "", "unknown field `colour`"),
    ] {
        for result in [build::<MqttSource>(with(&extra)), build::<MqttSink>(with(&extra))] {
            let (at, text) = result.unwrap_err();
            assert_eq!(at, key, "{extra}: {text}");
            assert!(text.contains(words), "{extra}: {text}");
        }
    }
    for (extra, key, words) in [
        (
            json!({ "qos": 1 }),
            "client_id",
            "give one that no other client has, or set `at_least_once = false`",
        ),
        (json!({ "qos": 2 }), "client_id", "`qos = 2` needs a `client_id`"),
        (json!({ "qos": 1, "client_id": "x", "clean_session": true }), "clean_session", "leave it out"),
        (
            json!({ "qos": 1, "client_id": "x", "version": "5", "session_expiry": 0 }),
            "session_expiry",
            "time for a restart",
        ),
        (json!({ "no_local": true }), "no_local", "MQTT 3.1.1 has no `no_local`; set `version = \"5\"`"),
        (json!({ "retain_handling": "new" }), "retain_handling", "set `version = \"5\"`"),
        (json!({ "retain_handling": "often" }), "", "unknown variant `often`"),
        (json!({ "receive_maximum": 10 }), "receive_maximum", "set `version = \"5\"`"),
        (json!({ "version": "5", "receive_maximum": 0 }), "receive_maximum", "1 to 65535"),
        (json!({ "version": "5", "no_local": true, "topic": "$share/g/a" }), "no_local", "shared"),
    ] {
        let (at, text) = build::<MqttSource>(with(&extra)).unwrap_err();
        assert_eq!(at, key, "{extra}: {text}");
        assert!(text.contains(words), "{extra}: {text}");
    }
    // A sink sends again by itself: it needs no name and no session for that.
    for extra in [
        json!({ "qos": 1 }),
        json!({ "qos": 2, "clean_session": true, "client_id": "x" }),
        json!({
            "version": "5", "content_type": "application/json", "response_topic": "r", "correlation_data": "c",
            "message_expiry": 60, "user_properties": { "a": "b" },
        }),
    ] {
        assert_eq!(build::<MqttSink>(with(&extra)), Ok(()), "{extra}");
    }
    for (extra, key, words) in [
        (json!({ "content_type": "x" }), "content_type", "MQTT 3.1.1 has no `content_type`"),
        (json!({ "user_properties": { "a": "b" } }), "user_properties", "set `version = \"5\"`"),
        (json!({ "version": "5", "response_topic": "a/#" }), "response_topic", "wildcards"),
        (json!({ "version": "5", "user_properties": { "a": "\u{0}" } }), "user_properties", "NUL"),
    ] {
        let (at, text) = build::<MqttSink>(with(&extra)).unwrap_err();
        assert_eq!(at, key, "{extra}: {text}");
        assert!(text.contains(words), "{extra}: {text}");
    }
    for (topic, words) in [(json!("a/#/b"), "last level"), (json!([]), "empty"), (json!(["ok", ""]), "empty")]
    {
        let (key, text) = build::<MqttSource>(with(&json!({ "topic": topic }))).unwrap_err();
        assert_eq!(key, "topic");
        assert!(text.contains(words), "{topic}: {text}");
    }
    for (topic, words) in
        [("a/+", "wildcards"), ("", "empty"), ("a/{b", "never closed"), ("#/{b}", "wildcards")]
    {
        let (key, text) = build::<MqttSink>(with(&json!({ "topic": topic }))).unwrap_err();
        assert_eq!(key, "topic");
        assert!(text.contains(words), "{topic}: {text}");
    }
    let (key, _) = build::<MqttSink>(with(&json!({ "max_in_flight": 65_535 }))).unwrap_err();
    assert_eq!(key, "max_in_flight");
}

#[test]
fn no_error_repeats_the_password() {
    for url in [
        "mqtt://u:hush hush@a/b",
        "http://u:hush@a",
        "mqtt://u:hush@",
        "mqtt://u:hush@a?x",
        "mqtt://u:hush@a:99999",
    ] {
        let (_, text) = build::<MqttSource>(with(&json!({ "url": url }))).unwrap_err();
        assert!(!text.contains("hush"), "{text}");
    }
}
