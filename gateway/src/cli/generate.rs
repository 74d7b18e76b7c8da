//! `certgate completions` and `certgate man`: made from the command line itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::Printed;
use super::{Cli, examples};
use crate::admin::{AdminFailure, Code};

#[derive(Args)]
#[command(after_help = examples::COMPLETIONS)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

#[derive(Args)]
#[command(after_help = examples::MAN)]
pub(super) struct ManArguments {
    /// The folder that the pages are written to; it is made if it is not there
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

/// A script that completes commands, flags and their values.
pub(super) fn completions(arguments: &CompletionsArguments) -> Printed {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "certgate", &mut script);
    Printed::Text(String::from_utf8_lossy(&script).into_owned())
}

/// A page for each command, written into a folder.
pub(super) fn man(arguments: &ManArguments) -> Result<Printed, AdminFailure> {
    let folder = &arguments.folder;
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        let message = format!("cannot write man pages to {}: {error}", folder.display());
        AdminFailure::new(Code::Failed, message).hint("certgate man DIR, with a folder that you may write to")
    })?;
    Ok(Printed::Record(serde_json::json!({ "folder": folder.display().to_string() })))
}
