//! The `flow` command line over the components that ship with it.

fn main() -> std::process::ExitCode {
    flow::cli::main::<flow::Builtins>()
}
