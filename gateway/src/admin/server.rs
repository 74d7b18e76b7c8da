//! The server's side of the socket.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use certgate_enrollment::StatusChange;
use certgate_policy::Profile;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::{UnixListener, UnixStream};

use super::audit::VerifyAudit;
use super::certificates::Revoke;
use super::progress::{Entered, UnderWay};
use super::query::Query;
use super::{AdminFailure, Code};
use crate::assemble::{Authorities, Base};
use crate::audit::Checkpoints;
use crate::config::ProtocolName;
use crate::listen::{InFlight, Lifecycle};
use crate::publish::CrlPublisher;
use crate::reload::Reloads;

/// Largest request body, in octets.
const MAX_BODY: usize = 64 * 1024;
/// Largest copy of signed heads, as JSON: those of ten years, one an hour.
const MAX_HEADS: usize = 64 * 1024 * 1024;

/// What operators can do.
pub struct Admin {
    /// Ledger, clock, cryptography.
    pub base: Base,
    /// All endpoints.
    pub endpoints: Vec<(ProtocolName, String)>,
    /// What may be issued.
    pub profiles: Vec<Profile>,
    /// Who signs.
    pub authorities: Authorities,
    /// Who publishes CRLs.
    pub crls: Vec<CrlPublisher>,
    /// Who signs heads of the audit trail.
    pub checkpoints: Arc<Checkpoints>,
    /// Who reads the configuration again.
    pub reloads: Reloads,
    /// Requests that are asked after.
    pub under_way: Arc<UnderWay>,
}

/// Binds the socket (0600) and serves it until told to stop.
///
/// # Errors
/// When it cannot be bound.
pub fn serve_socket(path: &Path, admin: Admin, lifecycle: &Lifecycle) -> anyhow::Result<()> {
    remove_stale(path)?;
    let hint = "a path of more than about 100 octets is too long for a socket: give another with --socket";
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {} ({hint})", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).with_context(|| path.display().to_string())?;
    let own = std::fs::metadata(path)?;
    let owner = own.uid();
    let (admin, lifecycle) = (Arc::new(admin), lifecycle.clone());
    let tasks = lifecycle.tasks.clone();
    let path = path.to_owned();
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = lifecycle.stopping.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) if is_operator(&stream, owner) => {
                    let (admin, stopping) = (Arc::clone(&admin), lifecycle.clone());
                    lifecycle.tasks.spawn(async move { serve_connection(stream, admin, &stopping).await });
                }
                Ok(_) => tracing::warn!("another user tried the administration socket"),
                Err(error) => {
                    tracing::warn!(%error, "the administration socket could not accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        if std::fs::metadata(&path).is_ok_and(|found| (found.dev(), found.ino()) == (own.dev(), own.ino())) {
            // One that stays is removed by the next start.
            let _ = std::fs::remove_file(&path);
        }
    });
    Ok(())
}

/// Removes a socket that a crash has left, and nothing else.
fn remove_stale(path: &Path) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(name),
        Ok(found) if !found.file_type().is_socket() => bail!("{} is there and is no socket", name()),
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path).with_context(name),
            _ => bail!("{} is in use by another process", name()),
        },
    }
}

/// The owner of the socket or root, whatever the permissions on the path have become.
fn is_operator(stream: &UnixStream, owner: u32) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == owner || peer.uid() == 0)
}

