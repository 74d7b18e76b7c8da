//! `certgate config`.

use std::io::Write;

use certgate_enrollment::Clock;
use clap::Subcommand;
use hyper::Method;

use super::output::{Format, Printed};
use super::{Global, examples};
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Code};
use crate::config::{Config, EMBEDDED, Overrides, PublicUrl, schema};
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
        ConfigCommand::Check { public_url } => {
            let file = Config::file(global.config.as_deref(), &global.data_dir);
            let checked = Config::load(file.as_deref(), &Overrides { public_url: public_url.clone(), ..Overrides::default() });
            let config = checked.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()).hint(HINT))?;
            let name = file.map_or_else(|| "the embedded configuration".to_owned(), |file| file.display().to_string());
            let warnings = config.warnings(SystemClock.now());
            if global.output == Format::Json {
                return Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name, "warnings": warnings })));
            }
            let warnings: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
            // A warning that nobody can read is none.
            let _ = std::io::stderr().write_all(warnings.as_bytes());
            Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name })))
        }
    }
}
