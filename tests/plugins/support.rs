//! Libraries to load, and directories to load them from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flow::plugin::Policy;
use flow::registry::LoadReport;
use flow::{Builtins, Runtime};
use tempfile::TempDir;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A plugin that was built with these tests. `FLOW_TEST_PLUGINS` names a directory with others, of another
/// toolchain or profile.
pub(crate) fn built(name: &str) -> PathBuf {
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let directory = std::env::var_os("FLOW_TEST_PLUGINS").map_or(beside, PathBuf::from);
    directory.join(format!("lib{name}.so"))
}

/// A plugin directory with nothing in it.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// Puts bytes there as a library nobody else can write.
pub(crate) fn put(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = directory.join(name);
    fs::write(&file, bytes).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    file
}

/// Puts a plugin there that was built with these tests.
pub(crate) fn put_built(directory: &Path, name: &str) -> PathBuf {
    put(directory, &format!("lib{name}.so"), &fs::read(built(name)).unwrap())
}

/// Compiles C into a library there.
pub(crate) fn compile(directory: &Path, name: &str, source: &Path, defines: &[&str]) -> PathBuf {
    let elsewhere = tempfile::tempdir().unwrap();
    let (object, library) = (elsewhere.path().join("plugin.o"), directory.join(format!("lib{name}.so")));
    let cc = |command: &mut Command| {
        let compiled = command.output().expect("these tests need a C compiler called `cc`");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    };
    let mut compile = Command::new("cc");
    compile.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-O1", "-c"]);
    // Checked by the program's own sanitizer: so the library is linked without one.
    compile.args(std::env::var("FLOW_TEST_SANITIZER").iter().map(|name| format!("-fsanitize={name}")));
    compile
        .arg("-I")
        .arg(root().join("flow/include"))
        .args(defines.iter().map(|define| format!("-D{define}")));
    cc(compile.arg("-o").arg(&object).arg(source));
    cc(Command::new("cc").arg("-shared").arg("-o").arg(&library).arg(&object));
    fs::set_permissions(&library, fs::Permissions::from_mode(0o755)).unwrap();
    library
}

/// The example plugin in C.
pub(crate) fn put_station(directory: &Path) -> PathBuf {
    compile(directory, "station", &root().join("examples/plugin-c/station.c"), &[])
}

/// A plugin in C with the mistakes that `defines` ask for.
pub(crate) fn put_mistaken(directory: &Path, name: &str, defines: &[&str]) -> PathBuf {
    compile(directory, name, &root().join("tests/plugins/mistaken.c"), defines)
}

/// What becomes of the directory's files.
pub(crate) fn load(directory: &Path) -> (Runtime, LoadReport) {
    let mut runtime = Runtime::of::<Builtins>();
    let report = runtime.load_from_dir(directory, &Policy::default()).unwrap();
    (runtime, report)
}
