//! `certgate config`.

use clap::Subcommand;
use hyper::Method;

use super::Global;
use super::output::Printed;
use crate::admin::client::ask;
use crate::admin::{AdminFailure, Code};
use crate::config::{Config, EMBEDDED, Overrides, PublicUrl};

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration file and say what is wrong with it
    Check {
        /// As `serve` would be given it
        #[arg(long, value_name = "URL")]
        public_url: Option<PublicUrl>,
    },
    /// Print the embedded configuration, with every key and what it means
    Default,
    /// Have the gateway that runs read the file again; says what is in force now, and what needs a restart
    Reload,
}

pub(super) async fn run(global: &Global, command: &ConfigCommand) -> Result<Printed, AdminFailure> {
    match command {
        ConfigCommand::Default => Ok(Printed::Text(EMBEDDED.to_owned())),
        ConfigCommand::Reload => Ok(Printed::Record(ask(&global.socket(), Method::POST, "/v1/reload", None).await?)),
        ConfigCommand::Check { public_url } => {
            let file = Config::file(global.config.as_deref(), &global.data_dir);
            let checked = Config::load(file.as_deref(), &Overrides { public_url: public_url.clone(), ..Overrides::default() });
            checked.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()).hint("certgate config default"))?;
            let name = file.map_or_else(|| "the embedded configuration".to_owned(), |file| file.display().to_string());
            Ok(Printed::Record(serde_json::json!({ "ok": true, "file": name })))
        }
    }
}