async fn serve_connection(stream: UnixStream, admin: Arc<Admin>, lifecycle: &Lifecycle) {
    let in_flight = InFlight::default();
    let counter = in_flight.clone();
    let service = service_fn(move |request| {
        let (admin, entered) = (Arc::clone(&admin), counter.enter());
        async move {
            let answer = admin.answer(request).await;
            drop(entered);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    if let Err(error) = lifecycle.drive(connection, &in_flight).await {
        tracing::debug!(%error, "a connection to the administration socket ended early");
    }
}

impl Admin {
    /// An endpoint that a command names; `default` when it names none.
    pub(super) fn endpoint(&self, protocol: ProtocolName, named: Option<String>) -> Result<String, AdminFailure> {
        let endpoint = named.unwrap_or_else(|| "default".into());
        let known = || self.endpoints.iter().filter(|(of, _)| *of == protocol).map(|(_, name)| name.as_str());
        if known().any(|name| name == endpoint) {
            return Ok(endpoint);
        }
        let message = format!("there is no {} endpoint {endpoint}", protocol.name().to_uppercase());
        Err(AdminFailure::not_found(message).hint(format!("there are: {}", known().collect::<Vec<_>>().join(", "))))
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.route(request).await {
            Ok((status, body)) => json(status, body),
            Err(failure) => json(failure.status(), encode(&failure.body()).unwrap_or_default()),
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Result<(StatusCode, Vec<u8>), AdminFailure> {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        let ok = |body| Ok((StatusCode::OK, body));
        match (head.method.as_str(), path.as_slice()) {
            (method, ["v1", "est", "users"]) => self.est_users(method, query, body).await,
            ("POST", ["v1", "scep", "challenges"]) => {
                Ok((StatusCode::CREATED, encode(&self.new_scep_challenge(read_json(body, MAX_BODY).await?).await?)?))
            }
            ("GET", ["v1", "certificates"]) => ok(encode(&self.list_certificates(query).await?)?),
            ("GET", ["v1", "certificates", name @ ..]) => ok(encode(&self.show_certificate(&name.join("/").parse()?).await?)?),
            ("POST", ["v1", "certificates", name @ .., action]) => {
                let change = match *action {
                    "revoke" => read_json::<Revoke>(body, MAX_BODY).await?.change(self.base.clock.now())?,
                    "hold" => StatusChange::Hold,
                    "release" => StatusChange::Release,
                    _ => return Err(AdminFailure::not_found(format!("certificates are not to be {action}"))),
                };
                ok(encode(&self.change_certificate(&name.join("/").parse()?, change).await?)?)
            }
            ("POST", ["v1", "revocations"]) => ok(encode(&self.revoke_batch(read_json(body, MAX_BODY).await?).await?)?),
            ("GET", ["v1", "enrollments"]) => ok(encode(&self.list_enrollments(query).await?)?),
            ("GET", ["v1", "enrollments", name]) => ok(encode(&self.show_enrollment(name).await?)?),
            ("POST", ["v1", "enrollments", name, "approve"]) => ok(encode(&self.approve_enrollment(name).await?)?),
            ("POST", ["v1", "enrollments", name, "deny"]) => {
                ok(encode(&self.deny_enrollment(name, read_json(body, MAX_BODY).await?).await?)?)
            }
            ("GET", ["v1", "crls"]) => ok(encode(&self.show_crls(query)?)?),
            ("POST", ["v1", "crls"]) => {
                let entered = self.enter(query)?;
                ok(encode(&self.build_crls(read_json(body, MAX_BODY).await?, &entered.steps).await?)?)
            }
            ("POST", ["v1", "crls", "import"]) => ok(encode(&self.import_crl(query, body).await?)?),
            ("GET", ["v1", "authorities"]) => ok(encode(&self.list_authorities())?),
            ("GET", ["v1", "authorities", name]) => ok(encode(&self.show_authority(name)?)?),
            ("POST", ["v1", "reload"]) => ok(encode(&self.reload().await?)?),
            (method, ["v1", "audit", "verify"]) => self.audit(method, query, body).await,
            ("GET", ["v1", "progress", id]) => ok(encode(&self.under_way.show(id)?)?),
            _ => Err(AdminFailure::not_found(format!("no {} {}", head.method, head.uri.path()))),
        }
    }

    async fn audit(&self, method: &str, query: &str, body: Incoming) -> Result<(StatusCode, Vec<u8>), AdminFailure> {
        let mut query = Query::new(query);
        let entered = self.under_way.begin(query.take("progress"))?;
        let asked = match method {
            "GET" => VerifyAudit { expect_head: query.take("expect_head"), heads: None },
            "POST" => read_json(body, MAX_HEADS).await?,
            other => return Err(AdminFailure::not_found(format!("no {other} for the audit trail"))),
        };
        query.finish()?;
        Ok((StatusCode::OK, encode(&self.verify_audit(asked, &entered.steps).await?)?))
    }

    /// A request that says in its query by which ID it is asked after.
    fn enter(&self, query: &str) -> Result<Entered, AdminFailure> {
        let mut query = Query::new(query);
        let entered = self.under_way.begin(query.take("progress"))?;
        query.finish()?;
        Ok(entered)
    }

    async fn est_users(&self, method: &str, query: &str, body: Incoming) -> Result<(StatusCode, Vec<u8>), AdminFailure> {
        let mut query = Query::new(query);
        match method {
            "POST" => {
                query.finish()?;
                let added = self.add_est_user(read_json(body, MAX_BODY).await?).await?;
                Ok((StatusCode::CREATED, encode(&added)?))
            }
            "GET" => {
                let paging = query.paging()?;
                query.finish()?;
                Ok((StatusCode::OK, encode(&self.list_est_users(paging).await?)?))
            }
            "DELETE" => {
                let name = query.take("name").ok_or_else(|| AdminFailure::usage("which user? name is missing"))?;
                let revokes = query.take_as("revoke", "true or false")?.unwrap_or(false);
                query.finish()?;
                Ok((StatusCode::OK, encode(&self.remove_est_user(&name, revokes).await?)?))
            }
            other => Err(AdminFailure::not_found(format!("no {other} for EST users"))),
        }
    }
}

async fn read_json<T: serde::de::DeserializeOwned>(body: Incoming, limit: usize) -> Result<T, AdminFailure> {
    let body = Limited::new(body, limit).collect().await.map_err(|error| AdminFailure::usage(error.to_string()))?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| AdminFailure::usage(error.to_string()))
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, AdminFailure> {
    serde_json::to_vec(value).map_err(|error| AdminFailure::new(Code::Failed, error.to_string()))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
