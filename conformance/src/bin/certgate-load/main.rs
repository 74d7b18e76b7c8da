//! `certgate-load`: a load generator for servers of EST, ACME, SCEP and OCSP and for publishers of CRLs, and the raw costs that they are held against.
//!
//! The client checks every answer and reads the CPU time of the server's process around the requests that count. The raw side is a
//! bare hyper service that answers with the same bytes, and loops over what an operation cannot do without.

mod acme;
mod client;
mod cpu;
mod exchange;
mod head;
mod load;
mod ocsp;
mod plan;
mod raw_crypto;
mod raw_issuance;
mod raw_jws;
mod raw_rsa;
mod raw_server;
mod raw_status;
mod scep;
mod serials;
mod storm;
mod work;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use certgate_conformance::certificate::Certificate;
use clap::{Parser, Subcommand};
use plan::Plan;
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// Load generator for servers of EST, ACME, SCEP, OCSP and CRLs, and the raw costs that a server is held against
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enroll with a new P-256 key each time, authenticated by Basic; prints JSON
    Enroll {
        #[command(flatten)]
        load: load::Options,
        /// User, and the common name it enrolls
        #[arg(long)]
        user: String,
        /// File of the user's password
        #[arg(long)]
        password_file: PathBuf,
    },
    /// Fetch the CA certificates; prints JSON
    Get {
        #[command(flatten)]
        load: load::Options,
    },
    /// Order certificates by ACME, with http-01 validated here, each of them whole; prints JSON
    Acme {
        #[command(flatten)]
        load: load::Options,
        #[command(flatten)]
        orders: acme::Options,
    },
    /// Enroll by SCEP with RSA keys of 2048 bits; prints JSON
    Scep {
        #[command(flatten)]
        load: load::Options,
        #[command(flatten)]
        requests: scep::Options,
    },
    /// Ask for the status of certificates, each time another one's; prints JSON
    Ocsp {
        #[command(flatten)]
        load: load::Options,
        #[command(flatten)]
        about: ocsp::Options,
    },
    /// Fetch a CRL, or hear that it is still the same; prints JSON
    Crl {
        #[command(flatten)]
        load: load::Options,
        /// Entity tag that the client has already: the answer has to be 304
        #[arg(long)]
        if_none_match: Option<String>,
    },
    /// Guess passwords that a person chose, all at once, while a device renews its certificate; prints JSON
    Storm(storm::Options),
    /// A bare hyper service that reads a request and gives the same answer always; prints its address and process
    RawServer(raw_server::Options),
    /// The cost of parsing a CSR, verifying it and signing a certificate; prints JSON, in nanoseconds
    RawCrypto {
        /// An answer to an enrollment: the certificate that is signed again
        #[arg(long)]
        issued: PathBuf,
        /// How long each is repeated
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
    /// The cost of reading and verifying a JWS of ACME; prints JSON, in nanoseconds
    RawJws {
        /// How long it is repeated
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
    /// The cost of what a PKCSReq of SCEP cannot do without, by RSA keys of 2048 bits; prints JSON, in nanoseconds
    RawRsa {
        /// How long each is repeated
        #[arg(long, default_value_t = 1.0)]
        seconds: f64,
    },
    /// The cost of signing an OCSP response and of looking a certificate up in a ledger; prints JSON, in nanoseconds
    RawStatus(raw_status::Options),
}

fn main() -> ExitCode {
    match perform(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "certgate-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow!("a crypto provider is installed already"))?;
    match command {
        Command::Enroll { load, user, password_file } => {
            let work = work::enrollments(&load.url, &user, &secret(&password_file)?, load.answers())?;
            print(&load::run(&load, Plan::Requests(work))?)
        }
        Command::Get { load } => {
            let work = work::fetches(&load.url);
            print(&load::run(&load, Plan::Requests(work))?)
        }
        Command::Acme { load, orders } => print(&load::run(&load, Plan::Acme(orders))?),
        Command::Scep { load, requests } => print(&load::run(&load, Plan::Scep(requests))?),
        Command::Ocsp { load, about } => {
            let issuer = CertificateDer::from_pem_file(&about.issuer).with_context(|| about.issuer.display().to_string())?;
            let work = work::questions(&load.url, &about, &Certificate::parse(&issuer)?)?;
            print(&load::run(&load, Plan::Requests(work))?)
        }
        Command::Crl { load, if_none_match } => {
            let work = work::lists(&load.url, if_none_match);
            print(&load::run(&load, Plan::Requests(work))?)
        }
        Command::Storm(options) => print(&storm::run(&options)?),
        Command::RawServer(options) => raw_server::run(&options),
        Command::RawCrypto { issued, seconds } => print(&raw_crypto::measure(&read(&issued)?, seconds)?),
        Command::RawJws { seconds } => print(&raw_jws::measure(seconds)?),
        Command::RawRsa { seconds } => print(&raw_rsa::measure(seconds)?),
        Command::RawStatus(options) => print(&raw_status::measure(&options)?),
    }
}

/// A password in a file, without the end of its line.
fn secret(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn print(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
