//! `certgate ca`.

use std::path::PathBuf;

use certgate_pki::pem;
use clap::{Args, Subcommand, ValueHint};
use hyper::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::output::{Format, Printed};
use super::progress::Progress;
use super::{Global, examples, root};
use crate::admin::authorities::AuthorityItem;
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Code};
use crate::assemble::{Base, FirstStart, History, HistoryFiles, HistoryTaken, OutsideAuthority, Stage};
use crate::config::{AuthorityConfig, Config, Overrides};
use crate::data_dir::DataDir;

#[derive(Subcommand)]
pub(super) enum CaCommand {
    /// Show the authorities of the gateway that runs
    #[command(after_help = examples::CA_SHOW)]
    Show {
        /// One of them
        authority: Option<String>,
    },
    /// Print the certificate of an authority and those above it, the root last, PEM
    #[command(after_help = examples::CA_EXPORT)]
    Export {
        /// The authority
        #[arg(default_value = "default")]
        authority: String,
    },
    /// Print the certification request of an authority that a CA outside of this gateway is to sign, PEM
    ///
    /// The gateway is stopped meanwhile. Its [[authority]] says `external = true`. Its key is made if there is none and stays in ca/; the
    /// same request comes out each time.
    #[command(after_help = examples::CA_CSR)]
    Csr(OfOne),
    /// Take the certificate that was made for such a request, or a CA that exists already
    ///
    /// The gateway is stopped meanwhile. Given are all certificates from the authority's own up to the root, in any order; nothing is
    /// taken of a chain that is not whole. The same command takes the next certificate of the same key, before this one ends.
    ///
    /// A CA that exists already has a past: what it has issued, and its last CRL. All of that is checked before anything is recorded, and can
    /// be given later, or again, without the chain.
    #[command(after_help = examples::CA_IMPORT)]
    Import(ImportArguments),
    /// Write the key of a root into a file, and take it away from here if that is said
    ///
    /// The gateway is stopped meanwhile. With --remove, a CRL of the root and a certificate of its OCSP responder are made that last
    /// for all of --validity; then the key is removed, and the gateway goes on without it.
    #[command(after_help = examples::CA_EXPORT_ROOT)]
    ExportRoot(root::ExportArguments),
    /// Put the key of a root back
    ///
    /// The gateway is stopped meanwhile. The next start makes CRLs of the root again, and issues below it.
    #[command(after_help = examples::CA_RESTORE_ROOT)]
    RestoreRoot(root::RestoreArguments),
}

#[derive(Args)]
pub(super) struct ImportArguments {
    #[command(flatten)]
    of: OfOne,
    /// Private key of a CA that exists already, PEM; it is copied into ca/. Without it, that of the request counts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// PEM files
    #[arg(required_unless_present_any = ["issued", "crls"], value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Certificates that the CA has issued, PEM or DER: a file, or a folder of files; may come several times
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    issued: Vec<PathBuf>,
    /// The last CRL of the CA, PEM or DER; may come several times, where it has several
    #[arg(long = "crl", value_name = "FILE", value_hint = ValueHint::FilePath)]
    crls: Vec<PathBuf>,
    /// The profile by which those certificates are renewed here; without it, they authenticate nobody
    #[arg(long, value_name = "PROFILE", requires = "issued")]
    profile: Option<String>,
}

#[derive(Args)]
pub(super) struct OfOne {
    /// The authority
    authority: String,
}

const COLUMNS: &[&str] = &["authority", "subject", "not_after", "sha256", "backend"];

pub(super) async fn run(global: &Global, command: CaCommand) -> Result<Printed, AdminFailure> {
    match command {
        CaCommand::Show { authority: None } => {
            Ok(Printed::List(ask(&global.socket(), Method::GET, "/v1/authorities", None).await?, COLUMNS))
        }
        CaCommand::Show { authority: Some(name) } => show(global, &name).await.map(Printed::Record),
        CaCommand::Export { authority } => {
            let said = show(global, &authority).await?;
            Ok(match (global.output, said.get("chain_pem").and_then(Value::as_str)) {
                (Format::Table, Some(chain)) => Printed::Text(chain.to_owned()),
                _ => Printed::Record(said),
            })
        }
        CaCommand::ExportRoot(arguments) => root::export(global, arguments).await,
        CaCommand::RestoreRoot(arguments) => root::restore(global, arguments).await,
        CaCommand::Csr(of) => {
            let stopped = Stopped::open(global)?;
            let request = stopped.authority(&of.authority)?.request().await.map_err(failed);
            let pem = stopped.close(request).await.map(|der| pem::encode(pem::CERTIFICATE_REQUEST, &der))?;
            Ok(match global.output {
                Format::Table => Printed::Text(pem),
                Format::Json => Printed::Record(json!({ "authority": of.authority, "csr_pem": pem })),
            })
        }
        CaCommand::Import(arguments) => {
            let stopped = Stopped::open(global)?;
            let imported = stopped.import(arguments, global.output).await;
            stopped.close(imported).await.map(Printed::Record)
        }
    }
}

