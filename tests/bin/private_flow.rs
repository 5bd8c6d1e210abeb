//! The command line with a private component from another crate in its registry.

type MyRegistry = flow::Cons<acme::AcmeDecoder, flow::Builtins>;

fn main() -> std::process::ExitCode {
    flow::cli::main::<MyRegistry>()
}
