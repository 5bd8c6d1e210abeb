//! What the shipped program weighs: the stripped binary, its memory when idle, and the time until it has subscribed.
//!
//! `cargo bench -p flow-benches --bench footprint` builds `flow` with its default features, prints the figures and
//! writes `target/flow-benches/footprint.json`. The broker is this program: it answers the handshake on loopback and
//! sends nothing, so that what is timed is `flow` from exec to the SUBSCRIBE packet. Linux only, since memory is read
//! from `/proc`.

#[path = "../measure/mod.rs"]
#[allow(dead_code, reason = "nothing is counted under valgrind here")]
mod measure;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

/// Whatever goes wrong here ends the benchmark with a message.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often the program is started. Odd, so that there is a middle one.
const STARTS: usize = 21;

/// How long the program idles before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// The slowest start that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    measure::main("footprint", &[("measure", measure_all)], |_, _| Err("there are no jobs here".into()))
}

fn measure_all() -> Result<(), Failure> {
    let program = build()?;
    let size = fs::metadata(&program)?.len();
    let mut starts = Vec::new();
    let mut memory = Vec::new();
    for start in 0..STARTS {
        let (mut child, _broker, milliseconds) = subscribed(&program)?;
        starts.push(milliseconds);
        // Idling takes its time, and does not differ much.
        if start < 3 {
            thread::sleep(IDLE);
            memory.push(resident(&child)?);
        }
        child.kill()?;
        child.wait()?;
    }
    let (memory, start) = (measure::median(memory), measure::median(starts));
    println!("stripped binary, default features  {:>7.2} MB (budget 6)", size as f64 / 1e6);
    println!("resident memory when idle          {memory:>7.2} MB (budget 10)");
    println!("from exec to subscribed, loopback  {start:>7.2} ms (budget 30)");
    measure::report::write(
        "footprint",
        &json!({ "binary_bytes": size, "idle_resident_megabytes": memory, "exec_to_subscribed_milliseconds": start }),
    )
}

/// Builds the program as it ships, and strips it.
fn build() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env!("CARGO"))
        .args(["rustc", "--release", "--package", "flow", "--bin", "flow", "--", "-Cstrip=symbols"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err("`flow` cannot be built".into());
    }
    Ok(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release").join("flow"))
}

/// Starts the program and waits until it has subscribed. Gives the milliseconds that took.
fn subscribed(program: &Path) -> Result<(Child, TcpStream, f64), Failure> {
    let broker = TcpListener::bind("127.0.0.1:0")?;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("footprint.toml");
    let text = format!(
        "name = \"footprint\"\n[source]\nconnector = \"mqtt\"\nurl = \"mqtt://{}\"\ntopic = \"sensors/+/reading\"\n\
         decoder = \"json\"\n[source.schema]\ndevice_id = \"string\"\ntemperature = \"float64\"\n\
         [sink]\nconnector = \"nop\"\nencoder = \"json\"\n",
        broker.local_addr()?
    );
    fs::write(&file, text)?;
    let began = Instant::now();
    let mut child = Command::new(program).arg("run").arg(&file).stderr(Stdio::null()).spawn()?;
    match handshake(&broker) {
        Ok(connection) => Ok((child, connection, began.elapsed().as_secs_f64() * 1e3)),
        Err(error) => {
            child.kill()?;
            child.wait()?;
            Err(error)
        }
    }
}

/// The broker's half of CONNECT and SUBSCRIBE (MQTT 3.1.1 and 5).
fn handshake(broker: &TcpListener) -> Result<TcpStream, Failure> {
    broker.set_nonblocking(true)?;
    let began = Instant::now();
    let mut connection = loop {
        match broker.accept() {
            Ok((connection, _)) => break connection,
            Err(_) if began.elapsed() < PATIENCE => thread::yield_now(),
            Err(error) => return Err(format!("`flow` does not connect: {error}").into()),
        }
    };
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let connect = packet(&mut connection)?;
    // Behind the name of the protocol, which has its length in front, stands the version.
    let version = connect.get(6).copied().unwrap_or_default();
    connection.write_all(if version == 5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] })?;
    let subscribe = packet(&mut connection)?;
    let [high, low, ..] = subscribe[..] else { return Err("this is no SUBSCRIBE".into()) };
    let properties: &[u8] = if version == 5 { &[0] } else { &[] };
    connection.write_all(&[0x90, 3 + properties.len() as u8, high, low])?;
    connection.write_all(properties)?;
    connection.write_all(&[0])?;
    Ok(connection)
}

/// The next packet without its fixed header.
fn packet(connection: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let mut byte = [0];
    connection.read_exact(&mut byte)?;
    let (mut length, mut shift) = (0, 0);
    loop {
        connection.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] < 0x80 {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(body)
}

/// The process's resident memory, in MB.
fn resident(child: &Child) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("`/proc` says no VmRSS")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
