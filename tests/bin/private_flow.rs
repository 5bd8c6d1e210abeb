//! The command line with private components from another crate in its registry.

type MyRegistry = acme::Acme<flow::Builtins>;

fn main() -> std::process::ExitCode {
    flow::cli::main::<MyRegistry>()
}
