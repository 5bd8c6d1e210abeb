//! Every file that is refused says why, the program lives on, and the good plugin beside it is loaded.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use flow::plugin::Policy;
use flow::{Builtins, Runtime, role};

use crate::support::{built, directory, load, put, put_built, put_mistaken, put_station};

/// Makes a bad file beside a good one, and gives the reason why it is refused.
fn refused(make: impl FnOnce(&Path)) -> String {
    let plugins = directory();
    put_station(plugins.path());
    make(plugins.path());
    let (runtime, report) = load(plugins.path());
    let ids: Vec<&str> =
        report.loaded.iter().flat_map(|plugin| &plugin.components).map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, ["station"], "only the good one is loaded");
    assert_eq!(report.refused.len(), 1, "{:?}", report.refused);
    assert_eq!(runtime.refused_plugins(), report.refused);
    assert!(runtime.components().iter().any(|info| info.id == "station"));

    // Strict, the same is fatal.
    let strict = Policy::default().strict();
    let mut other = Runtime::of::<Builtins>();
    let fatal = other.load_from_dir(plugins.path(), &strict).unwrap_err();
    assert_eq!(fatal.to_string(), report.refused[0].to_string());
    report.refused[0].reason.clone()
}

fn mistaken(defines: &[&str]) -> String {
    refused(|plugins| drop(put_mistaken(plugins, "mistaken", defines)))
}

fn station() -> Vec<u8> {
    let plugins = directory();
    fs::read(put_station(plugins.path())).unwrap()
}

#[test]
fn another_abi() {
    assert_eq!(
        mistaken(&["MAJOR=2"]),
        "speaks ABI 2.1, this program 1.1: build it against a `flow` of the same ABI major"
    );
    assert_eq!(
        mistaken(&["MINOR=3", "COMPILER=\"rustc 9.9\""]),
        "needs ABI 1.3, this program has 1.1: update the program (it was built by rustc 9.9)"
    );
    assert_eq!(
        mistaken(&["WIDTH=32"]),
        "was built for `c`: pointers or byte order differ from this program's"
    );
    assert_eq!(mistaken(&["FAILURE_SIZE=8"]), "has structs of other sizes than this program's ABI");
    assert_eq!(mistaken(&["MANIFEST_SIZE=199"]), "has structs of other sizes than this program's ABI");
}

#[test]
fn panics_that_abort() {
    assert_eq!(
        mistaken(&["PANIC=2"]),
        "was built with `panic = \"abort\"`: a panic in it would end this program; build it with `panic = \"unwind\"`"
    );
}

#[test]
fn no_plugin_at_all() {
    assert_eq!(mistaken(&["NO_SYMBOL"]), "does not export `register_connector_plugin`");
    let why = mistaken(&["UNDEFINED"]);
    assert!(why.starts_with("cannot be loaded: ") && why.ends_with("undefined symbol: nowhere"), "{why}");
    assert_eq!(
        mistaken(&["NO_MANIFEST"]),
        "has no manifest: no section `.flow_plugin`; it is no plugin of flow"
    );
}

#[test]
fn files_that_are_no_library() {
    let no_elf = "is no shared library (it does not begin as an ELF file)";
    assert_eq!(refused(|plugins| drop(put(plugins, "empty.so", b""))), "is empty");
    assert_eq!(refused(|plugins| drop(put(plugins, "text.so", b"#!/bin/sh\necho no\n"))), no_elf);
    // As on macOS and on Windows.
    let mach_o = [&[0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1][..], &[0; 24]].concat();
    let built_for = |system: &str| format!("was built for {system}, this program for linux");
    assert_eq!(refused(|plugins| drop(put(plugins, "foreign.dylib", &mach_o))), built_for("macOS"));
    assert_eq!(refused(|plugins| drop(put(plugins, "foreign.so", b"MZ\x90\0"))), built_for("Windows"));
    // A small generator of noise: the same in every run.
    let mut state = 7_u64;
    let mut noise = |len: usize| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(len).collect()
    };
    assert_eq!(refused(|plugins| drop(put(plugins, "noise.so", &noise(4096)))), no_elf);
    let mut headed = station()[..64].to_vec();
    headed.extend(noise(20_000));
    let reason = refused(|plugins| drop(put(plugins, "headed.so", &headed)));
    assert!(
        reason.starts_with("is cut off or broken: segment ") || reason.starts_with("is a broken ELF file"),
        "{reason}"
    );
}

