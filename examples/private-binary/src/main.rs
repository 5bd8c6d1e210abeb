//! `flow` with Acme's components in it: `list`, `schema`, `check`, `run`.

type MyRegistry = acme::Acme<flow::Builtins>;

fn main() -> std::process::ExitCode {
    flow::cli::main::<MyRegistry>()
}
