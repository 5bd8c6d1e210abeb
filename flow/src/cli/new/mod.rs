//! `new`: a crate of one's own, with a source, a decoder, their tests and a command line.

mod name;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::terminal::print;
use crate::cli::{DONE, WRONG};
use name::Name;

/// Each file of the crate and what stands in it.
const FILES: [(&str, &str); 10] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    ("README.md", include_str!("template/README.md.txt")),
    (".gitignore", "/target\n"),
    (".ci/run", include_str!("template/ci.txt")),
    ("pipeline.toml", include_str!("template/pipeline.toml.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    ("src/main.rs", include_str!("template/main.rs.txt")),
    ("src/source.rs", include_str!("template/source.rs.txt")),
    ("src/decoder.rs", include_str!("template/decoder.rs.txt")),
    ("tests/conformance.rs", include_str!("template/conformance.rs.txt")),
];

/// Where the new crate finds `flow`.
pub(super) enum Flow {
    /// A checkout, or the folder `flow` in it.
    Path(PathBuf),
    /// A repository.
    Git(String),
}

pub(super) fn new(name: &str, flow: Flow) -> u8 {
    let outcome = Name::parse(name).and_then(|name| {
        let dependency = dependency(flow)?;
        write(&name, &dependency)?;
        Ok(name)
    });
    match outcome {
        Ok(name) => {
            let name = name.as_str();
            print(&format!(
                "{name}: a source, a decoder, their tests and a command line\n\
                 next: cd {name} && .ci/run && cargo run -- list\n"
            ));
            DONE
        }
        Err(error) => {
            eprintln!("new: {error}");
            WRONG
        }
    }
}

/// What stands in the braces of the dependency.
fn dependency(flow: Flow) -> Result<String, String> {
    match flow {
        Flow::Git(url) => Ok(format!("git = {}", quoted(&url))),
        Flow::Path(path) => {
            let shown = path.display();
            let whole = path.canonicalize().map_err(|error| format!("--flow-path `{shown}`: {error}"))?;
            let here = [whole.clone(), whole.join("flow")].into_iter().find(|folder| is_flow(folder));
            let here = here.ok_or_else(|| {
                format!(
                    "--flow-path `{shown}`: there is no crate `flow` in it; name the folder of its Cargo.toml"
                )
            })?;
            Ok(format!("path = {}", quoted(&here.to_string_lossy())))
        }
    }
}

fn is_flow(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.parse::<toml::Table>().is_ok_and(|table| {
        table
            .get("package")
            .and_then(|package| package.get("name"))
            .is_some_and(|name| name.as_str() == Some("flow"))
    })
}

/// As TOML writes text.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn write(name: &Name, dependency: &str) -> Result<(), String> {
    let folder = Path::new(name.as_str());
    let shown = folder.display();
    fs::create_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("`{shown}` exists already and is left as it is; choose another name, or another folder to stand in")
        }
        _ => format!("`{shown}` cannot be made: {error}"),
    })?;
    for (file, template) in FILES {
        let text = template
            .replace("{{name}}", name.as_str())
            .replace("{{crate}}", &name.crate_name())
            .replace("{{type}}", &name.type_name())
            .replace("{{flow}}", dependency);
        let path = folder.join(file);
        write_file(&path, &text)
            .map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    }
    // How long the lines are depends on the name. Where there is no cargo, they stay as they are.
    let _ = Command::new("cargo").arg("fmt").current_dir(folder).stderr(Stdio::null()).status();
    make_executable(&folder.join(".ci/run")).map_err(|error| format!("`{shown}/.ci/run`: {error}"))
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}