#[test]
fn a_library_that_is_cut_off_anywhere() {
    let whole = station();
    let plugins = directory();
    put_station(plugins.path());
    let lengths: Vec<usize> = (1..40).map(|part| whole.len() * part / 40).chain([whole.len() - 1]).collect();
    for length in &lengths {
        put(plugins.path(), &format!("cut-{length}.so"), &whole[..*length]);
    }
    let (_, report) = load(plugins.path());
    assert_eq!((report.loaded.len(), report.refused.len()), (1, lengths.len()));
    for refusal in &report.refused {
        let known = ["is cut off or broken: ", "is a broken ELF file: "];
        assert!(known.iter().any(|start| refusal.reason.starts_with(start)), "{refusal}");
    }
}

#[test]
fn another_architecture() {
    let mut foreign = station();
    // `e_machine`: AArch64, or SPARC where that is what we run on.
    let (arm, sparc) = (183_u16, 2_u16);
    let machine = if cfg!(target_arch = "aarch64") { sparc } else { arm };
    foreign[18..20].copy_from_slice(&machine.to_ne_bytes());
    assert_eq!(
        refused(|plugins| drop(put(plugins, "foreign.so", &foreign))),
        format!(
            "was built for another architecture (ELF machine {machine}), this program for {}",
            std::env::consts::ARCH
        )
    );
    foreign[4] = 1;
    assert_eq!(
        refused(|plugins| drop(put(plugins, "narrow.so", &foreign))),
        format!("is for another kind of machine than this program's ({})", std::env::consts::ARCH)
    );
}

#[test]
fn what_is_no_regular_file() {
    assert_eq!(refused(|plugins| fs::create_dir(plugins.join("folder.so")).unwrap()), "is a directory");
    let fifo = |plugins: &Path| {
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(plugins.join("pipe.so")).status().unwrap();
        assert!(made.success());
    };
    assert_eq!(refused(fifo), "is a FIFO");
    let elsewhere = directory();
    let target = put_built(elsewhere.path(), "pump_plugin");
    assert_eq!(
        refused(|plugins| symlink(&target, plugins.join("link.so")).unwrap()),
        "is a symbolic link: put the file itself there"
    );
}

