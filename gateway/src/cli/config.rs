//! `certgate config`.

use std::io::Write;
use std::sync::Arc;

use certgate_enrollment::Clock;
use clap::Subcommand;
use hyper::Method;

use super::output::{Format, Printed};
use super::{Global, examples};
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Code};
use crate::assemble::check_files;
use crate::config::{Config, ConfigError, EMBEDDED, Environment, Overrides, PublicUrl, schema};
use crate::telemetry::SystemClock;

/// Where to read what would be right.
const HINT: &str = "certgate config default prints every key with what it means; docs/configuration.md lists them";

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration file and say what is wrong with it
    #[command(after_help = examples::CONFIG_CHECK)]
    Check {
        /// As `serve` would be given it
        #[arg(long, value_name = "URL")]
        public_url: Option<PublicUrl>,
        /// Look at the configuration alone, on a machine that has none of the files that it names
        #[arg(long)]
        no_files: bool,
    },
    /// Print the embedded configuration, with every key and what it means
    #[command(after_help = examples::CONFIG_DEFAULT)]
    Default,
    /// Print what a configuration file may say, as JSON Schema (draft 2020-12), for editors and for checks before a rollout
    #[command(after_help = examples::CONFIG_SCHEMA)]
    Schema,
    /// Have the gateway that runs read the file again; says what is in force now, and what needs a restart
    #[command(after_help = examples::CONFIG_RELOAD)]
    Reload,
}

pub(super) async fn run(global: &Global, command: &ConfigCommand) -> Result<Printed, AdminFailure> {
    match command {
        ConfigCommand::Default => Ok(Printed::Text(EMBEDDED.to_owned())),
        ConfigCommand::Schema => Ok(Printed::Text(format!("{:#}\n", schema()))),
        ConfigCommand::Reload => Ok(Printed::Record(ask(&global.socket(), Method::POST, "/v1/reload", None).await?)),
        ConfigCommand::Check { public_url, no_files } => check(global, public_url.clone(), !no_files),
    }
}

/// Reads what `serve` would read.
fn check(global: &Global, public_url: Option<PublicUrl>, has_files: bool) -> Result<Printed, AdminFailure> {
    let file = Config::file(global.config.as_deref(), &global.data_dir);
    let checked = Config::load(file.as_deref(), &Overrides { public_url, ..Overrides::default() });
    let wrong = |error: ConfigError| AdminFailure::new(Code::Failed, error.to_string()).hint(HINT);
    let config = checked.map_err(wrong)?;
    let name = file.map_or_else(|| "the embedded configuration".to_owned(), |file| file.display().to_string());
    let mut warnings = config.warnings(SystemClock.now());
    if has_files {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (provider, environment) = (certgate_crypto::provider(), Environment::of_process());
        warnings.extend(check_files(&config, &clock, &provider, &environment).map_err(wrong)?);
    }
    if global.output == Format::Json {
        return Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name, "warnings": warnings })));
    }
    let warnings: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    // A warning that nobody can read is none.
    let _ = std::io::stderr().write_all(warnings.as_bytes());
    Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name })))
}
