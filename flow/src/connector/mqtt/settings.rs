//! The options of a connection, checked.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::config::{MqttVersion, MqttWill, Options};
use super::session::Profile;
use super::{tls, topic};
use crate::component::BuildContext;
use crate::error::Error;

/// Where the broker is. Displays without user and password.
pub(crate) enum Address {
    Tcp { host: String, port: u16, tls: Option<(Arc<ClientConfig>, ServerName<'static>)> },
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Where to connect to and as whom.
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) connect_timeout: Duration,
    pub(crate) profile: Profile,
    pub(crate) context: BuildContext,
}

impl Settings {
    /// Checks everything that can be checked without the broker.
    pub(crate) fn new(options: Options, context: &BuildContext) -> Result<Self, Error> {
        let place = Place::parse(&options.url)?;
        let login = login(&place.login, options.username, options.password)?;
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
        if options.max_packet_size > MAX_PACKET {
            return Err(Error::config(
                "max_packet_size",
                "cannot be more than 268435460 bytes: MQTT knows no larger packets",
            ));
        }
        if options.connect_timeout == 0 {
            return Err(Error::config(
                "connect_timeout",
                "no broker answers within 0 seconds; the default is 10",
            ));
        }
        let address = match (place.address, options.tls) {
            (Socket::Unix(_), Some(_)) => {
                return Err(Error::config("tls", "has no effect on a socket of this machine"));
            }
            (Socket::Unix(path), None) => Address::Unix(context.resolve(path)),
            (Socket::Tcp { tls: false, .. }, Some(_)) => {
                return Err(Error::config("tls", "has no effect on `mqtt://`; write `mqtts://` in `url`"));
            }
            (Socket::Tcp { host, port, tls }, options) => {
                let tls = tls
                    .then(|| {
                        let config = tls::client_config(&options.unwrap_or_default(), context)?;
                        Ok::<_, Error>((config, server_name(&host)?))
                    })
                    .transpose()?;
                Address::Tcp { host, port, tls }
            }
        };
        // A broker closes the connection of a client when another comes under its name.
        context.claim("client_id", format!("the client id `{client_id}` at {address}"))?;
        Ok(Self {
            address,
            connect_timeout: Duration::from_secs(options.connect_timeout.into()),
            profile: Profile {
                version: options.version,
                client_id,
                clean_session,
                session_expiry: session_expiry(options.version, clean_session, options.session_expiry)?,
                login,
                keep_alive: options.keep_alive,
                max_packet_size: options.max_packet_size,
                receive_maximum: RECEIVE_MAXIMUM,
                will: options.will.map(check_will).transpose()?,
                answer_timeout: Duration::from_secs(options.connect_timeout.into()),
            },
            context: context.clone(),
        })
    }
}

/// How many messages a broker of MQTT 5 may have sent that are not acknowledged.
const RECEIVE_MAXIMUM: u16 = 8192;

/// The largest packet that MQTT can announce: 5 bytes, and 2²⁸ − 1 behind them.
const MAX_PACKET: u32 = (1 << 28) + 4;

/// Checks the `qos` of a source or a sink.
pub(crate) fn check_qos(qos: u8) -> Result<(), Error> {
    match qos {
        0..=2 => Ok(()),
        _ => Err(Error::config("qos", "can be 0 (at most once), 1 (at least once) or 2 (exactly once)")),
    }
}

/// Whether a source or a sink with this `qos` owes every message, as `at_least_once` says or as follows from `qos`.
pub(crate) fn at_least_once(qos: u8, wanted: Option<bool>) -> Result<bool, Error> {
    match wanted {
        Some(true) if qos == 0 => Err(Error::config(
            "qos",
            "at QoS 0 messages can be lost; `at_least_once = true` needs `qos = 1` or 2",
        )),
        wanted => Ok(wanted.unwrap_or(qos > 0)),
    }
}

/// What belongs to MQTT 5 alone is no option of MQTT 3.1.1.
pub(crate) fn only_with_5(version: MqttVersion, keys: &[(&'static str, bool)]) -> Result<(), Error> {
    match keys.iter().find(|(_, used)| *used && version == MqttVersion::V311) {
        Some((key, _)) => {
            Err(Error::config(*key, format!("MQTT 3.1.1 has no `{key}`; set `version = \"5\"`")))
        }
        None => Ok(()),
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
    if will.qos > 2 {
        return Err(Error::config(
            "will.qos",
            "can be 0 (at most once), 1 (at least once) or 2 (exactly once)",
        ));
    }
    if will.payload.len() > usize::from(u16::MAX) {
        return Err(Error::config("will.payload", "cannot be longer than 65535 bytes"));
    }
    Ok(will)
}

fn login(
    (in_url, secret_in_url): &(Option<String>, Option<String>),
    username: Option<String>,
    password: Option<String>,
) -> Result<Option<(String, String)>, Error> {
    if in_url.is_some() && username.is_some() {
        return Err(Error::config("username", "stands in `url` too; give it once"));
    }
    if secret_in_url.is_some() && password.is_some() {
        return Err(Error::config("password", "stands in `url` too; give it once"));
    }
    let username = username.or_else(|| in_url.clone()).unwrap_or_default();
    let password = password.or_else(|| secret_in_url.clone()).unwrap_or_default();
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
    address: Socket,
    /// User name and password.
    login: (Option<String>, Option<String>),
}

enum Socket {
    Tcp { host: String, port: u16, tls: bool },
    Unix(String),
}

impl Place {
    fn parse(text: &str) -> Result<Self, Error> {
        const FORM: &str = "write `mqtt://host:1883`, `mqtts://host:8883` or `unix:///path`";
        let wrong = |what: &str| Error::config("url", format!("{what}; {FORM}"));
        let url = Url::parse(text).map_err(|error| wrong(&format!("no URL ({error})")))?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            "unix" | "mqtt+unix" if cfg!(unix) => {
                let plain = url.query().is_none() && url.fragment().is_none();
                if url.has_host() || !plain || url.path().len() < 2 {
                    return Err(wrong("the socket's path stands after three slashes"));
                }
                return Ok(Self { address: Socket::Unix(decoded(url.path())?), login: (None, None) });
            }
            scheme => return Err(wrong(&format!("`{scheme}://` is no scheme of MQTT"))),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing can stand after the host and the port"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => decoded(name)?,
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(_)) | None => return Err(wrong("names no host")),
        };
        let username = Some(url.username()).filter(|name| !name.is_empty()).map(decoded).transpose()?;
        let port = url.port().unwrap_or(if tls { 8883 } else { 1883 });
        let password = url.password().map(decoded).transpose()?;
        Ok(Self { address: Socket::Tcp { host, port, tls }, login: (username, password) })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned()).map_err(|error| {
        Error::config("url", "the host is no name that a certificate can hold").with_source(error)
    })
}

fn decoded(text: &str) -> Result<String, Error> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::config("url", "holds percent-encoded bytes that are no UTF-8"))
}

#[cfg(test)]
mod tests;
