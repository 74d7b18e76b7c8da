//! `certgate est`.

use clap::{Args, Subcommand};
use hyper::Method;
use zeroize::Zeroizing;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::client::{ask, encode_body};
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
    #[command(after_help = examples::EST_USER_LIST)]
    List(Paging),
    /// Remove a credential at every endpoint, deny what it has waiting, and end renewal by its certificates; those that are still good
    /// are named
    #[command(after_help = examples::EST_USER_REMOVE)]
    Remove {
        /// The user
        name: String,
        /// Revoke its certificates too (cessationOfOperation)
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Args)]
#[command(after_help = examples::EST_USER_ADD)]
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
    /// For how many certificates it is good; without bound if not given
    #[arg(long, value_name = "N")]
    uses: Option<u64>,
    /// Put it in the place of the one that is there: another password, other names, another end; its certificates stay as they are
    #[arg(long)]
    replace: bool,
    /// Read a password that you have chosen from standard input, one line; otherwise one of 128 bits is generated
    #[arg(long)]
    password_stdin: bool,
}

/// The first line of standard input.
fn read_password() -> Result<Zeroizing<String>, AdminFailure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))?;
    let password = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() {
        return Err(AdminFailure::usage("there is no password on standard input")
            .hint("certgate est user add NAME --password-stdin < FILE"));
    }
    Ok(password)
}

pub(super) async fn run(global: &Global, command: EstCommand) -> Result<Printed, AdminFailure> {
    let EstCommand::User(command) = command;
    let socket = global.socket();
    match command {
        UserCommand::Add(AddArguments { name, endpoint, allow, ttl, uses, replace, password_stdin }) => {
            let password = if password_stdin { Some(read_password()?) } else { None };
            let body = encode_body(&AddUser { name, endpoint, allow, ttl, uses, replace, password })?;
            ask(&socket, Method::POST, "/v1/est/users", Some(body)).await.map(Printed::Record)
        }
        UserCommand::List(paging) => {
            let path = format!("/v1/est/users?{}", encode_query(paging.pairs()));
            let columns = &["name", "endpoint", "allow", "created_at", "expires_at", "uses", "certificates"];
            ask(&socket, Method::GET, &path, None).await.map(|value| Printed::List(value, columns))
        }
        UserCommand::Remove { name, revoke } => {
            let revoke = revoke.then(|| "true".to_owned());
            let path = format!("/v1/est/users?{}", encode_query([("name", Some(name)), ("revoke", revoke)]));
            ask(&socket, Method::DELETE, &path, None).await.map(Printed::Record)
        }
    }
}
