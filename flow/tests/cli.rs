//! The command line as an operator meets it: output, exit codes, signals, secrets.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]
#![cfg(unix)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn flow(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow")).args(arguments).current_dir(directory).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `flow run` in the background, with its standard error in a file.
struct Running {
    child: Child,
    errors: PathBuf,
}

impl Running {
    fn start(files: &[&str], environment: &[(&str, &str)], directory: &Path) -> Self {
        let errors = directory.join("stderr");
        let child = Command::new(env!("CARGO_BIN_EXE_flow"))
            .arg("run")
            .args(files)
            .envs(environment.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        Self { child, errors }
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap()
    }

    fn until_said(&self, words: &str) {
        until(&format!("`{words}` in the output"), || self.errors().contains(words));
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap().success());
    }

    fn code(&mut self) -> Option<i32> {
        let mut code = None;
        until("its end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const STDIN_TO_STDOUT: &str = "[source]\nconnector = \"stdin\"\ndecoder = \"json\"\nschema = { a = \"int64\" }\n\
                               [sink]\nconnector = \"stdout\"\nencoder = \"json\"\n";

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

#[test]
fn check_says_what_is_good_and_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write(directory, "good.toml", STDIN_TO_STDOUT);
    write(directory, "bad.toml", &STDIN_TO_STDOUT.replace("stdin", "stdim"));
    let good = flow(&["check", "good.toml"], directory);
    assert_eq!((good.status.code(), text(&good.stdout)), (Some(0), "good.toml: `good` is good\n".to_owned()));
    let bad = flow(&["check", "good.toml", "bad.toml", "none.toml"], directory);
    assert_eq!(bad.status.code(), Some(2));
    let said = text(&bad.stderr);
    assert!(
        said.contains("bad.toml:2: source.connector: unknown source `stdim`: did you mean `stdin`?"),
        "{said}"
    );
    assert!(said.contains("none.toml: cannot be read: "), "{said}");
    assert_eq!(flow(&["run"], directory).status.code(), Some(2));
    assert_eq!(flow(&["run", "bad.toml"], directory).status.code(), Some(2));
    assert_eq!(flow(&["run", "good.toml", "--log", "flow=loud"], directory).status.code(), Some(2));
}

#[test]
fn list_schema_and_infer_print_what_others_can_read() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let list: serde_json::Value =
        serde_json::from_slice(&flow(&["list", "--json"], directory).stdout).unwrap();
    let mqtt =
        list.as_array().unwrap().iter().find(|row| row["id"] == "mqtt" && row["role"] == "sink").unwrap();
    assert_eq!(mqtt["crate"], "flow");
    let schema: serde_json::Value = serde_json::from_slice(&flow(&["schema"], directory).stdout).unwrap();
    let sources = schema["$defs"]["source"]["oneOf"].as_array().unwrap();
    let mqtt = sources.iter().find(|table| table["properties"]["connector"]["const"] == "mqtt").unwrap();
    assert!(mqtt["properties"]["keep_alive"]["description"].is_string(), "{mqtt}");
    let either = mqtt["properties"]["keep_alive"]["anyOf"].as_array().unwrap();
    assert_eq!((&either[0]["type"], &either[1]["type"]), (&"integer".into(), &"string".into()), "`${{VAR}}`");
    assert_eq!(mqtt["properties"]["schema"]["$ref"], "#/$defs/schema");

    write(directory, "sample.json", "{\"id\":\"a\",\"t\":1.5}\n{\"id\":\"b\",\"t\":2,\"n\":3}\n");
    let inferred = flow(&["infer", "sample.json"], directory);
    let block = text(&inferred.stdout);
    assert!(block.starts_with("[source.schema]\n") && block.contains("t = \"float64\""), "{block}");
    // What it writes can be run as it is.
    let file = format!(
        "[source]\nconnector = \"stdin\"\ndecoder = \"json\"\n{block}[sink]\nconnector = \"nop\"\nencoder = \"json\"\n"
    );
    write(directory, "inferred.toml", &file);
    assert_eq!(flow(&["check", "inferred.toml"], directory).status.code(), Some(0));
    write(directory, "sample.json", "{\"id\":");
    let broken = flow(&["infer", "sample.json"], directory);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stderr).starts_with("sample.json: not JSON: "), "{}", text(&broken.stderr));
}

#[test]
fn a_pipeline_ends_with_its_source_and_says_what_it_did() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        "numbers.toml",
        &STDIN_TO_STDOUT.replace("stdin\"", "file\"\npath = \"numbers.jsonl\""),
    );
    write(directory.path(), "numbers.jsonl", "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}\n");
    let run = flow(&["run", "numbers.toml"], directory.path());
    assert_eq!((run.status.code(), text(&run.stdout)), (Some(0), "{\"a\":1}\n{\"a\":3}\n".to_owned()));
    let said = text(&run.stderr);
    assert!(said.contains("numbers: in 3 (3 payloads, ") && said.contains("skipped 1"), "{said}");
}

