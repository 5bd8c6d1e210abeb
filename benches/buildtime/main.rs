//! What a component costs the compiler: programs with registries of 8, 16, 32 and 64 generated components.
//!
//! `cargo bench -p flow-benches --bench buildtime` builds each program twice, once with the components in a registry
//! type and once with the same components called by hand, and prints build seconds, the compiler's memory, and the
//! program's code. What the registry adds to a component is the difference. Linux only, since memory is read from
//! `/proc` and sizes from ELF.

mod generate;
#[path = "../measure/mod.rs"]
#[allow(dead_code, reason = "nothing is counted under valgrind here")]
mod measure;
mod rustc;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use generate::Use;
use serde_json::json;

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How many components a registry has.
const SIZES: [usize; 4] = [8, 16, 32, 64];

/// One program.
#[derive(Debug, Clone, Copy)]
struct Built {
    seconds: f64,
    megabytes: f64,
    /// Bytes of machine code.
    text: u64,
}

fn main() -> ExitCode {
    if let Some(outcome) = rustc::wrapped() {
        return outcome;
    }
    measure::main("buildtime", &[("measure", measure_all)], |_, _| Err("there are no jobs here".into()))
}

fn measure_all() -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("flow-benches").join("buildtime");
    // The first build compiles the dependencies, too.
    build(&folder, SIZES[0], Use::Registry)?;
    println!(
        "{:<12}{:>10}{:>10}{:>12}{:>16}{:>18}",
        "components", "seconds", "MB", "text", "text by hand", "registry adds"
    );
    let mut figures = Vec::new();
    let mut before: Option<(usize, [Built; 2])> = None;
    for size in SIZES {
        let [registry, hand] = [build(&folder, size, Use::Registry)?, build(&folder, size, Use::Hand)?];
        // Of the components that came on top of the size before, each.
        let adds = before.map(|(less, [small, small_hand])| {
            let grown = |more: Built, less: Built| more.text as f64 - less.text as f64;
            (grown(registry, small) - grown(hand, small_hand)) / (size - less) as f64
        });
        println!(
            "{size:<12}{:>10.1}{:>10.0}{:>12}{:>16}{:>18}",
            registry.seconds,
            registry.megabytes,
            registry.text,
            hand.text,
            measure::report::Figure(adds, 0),
        );
        figures.push(json!({
            "components": size, "seconds": registry.seconds, "compiler_megabytes": registry.megabytes,
            "text_bytes": registry.text, "text_bytes_by_hand": hand.text, "registry_adds_bytes": adds,
        }));
        before = Some((size, [registry, hand]));
    }
    measure::report::write("buildtime", &json!(figures))
}

/// Builds the program of this size and says what that took.
fn build(folder: &Path, size: usize, how: Use) -> Result<Built, Failure> {
    let source = folder.join("src");
    fs::create_dir_all(&source)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    fs::write(folder.join("Cargo.toml"), generate::manifest(&root))?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(source.join("main.rs"), generate::program(size, how))?;
    let log = folder.join("rustc.log");
    fs::write(&log, "")?;
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--offline"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTC_WRAPPER", std::env::current_exe()?)
        .env(rustc::LOG, &log)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "the program of {size} cannot be built: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    let log = fs::read_to_string(&log)?;
    let (seconds, megabytes) = rustc::cost_of(&log, generate::NAME).ok_or("the compiler was not called")?;
    Ok(Built { seconds, megabytes, text: text_size(&folder.join("target/release").join(generate::NAME))? })
}

/// Bytes of machine code in a 64-bit ELF file: the sections that are executed.
fn text_size(program: &PathBuf) -> Result<u64, Failure> {
    let file = fs::read(program)?;
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let mut value = [0; 8];
        value[..bytes].copy_from_slice(file.get(at..at + bytes)?);
        Some(u64::from_le_bytes(value))
    };
    let sizes = || -> Option<u64> {
        // Elf64_Ehdr: e_shoff, e_shentsize, e_shnum; Elf64_Shdr: sh_flags, sh_size.
        let (table, entry, count) = (number(0x28, 8)?, number(0x3a, 2)?, number(0x3c, 2)?);
        (0..count).try_fold(0, |sum, index| {
            let header = usize::try_from(table + index * entry).ok()?;
            let executed = number(header + 8, 8)? & 4 != 0;
            Some(sum + if executed { number(header + 0x20, 8)? } else { 0 })
        })
    };
    if !file.starts_with(b"\x7fELF\x02\x01") {
        return Err("the program is no 64-bit ELF file".into());
    }
    sizes().ok_or_else(|| "the program's section headers cannot be read".into())
}
