//! The binary `certgate`: parses and wires, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    certgate::cli::main()
}