async fn show(global: &Global, name: &str) -> Result<Value, AdminFailure> {
    ask(&global.socket(), Method::GET, &format!("/v1/authorities/{name}"), None).await
}

pub(super) fn failed<E: Into<anyhow::Error>>(error: E) -> AdminFailure {
    AdminFailure::new(Code::Failed, format!("{:#}", error.into()))
}

/// An authority as it is after an import, and what was taken of its past.
#[derive(Serialize)]
struct Imported {
    #[serde(flatten)]
    item: Option<AuthorityItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<HistoryTaken>,
}

/// What belongs to a gateway that does not run.
pub(super) struct Stopped {
    pub(super) config: Config,
    pub(super) data_dir: DataDir,
    pub(super) base: Base,
}

impl Stopped {
    pub(super) fn open(global: &Global) -> Result<Self, AdminFailure> {
        let file = Config::file(global.config.as_deref(), &global.data_dir);
        let config = Config::load(file.as_deref(), &Overrides::default()).map_err(failed)?;
        let data_dir = DataDir::open(&global.data_dir).map_err(failed)?;
        // The first start comes after this; that there are keys then is as it should be.
        FirstStart::begin(&data_dir).map_err(failed)?;
        let base = Base::open(&config, &data_dir).map_err(failed)?;
        Ok(Self { config, data_dir, base })
    }

    fn config(&self, name: &str) -> Result<&AuthorityConfig, AdminFailure> {
        let found = self.config.authorities.iter().find(|one| one.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.config.authorities.iter().map(|one| one.name.as_str()).collect();
            AdminFailure::not_found(format!("there is no authority {name}")).hint(format!("there are: {}", known.join(", ")))
        })
    }

    fn authority(&self, name: &str) -> Result<OutsideAuthority<'_>, AdminFailure> {
        OutsideAuthority::new(self.config(name)?, &self.base, &self.data_dir).map_err(failed)
    }

    /// Takes a chain, a key and a past, whichever are given: what the authority is then.
    async fn import(&self, arguments: ImportArguments, format: Format) -> Result<Value, AdminFailure> {
        let ImportArguments { of: OfOne { authority: name }, key, files, issued, crls, profile } = arguments;
        let (config, authority) = (self.config(&name)?, self.authority(&name)?);
        let checked = authority.check(&files, key.as_deref()).await.map_err(failed)?;
        let own = checked.chain().first().ok_or_else(|| failed(anyhow::anyhow!("an empty chain")))?;
        let past = HistoryFiles { issued, crls, profile };
        let (mut shown, mut stage) = (None::<Progress>, "");
        let mut tell = |Stage { what, done, total }: Stage| {
            if what != std::mem::replace(&mut stage, what) {
                drop(shown.replace(Progress::new(what, total, format)));
            }
            shown.iter().for_each(|shown| shown.set(done));
        };
        let history = if past.is_empty() {
            None
        } else {
            Some(History::check((&self.config, config), &self.base, own, &past, &mut tell).await.map_err(failed)?)
        };
        // What it has revoked is known before it can start.
        let revoked = match &history {
            Some(history) => Some(history.record_crls(&mut tell).await.map_err(failed)?),
            None => None,
        };
        authority.import(&checked).await.map_err(failed)?;
        let digest = &*self.base.provider.digest;
        let item = AuthorityItem::new(&name, checked.chain(), config.backend.name(), digest);
        let taken = match history.zip(revoked) {
            Some((history, revoked)) => Some(history.record_issued(revoked, &mut tell).await.map_err(failed)?),
            None => None,
        };
        drop(shown);
        serde_json::to_value(Imported { item, history: taken }).map_err(failed)
    }

    pub(super) async fn close<T>(self, outcome: Result<T, AdminFailure>) -> Result<T, AdminFailure> {
        self.base.ledger.close().await;
        outcome
    }
}
