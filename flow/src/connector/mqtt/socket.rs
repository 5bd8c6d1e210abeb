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

/// A second handle of a TCP connection, whose options change while it is read and written: `pace.rs` says when.
pub(crate) struct Tuning(
    /// Nothing where the connection is not TCP.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "it has no such options"))]
    Option<socket2::Socket>,
);

/// What a resting connection lets come before it is woken, in bytes. With more than a quarter of the default receive
/// buffer (128 KiB), kernels change that buffer or the window, too.
#[cfg(target_os = "linux")]
const UNNOTICED: libc::c_int = 32 << 10;

impl Tuning {
    /// Nothing where the operating system has not what it takes: Linux has it.
    pub(crate) fn of(stream: &TcpStream) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if wakes_when_lowered() {
            return socket2::SockRef::from(stream).try_clone().ok().map(|handle| Self(Some(handle)));
        }
        let _ = stream;
        None
    }

    /// For a connection that is not TCP.
    #[cfg(unix)]
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Makes TCP confirm now what has come.
    pub(crate) fn confirm(&self) {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.0 {
            // Where it fails the connection is gone, and reading says so.
            let _ = handle.set_tcp_quickack(true);
        }
    }

    /// Does the process sleep on when something comes? When that ends, what has come meanwhile wakes it.
    pub(crate) fn set_resting(&self, rests: bool) {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.0 {
            set_low_water(handle, if rests { UNNOTICED } else { 1 });
        }
        #[cfg(not(target_os = "linux"))]
        let _ = rests;
    }
}

/// SO_RCVLOWAT: how many bytes must be there before the connection counts as readable.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "neither tokio nor socket2 nor rustix offers this option")]
fn set_low_water(handle: &socket2::Socket, bytes: libc::c_int) {
    use std::os::fd::AsRawFd;
    let size = size_of_val(&bytes) as libc::socklen_t;
    // SAFETY: the descriptor is open as long as `handle` is borrowed; the kernel reads `size` bytes of `bytes`
    // during the call and keeps no pointer to them.
    let outcome = unsafe {
        libc::setsockopt(
            handle.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size,
        )
    };
    // It fails where a sandbox knows no such option, and then every arrival wakes the process.
    let _ = outcome;
}

/// Does this kernel wake a reader whose mark was lowered below what is there? Linux does since 4.18, which is asked for with
/// some room.
#[cfg(target_os = "linux")]
fn wakes_when_lowered() -> bool {
    static KNOWN: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        major(&release).is_some_and(|major| major >= 5)
    });
    *KNOWN
}

/// The first number of a kernel's release, as of `6.1.0-18-arm64`.
#[cfg(target_os = "linux")]
fn major(release: &str) -> Option<u32> {
    release.split('.').next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::{Tuning, major};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let near = TcpStream::connect(address).await.expect("a connection");
        (near, listener.accept().await.expect("its other end").0)
    }

    #[tokio::test]
    async fn a_connection_that_rests_is_woken_when_the_rest_ends_and_loses_nothing() {
        let (mut near, mut far) = pair().await;
        let tuning = Tuning::of(&near).expect("Linux");
        let mut bytes = [0; 64];
        for round in 0..50 {
            tuning.set_resting(true);
            far.write_all(b"during the rest").await.expect("written");
            if round == 0 {
                let waited = timeout(Duration::from_millis(100), near.read(&mut bytes)).await;
                assert!(waited.is_err(), "it was woken");
            }
            tuning.set_resting(false);
            let read = timeout(Duration::from_secs(10), near.read(&mut bytes)).await;
            assert_eq!(read.expect("it is woken").expect("it reads"), 15);
        }
    }

    #[tokio::test]
    async fn a_connection_that_rests_is_told_that_the_other_side_is_gone() {
        let (mut near, far) = pair().await;
        Tuning::of(&near).expect("Linux").set_resting(true);
        drop(far);
        let read = timeout(Duration::from_secs(10), near.read(&mut [0; 64])).await;
        assert_eq!(read.expect("it is woken").expect("an orderly end"), 0);
    }

    #[test]
    fn the_release_of_a_kernel_begins_with_a_number() {
        assert_eq!(major("6.1.0-18-arm64\n"), Some(6));
        assert_eq!(major("4.9.337-tegra"), Some(4));
        assert_eq!(major(""), None);
    }
}
