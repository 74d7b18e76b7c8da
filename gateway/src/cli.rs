//! The command line. Parses, asks the gateway over its socket (or is the gateway, for `serve`), prints.

mod audit;
mod backup;
mod ca;
mod cert;
mod config;
mod crl;
mod crl_sign;
mod enrollment;
mod est;
mod examples;
mod generate;
mod ledger;
mod output;
mod progress;
mod root;
mod scep;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};

use crate::admin::{AdminFailure, Code};
use crate::config::SecretSource;
use output::{Format, Printed};

/// An enrollment protocol gateway: devices get certificates by EST, SCEP and ACME, in front of any CA.
///
/// Without a command it serves: on the first start it makes a data directory, a root, an issuing CA, its own TLS certificate and one
/// EST credential, and prints how to enroll a first device.
#[derive(Parser)]
#[command(name = "certgate", version, max_term_width = 110, after_help = examples::CERTGATE)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags of every command.
#[derive(Args)]
struct Global {
    /// Configuration file; certgate.toml in the data directory if not given and there
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, global = true, value_name = "DIR", default_value = "./certgate-data", value_hint = ValueHint::DirPath)]
    data_dir: PathBuf,
    /// The administration socket; certgate.sock in the data directory if not given
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    socket: Option<PathBuf>,
    /// How to print: for people or for programs
    #[arg(long, global = true, value_enum, default_value_t)]
    output: Format,
}

impl Global {
    fn socket(&self) -> PathBuf {
        self.socket.clone().unwrap_or_else(|| self.data_dir.join("certgate.sock"))
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway (the default)
    Serve(serve::ServeArguments),
    /// EST (RFC 7030): who may enroll
    #[command(subcommand)]
    Est(est::EstCommand),
    /// SCEP (RFC 8894): challenges
    #[command(subcommand)]
    Scep(scep::ScepCommand),
    /// Certificates that were issued
    #[command(subcommand)]
    Cert(cert::CertCommand),
    /// Authorities: their certificates, and those that a CA outside signs
    #[command(subcommand)]
    Ca(ca::CaCommand),
    /// CRLs (RFC 5280 §5): what is published
    #[command(subcommand)]
    Crl(crl::CrlCommand),
    /// Requests that wait for your approval, and what came of them
    #[command(subcommand)]
    Enrollment(enrollment::EnrollmentCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Back up the data directory while the gateway runs: the ledger of one moment, keys, certificates, CRLs, configuration
    ///
    /// It reads files, as the user that the gateway runs as, or as root; nobody who enrolls waits for it. The archive is a tar; manifest.json
    /// in it says what is there. A ledger that is damaged is not backed up.
    Backup(backup::BackupArguments),
    /// Bring the data directory back from a backup; the gateway is stopped meanwhile
    ///
    /// All of it is checked first, and then put in place so that a crash leaves what was there or what came. It does not go back in time in
    /// silence: what the ledger that is there has and the backup has not is told, and is forgotten only if you say so. Certificates that
    /// were issued since, and revocations, are carried over from a ledger that can be read, and what had ended stays ended.
    Restore(backup::RestoreArguments),
    /// The ledger, as a file
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// The configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a script that completes commands and flags in a shell
    Completions(generate::CompletionsArguments),
    /// Write the manual pages
    Man(generate::ManArguments),
}

/// Runs the command line to its end.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    let format = cli.global.output;
    match run(cli) {
        Ok(Printed::Nothing) => ExitCode::SUCCESS,
        Ok(printed) => output::print(&printed, format),
        Err(failure) => output::fail(&failure, format),
    }
}

/// Parses a command line. Without a command, flags of `serve` are its.
fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let parsed = Cli::try_parse_from(&arguments);
    let names_command = |argument: &OsString| Cli::command().get_subcommands().any(|command| command.get_name() == argument);
    match parsed {
        Err(error) if error.kind() == ErrorKind::UnknownArgument && !arguments.iter().any(names_command) => {
            let program = arguments.first().cloned().unwrap_or_default();
            let rest = arguments.into_iter().skip(1);
            Cli::try_parse_from([program, "serve".into()].into_iter().chain(rest))
        }
        parsed => parsed,
    }
}

fn run(cli: Cli) -> Result<Printed, AdminFailure> {
    let global = &cli.global;
    let serve = serve::ServeArguments::default();
    match cli.command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(arguments) => serve::run(global, &arguments),
        Command::Est(command) => block_on(est::run(global, command))?,
        Command::Scep(command) => block_on(scep::run(global, command))?,
        Command::Cert(command) => block_on(cert::run(global, command))?,
        Command::Ca(command) => block_on(ca::run(global, command))?,
        Command::Crl(command) => block_on(crl::run(global, command))?,
        Command::Enrollment(command) => block_on(enrollment::run(global, command))?,
        Command::Audit(command) => block_on(audit::run(global, command))?,
        Command::Backup(arguments) => backup::make(global, &arguments),
        Command::Restore(arguments) => block_on(backup::restored(global, arguments))?,
        Command::Ledger(command) => ledger::run(global, &command),
        Command::Config(command) => block_on(config::run(global, &command))?,
        Command::Completions(arguments) => Ok(generate::completions(&arguments)),
        Command::Man(arguments) => generate::man(&arguments),
    }
}

/// `env:NAME`, `file:PATH` or `prompt`, on the command line.
fn secret_source(text: &str) -> Result<SecretSource, &'static str> {
    SecretSource::try_from(text.to_owned())
}

/// Runs one exchange with the gateway.
fn block_on<F: Future>(future: F) -> Result<F::Output, AdminFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
    Ok(runtime.block_on(future))
}

#[cfg(test)]
mod help_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_serve(text: &str) -> bool {
        let arguments = text.split(' ').map(OsString::from).collect();
        matches!(parse(arguments), Ok(Cli { command: None | Some(Command::Serve(_)), .. }))
    }

    #[test]
    fn no_command_means_serve_with_its_flags_too() {
        for text in [
            "certgate",
            "certgate --data-dir d",
            "certgate serve --http 127.0.0.1:0",
            "certgate --data-dir d --http 127.0.0.1:0",
        ] {
            assert!(is_serve(text), "{text}");
        }
        for text in ["certgate cert list", "certgate --htp 127.0.0.1:0", "certgate cert --http 127.0.0.1:0", "certgate --help"]
        {
            assert!(!is_serve(text), "{text}");
        }
        Cli::command().debug_assert();
    }
}
