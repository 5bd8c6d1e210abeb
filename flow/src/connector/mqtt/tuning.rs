//! The options of a TCP connection that change while it is used. `pace.rs` says when they do.

#[cfg(target_os = "linux")]
use std::sync::LazyLock;

use tokio::net::TcpStream;

/// A second handle of a TCP connection.
pub(crate) struct Tuning(
    /// Nothing where the connection is not TCP.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "it has no such options"))]
    Option<socket2::Socket>,
);

/// What a resting connection lets come before it is woken, in bytes. With more than a quarter of the default receive
/// buffer (128 KiB), kernels change that buffer or the window, too.
#[cfg(target_os = "linux")]
const UNNOTICED: usize = 32 << 10;

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
            // Where it fails every arrival wakes the process, as in a sandbox that knows no such option.
            let _ = nix::sys::socket::setsockopt(handle, LowWater, &if rests { UNNOTICED } else { 1 });
        }
        #[cfg(not(target_os = "linux"))]
        let _ = rests;
    }
}

/// How many bytes must be there before the connection counts as readable.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy)]
struct LowWater;

#[cfg(target_os = "linux")]
nix::setsockopt_impl!(
    LowWater,
    libc::SOL_SOCKET,
    libc::SO_RCVLOWAT,
    usize,
    nix::sys::socket::sockopt::SetUsize
);

/// Does this kernel wake a reader whose mark was lowered below what is there? Linux does since 4.18, which is asked for with
/// some room.
#[cfg(target_os = "linux")]
fn wakes_when_lowered() -> bool {
    static KNOWN: LazyLock<bool> = LazyLock::new(|| {
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
