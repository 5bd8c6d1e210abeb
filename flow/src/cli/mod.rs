//! The command line, over anyone's registry type.
//!
//! ```no_run
//! type MyRegistry = flow::Builtins; // `flow::Cons<MySource, flow::Builtins>`
//!
//! fn main() -> std::process::ExitCode {
//!     flow::cli::main::<MyRegistry>()
//! }
//! ```
//!
//! # Exit codes
//! | code | meaning |
//! |---|---|
//! | 0 | everything ended well; `check` found nothing |
//! | 1 | a pipeline failed while it ran, or a sample could not be read |
//! | 2 | the command line or a pipeline file is wrong |
//! | 3 | stopped, and not everything was confirmed before the deadline |
//! | 130 | stopped at once by a second signal |

mod infer;
mod list;
mod new;
#[cfg(feature = "dynamic-connectors")]
mod plugins;
mod run;
mod signals;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::component::{Claims, redact};
use crate::error::Error;
use crate::pipeline::{Pipeline, file_schema};
use crate::registry::{Registry, Runtime};
use new::Flow;

/// Ended well.
const DONE: u8 = 0;
/// A pipeline failed while it ran.
const FAILED: u8 = 1;
/// The command line or a file is wrong.
const WRONG: u8 = 2;
/// Not everything was confirmed before the deadline.
const UNCONFIRMED: u8 = 3;
/// Stopped by a second signal.
const ABORTED: u8 = 130;

/// Streaming pipelines at the edge: source, decoder, transforms, encoder, sink.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[cfg(feature = "dynamic-connectors")]
    #[command(flatten)]
    plugins: plugins::PluginArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed while running, 2 wrong command line or pipeline file, \
3 stopped with records not confirmed, 130 stopped at once by a second signal";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run pipelines, each from its own file, until their sources end or a signal comes
    Run {
        /// Pipeline files, TOML or JSON
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Seconds to wait for what is in flight after Ctrl-C or SIGTERM
        #[arg(long, default_value_t = crate::pipeline::DRAIN.as_secs())]
        drain: u64,
        /// Log lines: error, warn, info, debug, trace, or a filter such as `flow=debug`
        #[arg(long, env = "FLOW_LOG", default_value = "info")]
        log: String,
        /// No live line, even on a terminal
        #[arg(long, short)]
        quiet: bool,
    },
    /// Check pipeline files without connecting to anything
    Check {
        /// Pipeline files, TOML or JSON
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List every component: role, id, crate, what it does
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of pipeline files, for completion in editors
    Schema,
    /// Write a schema block from sample JSON: an object, an array of objects, or an object a line
    Infer {
        /// The sample's file; `-` reads standard input
        sample: PathBuf,
    },
    /// Write a crate for connectors and codecs of your own: a source, a decoder, tests, a command line
    #[command(group = clap::ArgGroup::new("flow").required(true))]
    New {
        /// Its folder, made here, and the id of its components
        name: String,
        /// Where the sources of `flow` are
        #[arg(long, value_name = "DIR", group = "flow")]
        flow_path: Option<PathBuf>,
        /// The git repository of `flow`
        #[arg(long, value_name = "URL", group = "flow")]
        flow_git: Option<String>,
    },
}

/// Runs the command line of the process over the registry `R`.
pub fn main<R: Registry>() -> ExitCode {
    main_with::<R>(|_| Ok(()))
}

/// As [`main`], with what `register` adds to the components at run time.
///
/// ```no_run
/// # fn register_custom_connectors(_: &mut flow::Runtime) -> Result<(), flow::Error> { Ok(()) }
/// fn main() -> std::process::ExitCode {
///     flow::cli::main_with::<flow::Builtins>(|runtime| register_custom_connectors(runtime))
/// }
/// ```
pub fn main_with<R: Registry>(register: impl FnOnce(&mut Runtime) -> Result<(), Error>) -> ExitCode {
    const { R::UNIQUE };
    let mut runtime = Runtime::of::<R>();
    if let Err(error) = register(&mut runtime) {
        eprintln!("a component cannot be registered: {error}");
        return ExitCode::from(WRONG);
    }
    ExitCode::from(execute::<R>(runtime, std::env::args_os().collect()))
}

fn execute<R: Registry>(
    #[cfg_attr(not(feature = "dynamic-connectors"), allow(unused_mut, reason = "only plugins add to it"))]
    mut runtime: Runtime,
    arguments: Vec<std::ffi::OsString>,
) -> u8 {
    let program = arguments.first().map(PathBuf::from);
    let program =
        program.as_deref().and_then(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    let command = Arguments::command().bin_name(program.unwrap_or_else(|| "flow".to_owned()));
    let parsed =
        command.try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(WRONG);
        }
    };
    #[cfg(feature = "dynamic-connectors")]
    if let Err(error) = plugins::load(&mut runtime, &arguments.plugins) {
        eprintln!("{error}");
        return WRONG;
    }
    match arguments.command {
        Command::Run { files, drain, log, quiet } => {
            let Some(pipelines) = load::<R>(&files, &runtime) else { return WRONG };
            run::run(pipelines, Duration::from_secs(drain), &log, quiet)
        }
        Command::Check { files } => {
            let Some(pipelines) = load::<R>(&files, &runtime) else { return WRONG };
            for (file, pipeline) in files.iter().zip(&pipelines) {
                let name = redact(pipeline.name(), pipeline.secrets());
                terminal::print(&format!("{}: `{name}` is good\n", file.display()));
            }
            DONE
        }
        Command::List { json } => {
            terminal::print(&list::render(&runtime.components(), json));
            DONE
        }
        Command::Schema => {
            terminal::print(&format!("{:#}\n", file_schema(&runtime)));
            DONE
        }
        Command::Infer { sample } => infer::infer(&sample),
        Command::New { name, flow_path, flow_git } => {
            let git = || Flow::Git(flow_git.unwrap_or_default());
            new::new(&name, flow_path.map_or_else(git, Flow::Path))
        }
    }
}

/// Every file's pipeline, or every file's problems on standard error.
fn load<R: Registry>(files: &[PathBuf], runtime: &Runtime) -> Option<Vec<Pipeline<R>>> {
    let (mut pipelines, mut claims) = (Vec::new(), Claims::default());
    for file in files {
        match Pipeline::load().with(runtime).columnar().beside(claims.next_file()).file(file) {
            Ok(pipeline) => {
                #[cfg(feature = "dynamic-connectors")]
                plugins::warn(pipeline.refused_plugins(), runtime.refused_plugins());
                pipelines.push(pipeline);
            }
            Err(problems) => terminal::complain(problems),
        }
    }
    (pipelines.len() == files.len()).then_some(pipelines)
}
