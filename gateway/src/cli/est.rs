//! `certgate est`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::Global;
use super::output::Printed;
use crate::admin::client::ask;
use crate::admin::est_users::AddUser;
use crate::admin::{AdminFailure, Code, Paging, encode_query};

#[derive(Subcommand)]
pub(super) enum EstCommand {
    /// Credentials for HTTP Basic, one a device
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Add a credential; its password is shown this one time
    Add(AddArguments),
    /// List credentials, with how many certificates each was issued
    List(Paging),
    /// Remove a credential; certificates that it was issued stay as they are
    Remove {
        /// The user
        name: String,
    },
}

#[derive(Args)]
pub(super) struct AddArguments {
    /// The user: the principal of what it enrolls
    name: String,
    /// The endpoint that it may enroll at
    #[arg(long, value_name = "E")]
    endpoint: Option<String>,
    /// A name that it may have: dns:GLOB, ip:CIDR or cn:GLOB; repeatable. Without any: NAME itself, as CN and dNSName
    #[arg(long, value_name = "PATTERN")]
    allow: Vec<String>,
    /// How long it is good, like 12h or 30d; without end if not given
    #[arg(long, value_name = "T")]
    ttl: Option<String>,
}

pub(super) async fn run(global: &Global, command: EstCommand) -> Result<Printed, AdminFailure> {
    let EstCommand::User(command) = command;
    let socket = global.socket();
    match command {
        UserCommand::Add(AddArguments { name, endpoint, allow, ttl }) => {
            let body = serde_json::to_vec(&AddUser { name, endpoint, allow, ttl });
            let body = body.map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
            ask(&socket, Method::POST, "/v1/est/users", Some(body)).await.map(Printed::Record)
        }
        UserCommand::List(paging) => {
            let path = format!("/v1/est/users?{}", encode_query(paging.pairs()));
            let columns = &["name", "endpoint", "allow", "created_at", "expires_at", "certificates"];
            ask(&socket, Method::GET, &path, None).await.map(|value| Printed::List(value, columns))
        }
        UserCommand::Remove { name } => {
            let path = format!("/v1/est/users?{}", encode_query([("name", Some(name))]));
            ask(&socket, Method::DELETE, &path, None).await.map(Printed::Record)
        }
    }
}
