//! The rim of certgate: the only crate that knows HTTP, TLS, configuration, signals and metrics.
//!
//! `config` says what is wanted, `assemble` makes it, `listen` takes connections, `serve` answers requests, `auth` finds out who asks,
//! `admin` is the operator's socket, `audit` signs heads of the audit trail, `cli` the command line, `telemetry` what certgate says about
//! itself, `validate` asks others whether a client controls a name, `publish` makes and serves CRLs, `data_dir` is what is kept on this machine,
//! `backup` what is kept elsewhere and comes back, `reload` what changes while it runs, `work_pool` threads for long work.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod admin;
pub mod assemble;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod listen;
pub mod publish;
pub mod reload;
pub mod serve;
pub mod telemetry;
pub mod validate;
pub mod work_pool;
