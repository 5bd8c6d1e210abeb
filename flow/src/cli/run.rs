//! `run`: pipelines side by side, a live line, a summary, and signals.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use crate::cli::signals::{Asked, listen};
use crate::cli::terminal::{Terminal, complain};
use crate::cli::{ABORTED, DONE, FAILED, UNCONFIRMED, WRONG};
use crate::error::ErrorKind;
use crate::pipeline::metrics::{Metrics, Report};
use crate::pipeline::{Pipeline, RunError};
use crate::registry::Registry;

/// How often the live line changes.
const TICK: Duration = Duration::from_millis(500);

pub(super) fn run<R: Registry>(pipelines: Vec<Pipeline<R>>, drain: Duration, log: &str, quiet: bool) -> u8 {
    let filter = match EnvFilter::builder().parse(log) {
        Ok(filter) => filter,
        Err(error) => {
            complain(format_args!(
                "--log `{log}`: {error}; a level is one of error, warn, info, debug, trace"
            ));
            return WRONG;
        }
    };
    let secrets = pipelines.iter().flat_map(|pipeline| pipeline.secrets().to_vec()).collect();
    let terminal = Terminal::new(secrets);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(Terminal::is_interactive())
        .with_target(false)
        .with_writer(terminal.clone());
    // A program that has set up its own logging keeps it.
    let _ = subscriber.try_init();
    let signals = match listen() {
        Ok(signals) => signals,
        Err(error) => {
            complain(format_args!("signals cannot be caught: {error}"));
            return FAILED;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("the runtime cannot start: {error}"));
            return FAILED;
        }
    };
    let show = !quiet && Terminal::is_interactive();
    let code = runtime.block_on(supervise(pipelines, signals, drain, &terminal, show));
    // A blocked read of standard input must not hold up the end.
    runtime.shutdown_background();
    code
}

async fn supervise<R: Registry>(
    pipelines: Vec<Pipeline<R>>,
    mut signals: watch::Receiver<Asked>,
    drain: Duration,
    terminal: &Terminal,
    show: bool,
) -> u8 {
    let began = Instant::now();
    let (stop, stopped) = watch::channel(false);
    let metrics: Vec<(String, Metrics)> =
        pipelines.iter().map(|pipeline| (pipeline.name().to_owned(), pipeline.metrics())).collect();
    let mut tasks = JoinSet::new();
    for pipeline in pipelines {
        let name = pipeline.name().to_owned();
        let mut stopped = stopped.clone();
        let shutdown = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        tasks.spawn(async move { (name, pipeline.drain_within(drain).run(shutdown).await) });
    }
    let mut code = DONE;
    let mut live = Live::new(&metrics);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok((name, outcome))) => code = code.max(said(&name, outcome, terminal)),
                Some(Err(error)) => {
                    terminal.lines(&format!("a pipeline panicked: {error}\n"));
                    code = code.max(FAILED);
                }
                None => break,
            },
            // Nobody listens any more where it fails: signals are then what they are without this program.
            Ok(()) = signals.changed() => {
                // Copied out: what is borrowed keeps the other side from telling more.
                let asked = *signals.borrow_and_update();
                match asked {
                    Asked::Nothing => {}
                    Asked::Stop => {
                        let _ = stop.send(true);
                        let seconds = drain.as_secs();
                        terminal.lines(&format!("stopping within {seconds} s; once more to stop at once\n"));
                    }
                    Asked::Abort => {
                        code = ABORTED;
                        break;
                    }
                }
            }
            _ = tick.tick(), if show => terminal.live(&live.line()),
        }
    }
    if show {
        terminal.live("");
    }
    for (name, metrics) in &metrics {
        let seconds = began.elapsed().as_secs_f64();
        terminal.lines(&format!("{name}: {} in {seconds:.1} s\n", metrics.report()));
    }
    code
}

fn said(name: &str, outcome: Result<Report, RunError>, terminal: &Terminal) -> u8 {
    let Err(error) = outcome else { return DONE };
    terminal.lines(&format!("{name}: {error}\n"));
    match error {
        RunError::Run(error) if error.kind() == ErrorKind::Closed && error.is_temporary() => UNCONFIRMED,
        RunError::Run(_) => FAILED,
        RunError::File(_) => WRONG,
    }
}

/// The live line: what has gone through, and how fast.
struct Live<'a> {
    metrics: &'a [(String, Metrics)],
    last: (Instant, u64),
}

impl<'a> Live<'a> {
    fn new(metrics: &'a [(String, Metrics)]) -> Self {
        Self { metrics, last: (Instant::now(), 0) }
    }

    fn line(&mut self) -> String {
        let reports: Vec<Report> = self.metrics.iter().map(|(_, metrics)| metrics.report()).collect();
        let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
        let records = sum(|report| report.records_in);
        let (since, before) = std::mem::replace(&mut self.last, (Instant::now(), records));
        let rate = (records - before) as f64 / since.elapsed().as_secs_f64().max(0.001);
        let lag = reports.iter().map(|report| report.lag).max().unwrap_or_default();
        let name = match self.metrics {
            [(name, _)] => name.clone(),
            several => format!("{} pipelines", several.len()),
        };
        format!(
            "{name}  in {records}  out {}  filtered {}  errors {}  in flight {}  {rate:.0}/s  lag {} ms",
            sum(|report| report.delivered),
            sum(|report| report.filtered),
            sum(Report::errors),
            sum(|report| report.in_flight),
            lag.as_millis()
        )
    }
}
