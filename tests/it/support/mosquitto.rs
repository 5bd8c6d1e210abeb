//! A real Mosquitto as a child process.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Broker, PATIENCE, free_port, installed, wait_for_port};

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
        let mut broker = Self::prepare("allow_anonymous true\n", &[])?;
        broker.quiet = true;
        broker.run();
        Some(broker)
    }

    /// Starts a broker with lines for its listener, which may name `files` as `DIR/name`.
    pub(crate) fn start_with(listener: &str, files: &[(&str, &str)]) -> Option<Self> {
        let mut broker = Self::prepare(listener, files)?;
        broker.run();
        Some(broker)
    }

    fn prepare(listener: &str, files: &[(&str, &str)]) -> Option<Self> {
        let binary = installed("mosquitto")?;
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
        Some(Self { directory, binary, port, quiet: false, child: None })
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
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

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
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
    installed("mosquitto")?;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("passwords");
    let tool = installed("mosquitto_passwd")?;
    let made = Command::new(tool).args(["-c", "-b"]).arg(&file).args([user, password]).status();
    assert!(made.expect("mosquitto_passwd").success());
    Some(std::fs::read_to_string(file).expect("the password file"))
}
