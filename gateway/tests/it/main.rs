//! The binary from outside: starting, stopping, the command line, the files it leaves. And the library as a whole, in a simulation.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod allow_table;
mod approval;
mod audit;
mod backup;
mod broken_configurations;
mod client;
mod command_line;
mod command_line_revocations;
mod command_line_serials;
mod crls;
mod generated;
mod http2;
mod lifecycle;
mod loss;
mod named_files;
mod process;
mod refusals;
mod simulation;
mod tls;
