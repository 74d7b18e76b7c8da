//! `certgate scep`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::output::Printed;
use super::{Global, examples};
use crate::admin::AdminFailure;
use crate::admin::client::{ask, encode_body};
use crate::admin::scep_challenges::NewChallenge;

#[derive(Subcommand)]
pub(super) enum ScepCommand {
    /// Secrets that devices enroll with
    #[command(subcommand)]
    Challenge(ChallengeCommand),
}

#[derive(Subcommand)]
pub(super) enum ChallengeCommand {
    /// Give out a challenge of 128 random bits; it is shown this one time
    New(NewArguments),
}

#[derive(Args)]
#[command(after_help = examples::SCEP_CHALLENGE_NEW)]
pub(super) struct NewArguments {
    /// The endpoint that it is good at; "default" if not given
    #[arg(long, value_name = "E")]
    endpoint: Option<String>,
    /// How long it is good, like 30m or 12h; 1h if not given. What waits for a person then goes on waiting
    #[arg(long, value_name = "T")]
    ttl: Option<String>,
    /// For how many certificates it is good; one if not given
    #[arg(long, value_name = "N")]
    uses: Option<u64>,
    /// The subject that a request with it has, like "CN=device-7,O=Example"; its CN may be a dNSName too. Without it, any name that the
    /// profile permits
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
}

pub(super) async fn run(global: &Global, command: ScepCommand) -> Result<Printed, AdminFailure> {
    let ScepCommand::Challenge(ChallengeCommand::New(NewArguments { endpoint, ttl, uses, subject })) = command;
    let body = encode_body(&NewChallenge { endpoint, ttl, uses, subject })?;
    ask(&global.socket(), Method::POST, "/v1/scep/challenges", Some(body)).await.map(Printed::Record)
}
