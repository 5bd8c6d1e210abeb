//! Connections to a broker: TCP, TLS, and sockets of this machine.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::session::Lost;
use super::settings::Address;

/// A connection, without encryption or with it.
pub(crate) enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Connects. A connection whose other side confirms nothing for `silence` is given up by the operating system,
    /// where it can do that.
    ///
    /// # Cancel safety
    /// Cancel safe: dropped, there is no connection.
    pub(crate) async fn connect(address: &Address, silence: Option<Duration>) -> Result<Self, Lost> {
        let failed = |error: io::Error| Lost::new(format!("cannot connect: {error}"));
        match address {
            #[cfg(unix)]
            Address::Unix(path) => UnixStream::connect(path).await.map(Self::Unix).map_err(failed),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(failed(io::ErrorKind::Unsupported.into())),
            Address::Tcp { host, port, tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(failed)?;
                // Output is collected into large writes already; waiting for more would only add latency.
                stream.set_nodelay(true).map_err(failed)?;
                give_up_after(&stream, silence).map_err(failed)?;
                let Some((config, name)) = tls else { return Ok(Self::Tcp(stream)) };
                let connector = TlsConnector::from(Arc::clone(config));
                let stream = connector.connect(name.clone(), stream).await;
                stream
                    .map(|stream| Self::Tls(Box::new(stream)))
                    .map_err(|error| Lost::new(format!("the TLS handshake failed: {error}")))
            }
        }
    }
}

/// A peer that is gone is noticed even while nothing is read, and its silence is no sign.
#[cfg(target_os = "linux")]
fn give_up_after(stream: &TcpStream, silence: Option<Duration>) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_user_timeout(silence)
}

#[cfg(not(target_os = "linux"))]
fn give_up_after(_: &TcpStream, _: Option<Duration>) -> io::Result<()> {
    Ok(())
}
