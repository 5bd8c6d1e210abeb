//! The options of a connection, checked.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::config::{MqttTls, MqttVersion, MqttWill, Options};
use super::session::Profile;
use super::{tls, topic};
use crate::component::BuildContext;
use crate::error::Error;

/// Where to connect to and as whom.
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(crate) connect_timeout: Duration,
    pub(crate) profile: Profile,
    pub(crate) context: BuildContext,
}

impl Settings {
    /// Checks everything that can be checked without the broker.
    pub(crate) fn new(options: Options, context: &BuildContext) -> Result<Self, Error> {
        let place = Place::parse(&options.url)?;
        let login = login(&place, options.username, options.password)?;
        let clean_session = options.clean_session.unwrap_or(options.client_id.is_none());
        let client_id = match options.client_id {
            Some(id) if id.is_empty() => {
                return Err(Error::config(
                    "client_id",
                    "a client id cannot be empty; leave it out for a random one",
                ));
            }
            Some(id) => id,
            None if !clean_session => {
                return Err(Error::config(
                    "client_id",
                    "`clean_session = false` needs a `client_id`: by it the broker finds the session again",
                ));
            }
            None => format!("flow-{:016x}", random()),
        };
        // A broker closes the connection of a client when another comes under its name.
        context.claim(
            "client_id",
            format!("the client id `{client_id}` at {}:{}", place.host_text(), place.port),
        )?;
        for (key, text) in
            [("client_id", Some(&client_id)), ("username", login.as_ref().map(|login| &login.0))]
        {
            if text.is_some_and(|text| text.len() > topic::MAX_BYTES) {
                return Err(Error::config(key, "cannot be longer than 65535 bytes"));
            }
            text.map_or(Ok(()), |text| topic::check_characters(text))
                .map_err(|why| Error::config(key, why))?;
        }
        if options.max_packet_size < 64 {
            return Err(Error::config("max_packet_size", "fewer than 64 bytes leave no room for a message"));
        }
        if options.connect_timeout == 0 {
            return Err(Error::config(
                "connect_timeout",
                "no broker answers within 0 seconds; the default is 10",
            ));
        }
        let tls = match (place.tls, options.tls) {
            (true, options) => Some((
                tls::client_config(&options.unwrap_or(MqttTls { ca: None, cert: None, key: None }), context)?,
                place.server_name()?,
            )),
            (false, Some(_)) => {
                return Err(Error::config("tls", "has no effect on `mqtt://`; write `mqtts://` in `url`"));
            }
            (false, None) => None,
        };
        Ok(Self {
            host: place.host_text(),
            port: place.port,
            tls,
            connect_timeout: Duration::from_secs(options.connect_timeout.into()),
            profile: Profile {
                version: options.version,
                client_id,
                clean_session,
                session_expiry: session_expiry(options.version, clean_session, options.session_expiry)?,
                login,
                keep_alive: options.keep_alive,
                max_packet_size: options.max_packet_size,
                will: options.will.map(check_will).transpose()?,
                answer_timeout: Duration::from_secs(options.connect_timeout.into()),
            },
            context: context.clone(),
        })
    }
}

/// Checks the `qos` of a source or a sink.
pub(crate) fn check_qos(qos: u8) -> Result<(), Error> {
    match qos {
        0 | 1 => Ok(()),
        2 => Err(Error::config(
            "qos",
            "2 (exactly once) is not supported; 1 (at least once) loses nothing either",
        )),
        _ => Err(Error::config("qos", "can be 0 (at most once) or 1 (at least once)")),
    }
}

/// A number that nobody can guess before the process has started.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

fn session_expiry(version: MqttVersion, clean: bool, expiry: Option<u32>) -> Result<Option<u32>, Error> {
    match (version, clean, expiry) {
        (MqttVersion::V311, _, Some(_)) => {
            Err(Error::config("session_expiry", "MQTT 3.1.1 has no session expiry; set `version = \"5\"`"))
        }
        (_, true, Some(_)) => {
            Err(Error::config("session_expiry", "has no effect with `clean_session = true`"))
        }
        (_, true, None) | (MqttVersion::V311, ..) => Ok(None),
        // The largest value means for ever, as in MQTT 3.1.1 (MQTT 5, section 3.1.2.11.2).
        (MqttVersion::V5, false, expiry) => Ok(Some(expiry.unwrap_or(u32::MAX))),
    }
}

fn check_will(will: MqttWill) -> Result<MqttWill, Error> {
    topic::check_name(&will.topic).map_err(|why| Error::config("will.topic", why))?;
    if will.qos > 1 {
        return Err(Error::config("will.qos", "can be 0 (at most once) or 1 (at least once)"));
    }
    if will.payload.len() > usize::from(u16::MAX) {
        return Err(Error::config("will.payload", "cannot be longer than 65535 bytes"));
    }
    Ok(will)
}

fn login(
    place: &Place,
    username: Option<String>,
    password: Option<String>,
) -> Result<Option<(String, String)>, Error> {
    if place.username.is_some() && username.is_some() {
        return Err(Error::config("username", "stands in `url` too; give it once"));
    }
    if place.password.is_some() && password.is_some() {
        return Err(Error::config("password", "stands in `url` too; give it once"));
    }
    let username = username.or_else(|| place.username.clone()).unwrap_or_default();
    let password = password.or_else(|| place.password.clone()).unwrap_or_default();
    match (username.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => Err(Error::config("username", "a password needs a user name")),
        (false, _) if password.len() > usize::from(u16::MAX) => {
            Err(Error::config("password", "cannot be longer than 65535 bytes"))
        }
        (false, _) => Ok(Some((username, password))),
    }
}

/// What the URL says. No error here repeats it: it may hold a password.
struct Place {
    tls: bool,
    host: Host,
    port: u16,
    username: Option<String>,
    password: Option<String>,
}

impl Place {
    fn parse(text: &str) -> Result<Self, Error> {
        const FORM: &str = "write `mqtt://host:1883` or `mqtts://host:8883`";
        let wrong = |what: &str| Error::config("url", format!("{what}; {FORM}"));
        let url = Url::parse(text).map_err(|error| wrong(&format!("no URL ({error})")))?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            scheme => return Err(wrong(&format!("`{scheme}://` is no scheme of MQTT"))),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing can stand after the host and the port"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => Host::Domain(decoded(name)?),
            Some(Host::Ipv4(address)) => Host::Ipv4(address),
            Some(Host::Ipv6(address)) => Host::Ipv6(address),
            Some(Host::Domain(_)) | None => return Err(wrong("names no host")),
        };
        let username = Some(url.username()).filter(|name| !name.is_empty()).map(decoded).transpose()?;
        Ok(Self {
            tls,
            host,
            port: url.port().unwrap_or(if tls { 8883 } else { 1883 }),
            username,
            password: url.password().map(decoded).transpose()?,
        })
    }

    fn host_text(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    fn server_name(&self) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(self.host_text()).map_err(|error| {
            Error::config("url", "the host is no name that a certificate can hold").with_source(error)
        })
    }
}

fn decoded(text: &str) -> Result<String, Error> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::config("url", "holds percent-encoded bytes that are no UTF-8"))
}

#[cfg(test)]
mod tests;
