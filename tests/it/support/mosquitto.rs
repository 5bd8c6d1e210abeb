//! A real Mosquitto as a child process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Broker, PATIENCE, free_port, wait_for_port};

/// A Mosquitto with persistence, which can be stopped and started again on its port.
pub(crate) struct Mosquitto {
    directory: TempDir,
    binary: PathBuf,
    port: u16,
    quiet: bool,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts a broker that takes everybody. Nothing where Mosquitto is not installed: the test then says so and ends.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("allow_anonymous true\n", &[])
    }

    /// Starts a broker that writes no log, which costs it more than the messages do.
    pub(crate) fn start_quiet() -> Option<Self> {
        let mut broker = Self::start()?;
        broker.stop();
        broker.quiet = true;
        broker.run();
        Some(broker)
    }

    /// Starts a broker with lines for its listener, which may name `files` as `DIR/name`.
    pub(crate) fn start_with(listener: &str, files: &[(&str, &str)]) -> Option<Self> {
        let binary = find("mosquitto").or_else(skipped)?;
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path();
        for (name, text) in files {
            std::fs::write(path.join(name), text).expect("a file");
        }
        let port = free_port();
        let place = path.display().to_string();
        let config = format!(
            "persistence true\npersistence_location {place}/\nmax_queued_messages 0\nmax_inflight_messages 100\n\
             user root\nlistener {port} 127.0.0.1\n{}",
            listener.replace("DIR", &place)
        );
        std::fs::write(path.join("mosquitto.conf"), config).expect("the configuration");
        let mut broker = Self { directory, binary, port, quiet: false, child: None };
        broker.run();
        Some(broker)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// What the broker has logged since it was started.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Broker for Mosquitto {
    fn port(&self) -> u16 {
        self.port
    }

    fn run(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).expect("the broker's log");
        let child = Command::new(&self.binary)
            .args((!self.quiet).then_some("-v"))
            .arg("-c")
            .arg(self.directory.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("mosquitto starts");
        self.child = Some(child);
        wait_for_port(self.port);
    }

    /// Stops it with SIGTERM, so that it saves its sessions, and waits for its end.
    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let asked = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        assert!(asked.expect("kill").success());
        let deadline = std::time::Instant::now() + PATIENCE;
        while child.try_wait().expect("its state").is_none() {
            assert!(std::time::Instant::now() < deadline, "mosquitto does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A password file with one user. Nothing where Mosquitto is not installed.
pub(crate) fn password_file(user: &str, password: &str) -> Option<String> {
    find("mosquitto").or_else(skipped)?;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("passwords");
    let tool = find("mosquitto_passwd").expect("mosquitto_passwd comes with mosquitto");
    let made = Command::new(tool).args(["-c", "-b"]).arg(&file).args([user, password]).status();
    assert!(made.expect("mosquitto_passwd").success());
    Some(std::fs::read_to_string(file).expect("the password file"))
}

fn skipped<T>() -> Option<T> {
    let required = std::env::var_os("FLOW_REQUIRE_MOSQUITTO").is_some();
    assert!(!required, "mosquitto is not installed and FLOW_REQUIRE_MOSQUITTO is set");
    println!("skipped: mosquitto is not installed");
    None
}

/// Where the program of this name is installed.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(PathBuf::from("/usr/sbin"));
    places.iter().map(|place| place.join(name)).find(|binary| Path::is_file(binary))
}
