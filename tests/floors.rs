//! The structure as tests: who may import whom, how long a file may be, and what stands nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each module of `flow` and its floor. It imports from lower floors only; siblings never import each other.
const FLOORS: &[(&str, u32)] = &[
    ("error", 0),
    ("record", 1),
    ("component", 1),
    ("connector", 2),
    ("codec", 2),
    ("transform", 2),
    ("plugin", 3),
    ("registry", 4),
    ("pipeline", 5),
    ("cli", 6),
    ("testkit", 6),
];

/// Lines a file may have.
const LONGEST: usize = 400;

/// The contracts of floor 2, which higher floors program against. Everything else there is a concrete component.
const CONTRACTS: &[&str] = &[
    "SourceConnector",
    "SinkConnector",
    "Progress",
    "RecordDecoder",
    "CollectionEncoder",
    "Framing",
    "RecordTransform",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                rust_files(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn all_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["flow", "flow-derive", "examples", "benches", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 30, "the sources are not where this test looks for them");
    files
}

/// A file's lines of code with their numbers: no comments, and nothing from the tests at its end. An import that is broken
/// over lines comes as one.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut code: Vec<(usize, String)> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut open = false;
    while let Some((index, line)) = lines.next() {
        // A module of tests in a file of its own is no end: only what stands in braces is.
        let tests = line == "#[cfg(test)]"
            && lines.peek().is_some_and(|(_, next)| next.starts_with("mod ") && next.ends_with('{'));
        if tests {
            break;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        match code.last_mut().filter(|_| open) {
            Some((_, import)) => import.push_str(line.trim()),
            None => code.push((index + 1, line.to_owned())),
        }
        let import = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
        open = (open || import.iter().any(|lead| line.trim_start().starts_with(lead))) && !line.contains(';');
    }
    code
}

#[test]
fn code_is_all_but_comments_and_tests() {
    let text = "use crate::connector::{\n    A,\n    B,\n};\n#[cfg(test)]\nmod tests;\n// no\nlet x;\n#[cfg(test)]\nmod tests {\nno\n";
    let lines: Vec<String> = code(text).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["use crate::connector::{A,B,};", "#[cfg(test)]", "mod tests;", "let x;"]);
}

/// The module names that follow `crate::` in a line. `$crate::` stands in the code of a macro's caller.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter(|(at, _)| !line[..*at].ends_with('$')).map(|(at, lead)| {
        let rest = &line[at + lead.len()..];
        &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
    })
}

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Every module of `flow` with its files.
fn modules() -> Vec<(String, PathBuf)> {
    let source = root().join("flow/src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let module = |file: &PathBuf| {
        let first = file.strip_prefix(&source).unwrap().components().next().unwrap();
        first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    files
        .into_iter()
        .map(|file| (module(&file), file))
        .filter(|(module, _)| module != "lib" && module != "bin")
        .collect()
}

#[test]
fn modules_import_downward_only() {
    let mut wrong = Vec::new();
    for (module, file) in modules() {
        let own = floor(&module).unwrap_or_else(|| panic!("`{module}` stands on no floor: add it to FLOORS"));
        let text = fs::read_to_string(&file).unwrap();
        for (line, code) in code(&text) {
            for name in imported(&code).filter(|name| *name != module) {
                match floor(name) {
                    Some(floor) if floor < own => {}
                    Some(_) => wrong.push(format!("{}:{line}: `{module}` imports `{name}`", file.display())),
                    None => wrong.push(format!("{}:{line}: `crate::{name}` names no module", file.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_list_of_built_ins_names_concrete_components() {
    let mut wrong = Vec::new();
    for (module, file) in
        modules().into_iter().filter(|(module, _)| floor(module).is_some_and(|floor| floor > 2))
    {
        if file.ends_with("registry/builtins.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for (line, code) in code(&text) {
            for floor in ["crate::connector::", "crate::codec::", "crate::transform::"] {
                let Some((_, names)) = code.split_once(floor) else { continue };
                let names = names.trim_start_matches('{').split([',', '}', ';', ' ']).map(str::trim);
                for name in names.filter(|name| !name.is_empty() && !CONTRACTS.contains(name)) {
                    wrong.push(format!("{}:{line}: `{module}` names `{name}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_fit_in_the_head() {
    let long: Vec<String> = all_files()
        .into_iter()
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn nothing_is_imported_by_glob() {
    let mut wrong = Vec::new();
    // The tests that a macro writes see what stands around its call.
    let written_for_others = |file: &Path| file.ends_with("testkit/macros.rs");
    for file in all_files().into_iter().filter(|file| !written_for_others(file)) {
        let text = fs::read_to_string(&file).unwrap();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let import = line.starts_with("use ") || line.starts_with("pub use ");
            if import && (line.contains("::*") || line.contains("{*")) {
                wrong.push(format!("{}:{}: {line}", file.display(), index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stands_in_one_place() {
    let allowed = |file: &Path| {
        file.to_string_lossy().contains("flow/src/plugin/abi/")
            || !file.to_string_lossy().contains("flow/src")
    };
    let files = all_files().into_iter().filter(|file| !allowed(file));
    let with: Vec<PathBuf> =
        files.filter(|file| fs::read_to_string(file).unwrap().contains("(unsafe_code")).collect();
    assert!(with.is_empty(), "{with:?} switch the ban of unsafe code off");
}
