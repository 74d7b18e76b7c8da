//! `certgate-conformance`: parses its command line and wires the parts; the suite is in the library.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use certgate_conformance::{
    acme::dns,
    certificate::Certificate,
    chain,
    clause::{Clause, Reading, SUITES, Suite},
    clock,
    key::KeyKind,
    pem,
    report::Format,
    run::{self, Plan},
    target::{self, Target},
    transport::socket::SocketTransport,
};
use clap::{Parser, Subcommand, ValueEnum};

/// Black-box conformance suite for EST, SCEP, ACME, OCSP and CRL servers.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a suite against a server; exit code 1 on any failure or unexpected pass.
    Run(RunArguments),
    /// Print a target file for the gateway that runs on a data directory.
    Target {
        /// The gateway's data directory.
        data_dir: PathBuf,
    },
    /// Answer DNS on a UDP port of 127.0.0.1 until it is ended: every name is 127.0.0.1.
    Dns {
        /// The port.
        #[arg(long)]
        port: u16,
    },
    /// Verify certificates up to a root with RustCrypto: signatures, names, validity, and what makes a CA.
    Verify {
        /// The certificates of CAs, PEM; may be repeated.
        #[arg(long, required = true, value_name = "FILE")]
        pool: Vec<PathBuf>,
        /// What is verified, PEM: the first certificate of each file.
        #[arg(required = true, value_name = "FILE")]
        certificates: Vec<PathBuf>,
    },
    /// Print the clauses.
    Clauses {
        /// One suite only.
        #[arg(long)]
        suite: Option<Suite>,
        /// Form.
        #[arg(long, value_enum, default_value_t)]
        format: ClauseFormat,
    },
}

#[derive(clap::Args)]
struct RunArguments {
    /// Which suite.
    #[arg(long)]
    suite: Suite,
    /// The server under test.
    #[arg(long)]
    target: PathBuf,
    /// Only this clause; may be repeated.
    #[arg(long = "clause", value_name = "ID")]
    clauses: Vec<String>,
    /// The reading that the server follows, where a protocol has two (EST, RFC 8951 and before).
    #[arg(long, value_enum, default_value_t)]
    reading: Reading,
    /// The kind of key that devices have; p256 if not given, rsa2048 in the suite scep, whose messages are encrypted to it.
    #[arg(long, value_enum, value_name = "KIND")]
    device_key: Option<KeyKind>,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where the report goes; standard output if not given.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Run each clause that passes once more with its mutation, and fail it when the mutation goes unnoticed.
    #[arg(long)]
    prove_mutations: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum ClauseFormat {
    /// For people.
    #[default]
    Table,
    /// All that is known of each.
    Json,
    /// The compliance table of the documentation.
    Markdown,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match perform(cli.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "certgate-conformance: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Run(arguments) => run_suite(&arguments),
        Command::Target { data_dir } => {
            let described = target::describe(&data_dir, &sibling("certgate")?)?;
            print(None, &toml::to_string(&described)?)?;
            Ok(true)
        }
        Command::Dns { port } => {
            dns::answer_at(port)?;
            print(None, "certgate-conformance answers DNS\n")?;
            loop {
                std::thread::park();
            }
        }
        Command::Verify { pool, certificates } => {
            verify(&pool, &certificates)?;
            Ok(true)
        }
        Command::Clauses { suite, format } => {
            let suites = suite.map_or_else(|| SUITES.to_vec(), |suite| vec![suite]);
            let clauses = suites.into_iter().map(Suite::clauses).collect::<anyhow::Result<Vec<_>>>()?.concat();
            print(None, &render_clauses(&clauses, format)?)?;
            Ok(true)
        }
    }
}

fn run_suite(arguments: &RunArguments) -> anyhow::Result<bool> {
    arguments.suite.clauses()?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow!("a crypto provider is installed already"))?;
    let target = Target::load(&arguments.target)?;
    let transport = SocketTransport::new(&target, arguments.suite);
    let mut transport = transport.with_context(|| arguments.target.display().to_string())?;
    let plan = Plan {
        suite: arguments.suite,
        clauses: arguments.clauses.clone(),
        reading: arguments.reading,
        device_key: arguments.device_key.unwrap_or_else(|| arguments.suite.usual_key()),
        prove_mutations: arguments.prove_mutations,
    };
    let report = run::run(&plan, &target, &mut transport)?;
    print(arguments.out.as_deref(), &report.render(arguments.format)?)?;
    Ok(report.is_good())
}

fn verify(pool: &[PathBuf], certificates: &[PathBuf]) -> anyhow::Result<()> {
    let pool = pool.iter().map(|file| read_certificates(file)).collect::<anyhow::Result<Vec<_>>>()?.concat();
    for file in certificates {
        let name = || file.display().to_string();
        let found = read_certificates(file)?;
        let leaf = found.first().with_context(|| format!("{}: no certificate", name()))?;
        let chain = chain::validate(leaf, &pool, clock::unix_now()).with_context(name)?;
        print(None, &format!("{}: {} certificates up to the root\n", name(), chain.len()))?;
    }
    Ok(())
}

fn read_certificates(file: &Path) -> anyhow::Result<Vec<Certificate>> {
    let name = || file.display().to_string();
    let blocks = pem::decode(&std::fs::read(file).with_context(name)?).map_err(|fault| anyhow!("{}: {fault}", name()))?;
    blocks.iter().map(|der| Certificate::parse(der).map_err(|fault| anyhow!("{}: {fault:?}", name()))).collect()
}

/// The path of a binary beside this one.
fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.with_file_name(name))
}

fn print(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => std::fs::write(path, text).with_context(|| path.display().to_string()),
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
    }
}

fn render_clauses(clauses: &[Clause], format: ClauseFormat) -> anyhow::Result<String> {
    let lines = |line: fn(&Clause) -> String| clauses.iter().map(line).collect::<String>();
    Ok(match format {
        ClauseFormat::Json => serde_json::to_string_pretty(clauses)? + "\n",
        ClauseFormat::Table => lines(|clause| {
            format!(
                "{:<4} {:<7} {:<28} {:<28} {}\n",
                clause.id,
                clause.level.to_string(),
                clause.rfc,
                clause.standing(),
                clause.requirement()
            )
        }),
        ClauseFormat::Markdown => {
            let head = "| id | requirement | RFC | level | state |\n|---|---|---|---|---|\n".to_owned();
            let row = |clause: &Clause| {
                format!(
                    "| {} | {} | {} | {} | {} |\n",
                    clause.id,
                    clause.requirement().replace('|', "\\|"),
                    clause.rfc,
                    clause.level,
                    clause.standing()
                )
            };
            head + &lines(row)
        }
    })
}
