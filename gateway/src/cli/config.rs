//! `certgate config`.

use clap::Subcommand;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::{AdminFailure, Code};
use crate::config::{Config, EMBEDDED, Overrides, PublicUrl, schema};

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
}

pub(super) fn run(global: &Global, command: &ConfigCommand) -> Result<Printed, AdminFailure> {
    match command {
        ConfigCommand::Default => Ok(Printed::Text(EMBEDDED.to_owned())),
        ConfigCommand::Schema => Ok(Printed::Text(format!("{:#}\n", schema()))),
        ConfigCommand::Check { public_url } => {
            let file = Config::file(global.config.as_deref(), &global.data_dir);
            let checked = Config::load(file.as_deref(), &Overrides { public_url: public_url.clone(), ..Overrides::default() });
            checked.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()).hint("certgate config default"))?;
            let name = file.map_or_else(|| "the embedded configuration".to_owned(), |file| file.display().to_string());
            Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name })))
        }
    }
}
