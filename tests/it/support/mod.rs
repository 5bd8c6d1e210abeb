//! Brokers, proxies and certificates for the tests, and the small steps that many of them take.

pub(crate) mod broker;
pub(crate) mod certs;
pub(crate) mod log;
pub(crate) mod mosquitto;
pub(crate) mod nats;
pub(crate) mod proxy;
pub(crate) mod scripted;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

/// How long anything may take before a test fails. Generous: it is never waited out when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A broker that goes away and comes back on its port.
pub(crate) trait Broker {
    fn port(&self) -> u16;

    /// What it has logged since it was started.
    fn log(&self) -> String;

    /// Ends it as its kind ends.
    fn stop(&mut self);

    /// Starts it, at first or after [`Broker::stop`].
    fn run(&mut self);

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port())
    }
}

/// Where a broker's program is installed. Nothing where it is not, and its tests need not run.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(PathBuf::from("/usr/sbin"));
    let found = places.iter().map(|place| place.join(name)).find(|program| program.is_file());
    if found.is_none() {
        let required = std::env::var_os("FLOW_REQUIRE_BROKERS").is_some();
        assert!(!required, "`{name}` is not installed and FLOW_REQUIRE_BROKERS is set");
        println!("skipped: `{name}` is not installed");
    }
    found
}

/// The last lines of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Waits until something takes connections on a port of this machine.
pub(crate) fn wait_for_port(port: u16) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(std::time::Instant::now() < deadline, "nothing listens on port {port}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Fails the test where `what` does not come in time.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    in_time(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
