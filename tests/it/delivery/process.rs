//! The pipeline in a process of its own, so that it can be killed and looked at from outside.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::until;

/// A pipeline that renames a field of each record on its way from `in/+` to `out/+`.
pub(super) struct Process {
    directory: tempfile::TempDir,
    child: Child,
}

impl Process {
    /// Starts it between two brokers, and waits for its subscription.
    pub(super) async fn start(source: &str, sink: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ledger.toml");
        let text = format!(
            r#"on_error = "fail"
[source]
connector = "mqtt"
url = "{source}"
client_id = "ledger-pipeline"
topic = "in/+"
qos = 1
decoder = "json"
[source.schema]
n = {{ type = "int64", required = true }}
device = {{ type = "string", required = true }}
[[transform]]
kind = "rename"
columns = {{ n = "number" }}
[[sink]]
connector = "mqtt"
url = "{sink}"
topic = "out/{{device}}"
qos = 1
encoder = "json"
"#
        );
        std::fs::write(&file, text).expect("the pipeline file");
        let child = spawn(&file, &directory.path().join("stderr"));
        let process = Self { directory, child };
        until("the pipeline's subscription", || process.log().contains("subscribed to `in/+`")).await;
        process
    }

    pub(super) fn kill_and_restart(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
        self.child = spawn(&self.directory.path().join("ledger.toml"), &self.errors());
    }

    /// Asks it to stop. Returns its exit code and what it wrote to standard error since its last start.
    pub(super) fn stop(mut self) -> (Option<i32>, String) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(asked.expect("kill").success());
        let code = self.child.wait().expect("its end").code();
        (code, self.log())
    }

    /// Its resident memory in bytes, where the system tells.
    pub(super) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
    }

    /// What it wrote to standard error since its last start.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.errors()).expect("its standard error")
    }

    fn errors(&self) -> PathBuf {
        self.directory.path().join("stderr")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(file: &Path, errors: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_private-flow"))
        .arg("run")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(File::create(errors).expect("a file for standard error"))
        .spawn()
        .expect("it starts")
}
