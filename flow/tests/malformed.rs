//! 100,000 broken payloads through a whole pipeline: no panic, each accounted for, memory flat, the log short.

use std::io::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use flow::{
    BuildContext, Builtins, Checkpoint, Component, Cons, Error, PayloadBatch, Pipeline, Progress, Report,
    SourceConnector,
};

/// Hands out broken payloads with good ones between them, always the same for the same seed.
#[derive(Component)]
#[component(source, id = "mangler", config = ManglerConfig)]
struct Mangler {
    left: u64,
    random: u64,
    checkpoint: u64,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManglerConfig {
    count: u64,
}

/// Payloads that must be delivered, and that must not.
static GOOD: AtomicU64 = AtomicU64::new(0);
static BAD: AtomicU64 = AtomicU64::new(0);
/// Resident memory in KiB when a fifth of the payloads was handed out.
static EARLY: AtomicU64 = AtomicU64::new(0);

const GOOD_ONE: &str =
    "{\"id\":7,\"name\":\"pump\",\"value\":21.5,\"ok\":true,\"list\":[1,2,3],\"at\":1764000000000}";

impl Mangler {
    fn new(config: ManglerConfig, _: &BuildContext) -> Result<Self, Error> {
        Ok(Self { left: config.count, random: 0x9e37_79b9_7f4a_7c15, checkpoint: 0 })
    }

    /// xorshift64.
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }

    fn payload(&mut self) -> Vec<u8> {
        let mut bytes = GOOD_ONE.as_bytes().to_vec();
        let (sure, bytes) = match self.below(8) {
            0 => (Some(&GOOD), bytes),
            1 => {
                let len = self.below(bytes.len());
                bytes.truncate(len);
                (Some(&BAD), bytes)
            }
            // Anything may come of a byte that is changed.
            2 | 3 => {
                let at = self.below(bytes.len());
                bytes[at] = self.below(256) as u8;
                (None, bytes)
            }
            4 => {
                let key = ["id", "name", "value", "ok", "list", "at"][self.below(6)];
                let wrong = ["{}", "[[]]", "\"wet\"", "-1e999", "18446744073709551616"][self.below(5)];
                let wrong = if key == "name" { "3" } else { wrong };
                (Some(&BAD), format!("{{\"id\":1,\"{key}\":{wrong}}}").into_bytes())
            }
            5 => {
                let depth = 200 + self.below(1_000);
                (Some(&BAD), format!("{{\"id\":1,\"unknown\":{}", "[".repeat(depth)).into_bytes())
            }
            // Large, and good all the same: what the schema does not name is skipped.
            6 => {
                let size = self.below(1_000);
                (Some(&GOOD), format!("{{\"id\":1,\"unknown\":\"{}\"}}", "x".repeat(size)).into_bytes())
            }
            _ => {
                let noise = (0..self.below(200)).map(|_| self.below(256) as u8).collect();
                (Some(&BAD), noise)
            }
        };
        if let Some(count) = sure {
            count.fetch_add(1, Ordering::Relaxed);
        }
        bytes
    }
}

impl SourceConnector for Mangler {
    async fn next(&mut self, batch: &mut PayloadBatch) -> Result<Progress, Error> {
        if self.left == 0 {
            return Ok(Progress::End);
        }
        if self.left <= TOTAL * 4 / 5 && EARLY.load(Ordering::Relaxed) == 0 {
            EARLY.store(resident(), Ordering::Relaxed);
        }
        while self.left > 0 && !batch.is_full() {
            let payload = self.payload();
            batch.push(&payload);
            self.left -= 1;
        }
        self.checkpoint += 1;
        Ok(Progress::Batch(Checkpoint(self.checkpoint)))
    }

    async fn acknowledge(&mut self, _: Checkpoint) -> Result<(), Error> {
        Ok(())
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

const TOTAL: u64 = 100_000;

/// Resident memory of this process in KiB, as Linux tells it; 0 elsewhere.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Counts the bytes of the log.
static LOGGED: AtomicUsize = AtomicUsize::new(0);

struct CountBytes;

impl Write for CountBytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn run(on_error: &str, directory: &std::path::Path) -> Report {
    for count in [&GOOD, &BAD, &EARLY] {
        count.store(0, Ordering::Relaxed);
    }
    LOGGED.store(0, Ordering::Relaxed);
    let text = format!(
        "on_error = {on_error}
        [source]
        connector = \"mangler\"
        count = {TOTAL}
        decoder = \"json\"
        schema = {{ id = {{ type = \"int32\", required = true }}, name = \"string\", value = \"float64\", ok = \"bool\", \
                  list = {{ type = \"list\", items = \"int64\" }}, at = \"timestamp(ms)\" }}
        [sink]
        connector = \"nop\"
        encoder = \"json\""
    );
    let pipeline = Pipeline::<Cons<Mangler, Builtins>>::from_text(directory.join("mangled.toml"), &text);
    let pipeline = pipeline.unwrap_or_else(|problems| panic!("{problems}"));
    let report = pipeline.run(std::future::pending()).await.unwrap_or_else(|error| panic!("{error}"));

    let (good, bad) = (GOOD.load(Ordering::Relaxed), BAD.load(Ordering::Relaxed));
    assert_eq!((report.payloads_in, report.records_in, report.in_flight), (TOTAL, TOTAL, 0), "{report}");
    assert_eq!(report.delivered + report.skipped + report.dead_lettered, TOTAL, "{report}");
    assert!(report.delivered >= good, "{good} good ones: {report}");
    assert!(report.errors() >= bad, "{bad} bad ones: {report}");
    assert_eq!(report.rejected.iter().map(|(_, count)| count).sum::<u64>(), report.errors());
    let grown = resident().saturating_sub(EARLY.load(Ordering::Relaxed));
    assert!(grown < 16 * 1024, "{grown} KiB more than after a fifth of the payloads");
    let logged = LOGGED.load(Ordering::Relaxed);
    println!("{report}; {grown} KiB more memory at the end, {logged} bytes logged");
    assert!(logged < 64 * 1024, "{logged} bytes logged");
    report
}

#[tokio::test]
async fn a_hundred_thousand_broken_payloads_are_all_accounted_for() {
    let builder = tracing_subscriber::fmt().with_ansi(false).with_writer(|| CountBytes);
    builder.init();
    let directory = tempfile::tempdir().unwrap();
    run("\"skip\"", directory.path()).await;

    let letters = "{ dead_letter = { connector = \"file\", path = \"letters.jsonl\" } }";
    let report = run(letters, directory.path()).await;
    // Every letter is there, with its bytes and its reason.
    let text = std::fs::read_to_string(directory.path().join("letters.jsonl")).unwrap();
    let letters = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut count = 0;
    for letter in letters {
        assert!(letter["payload"].is_string() && letter["reason"].is_string(), "{letter}");
        count += 1;
    }
    assert_eq!(count, report.dead_lettered);
}