#[test]
fn what_others_may_write() {
    let writable = |plugins: &Path| {
        let file = put_mistaken(plugins, "mistaken", &[]);
        fs::set_permissions(file, fs::Permissions::from_mode(0o775)).unwrap();
    };
    assert_eq!(refused(writable), "can be written by group or others (mode 0775): run `chmod go-w` on it");
    let plugins = directory();
    put_station(plugins.path());
    fs::set_permissions(plugins.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut runtime = Runtime::of::<Builtins>();
    let why = runtime.load_from_dir(plugins.path(), &Policy::default()).unwrap_err().to_string();
    let expected = "can be written by group or others (mode 0777): run `chmod go-w` on it";
    assert_eq!(why, format!("the plugin directory `{}` {expected}", plugins.path().display()));
}

#[test]
fn the_directory_itself() {
    let load = |path: &Path| {
        Runtime::of::<Builtins>().load_from_dir(path, &Policy::default()).unwrap_err().to_string()
    };
    assert_eq!(load(Path::new("plugins")), "the plugin directory `plugins` is not an absolute path");
    let plugins = directory();
    let missing = plugins.path().join("missing");
    assert!(load(&missing).contains("cannot be opened: No such file"), "{}", load(&missing));
    let link = plugins.path().join("link");
    symlink(plugins.path(), &link).unwrap();
    assert!(load(&link).ends_with("is no directory, or a symbolic link"), "{}", load(&link));
}

#[test]
fn sizes_and_sums() {
    let plugins = directory();
    let good = fs::read(put_station(plugins.path())).unwrap();
    let policy = Policy::default().up_to(good.len() as u64 - 1);
    let load = |policy: &Policy| Runtime::of::<Builtins>().load_from_dir(plugins.path(), policy).unwrap();
    assert_eq!(load(&policy).refused[0].reason, format!("is larger than {} bytes", policy.max_bytes));

    let reason = load(&Policy::default().only([""])).refused[0].reason.clone();
    let sum = reason.strip_prefix("has the SHA-256 sum ").unwrap().split(',').next().unwrap().to_owned();
    assert!(reason.ends_with("which is not in the list"), "{reason}");
    assert_eq!(load(&Policy::default().only([sum.to_uppercase()])).loaded.len(), 1);
}

#[test]
fn ids_that_are_taken() {
    assert_eq!(
        mistaken(&["ID=\"json\""]),
        "is refused: duplicate id: the decoder `json` is there already (in the list, from the crate `flow`)"
    );
    assert_eq!(
        mistaken(&["ID=\"Bad_Id\""]),
        "is refused: the decoder id `Bad_Id` is not made of `a-z`, `0-9` and `-`"
    );
    let twice = mistaken(&["ID=\"first\""]);
    assert!(
        twice.starts_with("is refused: duplicate id: the decoder `first` is there already (from the library"),
        "{twice}"
    );
    let plugins = directory();
    put_station(plugins.path());
    let mut runtime = Runtime::of::<Builtins>();
    let factory = |config: flow::codec::json::JsonDecoderConfig| -> Result<Box<dyn flow::registry::DynDecoder>, flow::Error> {
        Ok(Box::new(flow::codec::json::JsonDecoder::new(config.framing)))
    };
    runtime.codecs().register_decoder("station", std::sync::Arc::new(factory)).unwrap();
    let report = runtime.load_from_dir(plugins.path(), &Policy::default()).unwrap();
    assert_eq!(
        report.refused[0].reason,
        "is refused: duplicate id: the decoder `station` is there already (registered)"
    );
    // The other way round, too.
    let (mut runtime, _) = load(plugins.path());
    let refused = runtime.codecs().register_decoder("station", std::sync::Arc::new(factory)).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("duplicate id: the decoder `station` is there already (from the library"),
        "{refused}"
    );
}

#[test]
fn a_registration_that_goes_wrong() {
    assert_eq!(mistaken(&["ERROR"]), "its registration failed: the licence has run out");
    assert_eq!(mistaken(&["NOTHING"]), "registers no component");
    assert_eq!(
        mistaken(&["TABLE_SIZE=16"]),
        "its registration failed: the component `first`: the struct of its table has 16 bytes, this program needs 32"
    );
    assert_eq!(
        mistaken(&["DECODE=NULL"]),
        "its registration failed: the component `first`: its table has no `decode`"
    );
    assert_eq!(mistaken(&["SCHEMA=\"no\""]), "gives no JSON Schema for the config of `first`");

    let mut faulty = fs::read(built("faulty_plugin")).unwrap();
    let mode = faulty.windows(16).position(|bytes| bytes == b"FAULTY-MODE:NONE").unwrap();
    faulty[mode + 12..mode + 16].copy_from_slice(b"PANI");
    assert_eq!(
        refused(|plugins| drop(put(plugins, "panicking.so", &faulty))),
        "it panicked while it registered: no schema today"
    );
}

#[test]
fn what_is_loaded_twice_is_there_once() {
    let plugins = directory();
    put_station(plugins.path());
    let (mut runtime, _) = load(plugins.path());
    let again = runtime.load_from_dir(plugins.path(), &Policy::default()).unwrap();
    assert_eq!((again.loaded.len(), again.refused.len()), (0, 0));
    let stations = runtime.components().into_iter().filter(|info| info.id == "station").count();
    assert_eq!(stations, 1);
    assert!(
        runtime.components().iter().any(|info| info.role == role::Kind::Decoder && info.library().is_some())
    );
}