#[test]
fn a_failed_pipeline_does_not_stop_its_neighbour_and_sets_the_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let file = |on_error: &str| {
        format!("on_error = \"{on_error}\"\n{STDIN_TO_STDOUT}").replace("stdin\"", "file\"\npath = \"in\"")
    };
    write(directory.path(), "fails.toml", &file("fail"));
    write(directory.path(), "goes-on.toml", &file("skip"));
    write(directory.path(), "in", "{\"a\":\"x\"}\n{\"a\":2}\n");
    let run = flow(&["run", "fails.toml", "goes-on.toml"], directory.path());
    assert_eq!(
        (run.status.code(), text(&run.stdout)),
        (Some(1), "{\"a\":2}\n".to_owned()),
        "{}",
        text(&run.stderr)
    );
    let said = text(&run.stderr);
    assert!(said.contains("fails: a record cannot go on, and `on_error` is \"fail\": field `a`"), "{said}");
}

#[test]
fn a_signal_drains_and_a_second_one_ends_at_once() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "wait.toml", STDIN_TO_STDOUT);
    for signal in ["-INT", "-TERM"] {
        let mut running = Running::start(&["wait.toml"], &[], directory.path());
        running.until_said("running");
        running.signal(signal);
        assert_eq!(running.code(), Some(0), "{}", running.errors());
        assert!(running.errors().contains("wait: in 0 "), "{}", running.errors());
    }

    // Nobody confirms what this sink has taken: it cannot drain.
    let stuck = "[source]\nconnector = \"mock\"\npayloads = [\"{}\"]\nthen = \"wait\"\ndecoder = \"json\"\nschema = { a = \"int64\" }\n\
                 [sink]\nconnector = \"mqtt\"\nurl = \"mqtt://127.0.0.1:1\"\ntopic = \"t\"\nqos = 1\nencoder = \"json\"\n";
    write(directory.path(), "stuck.toml", stuck);
    let mut running = Running::start(&["stuck.toml"], &[], directory.path());
    running.until_said("running");
    running.signal("-INT");
    running.until_said("once more to stop at once");
    running.signal("-INT");
    assert_eq!(running.code(), Some(130), "{}", running.errors());

    let mut running = Running::start(&["stuck.toml", "--drain", "1"], &[], directory.path());
    running.until_said("running");
    running.signal("-TERM");
    assert_eq!(running.code(), Some(3), "{}", running.errors());
    assert!(running.errors().contains("not confirmed within 1 s"), "{}", running.errors());
}

#[test]
fn an_unreachable_broker_is_retried_and_secrets_stay_secret() {
    let directory = tempfile::tempdir().unwrap();
    let file = "[source]\nconnector = \"mqtt\"\nurl = \"mqtt://${WHERE}:1\"\nusername = \"edge\"\npassword = \"${PW}\"\ntopic = \"t\"\n\
                decoder = \"json\"\nschema = { a = \"int64\" }\n[sink]\nconnector = \"nop\"\nencoder = \"json\"\n";
    write(directory.path(), "dead.toml", file);
    let environment = [("PW", "hunter2-hunter2"), ("WHERE", "127.0.0.1")];
    let mut running = Running::start(&["dead.toml", "--log", "trace"], &environment, directory.path());
    // It goes on trying.
    until("several attempts", || running.errors().to_lowercase().matches("refused").count() >= 3);
    running.signal("-INT");
    assert_eq!(running.code(), Some(0), "{}", running.errors());
    assert!(
        !running.errors().contains("hunter2") && !running.errors().contains("127.0.0.1"),
        "{}",
        running.errors()
    );

    // A message about the value does not show it, either.
    write(directory.path(), "typed.toml", &file.replace("topic = \"t\"", "topic = \"t\"\nqos = \"${PW}\""));
    let checked = Command::new(env!("CARGO_BIN_EXE_flow"))
        .args(["check", "typed.toml"])
        .envs(environment)
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = text(&checked.stderr);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        said.contains("typed.toml:7: source.qos: invalid type: string") && !said.contains("hunter2"),
        "{said}"
    );

    let unset = flow(&["check", "dead.toml"], directory.path());
    assert_eq!(unset.status.code(), Some(2));
    assert!(
        text(&unset.stderr).contains("the environment variable `PW` is not set"),
        "{}",
        text(&unset.stderr)
    );
}

#[test]
fn output_that_nobody_takes_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "bad.toml", "nonsense = 1");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_flow"));
    check.args(["check", "bad.toml"]).current_dir(directory.path()).stderr(full);
    assert_eq!(check.status().unwrap().code(), Some(2), "no panic where the problems cannot be shown");

    // A pipe that nobody reads, full to the brim: every line of the log blocks.
    let (reader, writer) = std::io::pipe().unwrap();
    let filler = std::thread::spawn({
        let mut writer = writer.try_clone().unwrap();
        move || drop(std::io::Write::write_all(&mut writer, &[b'x'; 1 << 20]))
    });
    write(directory.path(), "wait.toml", STDIN_TO_STDOUT);
    let mut child = Command::new(env!("CARGO_BIN_EXE_flow"))
        .args(["run", "wait.toml"])
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    let caught = format!("/proc/{}/status", child.id());
    // It catches SIGINT once this bit is set: bit 1 of the mask.
    until("the signals to be caught", || {
        let status = std::fs::read_to_string(&caught).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
        u64::from_str_radix(mask, 16).unwrap() & 0b10 != 0
    });
    let mut code = None;
    until("its end", || {
        // Two signals that come together may count as one.
        Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
        code = child.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(130));
    drop(reader);
    filler.join().unwrap();
}
