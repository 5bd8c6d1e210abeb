//! `flow new`: what it writes compiles, is formatted, and passes its own tests.

#![allow(clippy::unwrap_used, reason = "what these helpers unwrap is what the tests are about")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn new(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-flow"));
    command.arg("new").args(arguments).current_dir(directory).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// So that as much as possible of this workspace's build is used again.
const PROFILE: [&str; 4] =
    ["--config", "profile.dev.debug='line-tables-only'", "--config", "profile.dev.package.'*'.debug=false"];

fn cargo(arguments: &[&str], crate_: &Path) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments);
    let output = command
        .env("CARGO_TARGET_DIR", root().join("target"))
        // The runner's own, of another package.
        .env_remove("CARGO_MANIFEST_DIR")
        .current_dir(crate_)
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}:\n{said}");
    said
}

#[test]
fn a_new_crate_compiles_and_passes_its_tests() {
    let directory = tempfile::tempdir().unwrap();
    let output = new(&["acme-probe", "--flow-path", root().to_str().unwrap()], directory.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let crate_ = directory.path().join("acme-probe");
    // The same versions as here: nothing is downloaded for the test.
    std::fs::copy(root().join("Cargo.lock"), crate_.join("Cargo.lock")).unwrap();

    cargo(&["fmt", "--check"], &crate_);
    let said = cargo(&[&["test", "--offline"][..], &PROFILE].concat(), &crate_);
    for test in [
        "datagrams::dropped_futures_lose_nothing",
        "measurements::random_bytes_do_no_harm",
        "the_pipeline_file_is_good",
    ] {
        assert!(said.contains(&format!("test {test} ... ok")), "{test} in {said}");
    }
    let binary = root().join("target/debug/acme-probe");
    let list = text(&Command::new(&binary).arg("list").output().unwrap().stdout);
    assert_eq!(list.lines().filter(|line| line.contains("acme_probe")).count(), 2, "{list}");

    // Another time nothing is touched.
    std::fs::write(crate_.join("Cargo.toml"), "mine").unwrap();
    let again = new(&["acme-probe", "--flow-path", root().to_str().unwrap()], directory.path());
    assert_eq!(again.status.code(), Some(2));
    let error = "new: `acme-probe` exists already and is left as it is; choose another name, or another folder to stand in\n";
    assert_eq!(text(&again.stderr), error);
    assert_eq!(std::fs::read_to_string(crate_.join("Cargo.toml")).unwrap(), "mine");
}

#[test]
fn what_cannot_be_done_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let error = |arguments: &[&str]| {
        let output = new(arguments, directory.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        text(&output.stderr)
    };
    assert!(error(&["My Crate", "--flow-git", "x"]).contains("`my-crate` would be one"));
    let nowhere = error(&["mine", "--flow-path", "nowhere"]);
    assert!(nowhere.contains("--flow-path `nowhere`: No such file or directory"), "{nowhere}");
    let other = error(&["mine", "--flow-path", "."]);
    assert!(other.contains("there is no crate `flow` in it; name the folder of its Cargo.toml"), "{other}");
    let missing = error(&["mine"]);
    assert!(missing.contains("<--flow-path <DIR>|--flow-git <URL>>"), "{missing}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn a_repository_is_a_dependency_by_git() {
    let directory = tempfile::tempdir().unwrap();
    let output = new(&["mine", "--flow-git", "https://git.example/flow.git"], directory.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let manifest = std::fs::read_to_string(directory.path().join("mine/Cargo.toml")).unwrap();
    assert!(manifest.contains(r#"flow = { git = "https://git.example/flow.git" }"#), "{manifest}");
}
