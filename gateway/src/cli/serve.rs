//! `certgate serve`: from nothing to ready, and to a good end.

mod introduction;
mod run_file;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Global;
use super::output::Printed;
use crate::admin::{Admin, AdminFailure, Code, serve_socket};
use crate::assemble::{
    Authorities, Base, FirstDevice, ServerCertificate, fallback_base_url, make_app, make_first_device, open_authorities,
    server_names,
};
use crate::config::{Config, Overrides, PublicUrl};
use crate::data_dir::DataDir;
use crate::listen::{Bound, ConnectionLimits, Lifecycle, Served, bind_all, serve_listener, server_config};
use crate::serve::App;
use crate::telemetry::{Metrics, start_logs};
use run_file::RunFile;

/// Addresses replace all listeners of their kind; everything else is in the configuration file.
#[derive(Args, Default)]
pub(super) struct ServeArguments {
    /// Serve EST over TLS here instead; repeatable, port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    https: Vec<SocketAddr>,
    /// Serve CA certificates in the clear here instead; repeatable
    #[arg(long, value_name = "ADDR")]
    http: Vec<SocketAddr>,
    /// Serve health and metrics here instead; repeatable
    #[arg(long, value_name = "ADDR")]
    ops: Vec<SocketAddr>,
    /// Base URL by which others reach this gateway; written into certificates
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,
}

pub(super) fn run(global: &Global, arguments: &ServeArguments) -> Result<Printed, AdminFailure> {
    let failed = |error: anyhow::Error| AdminFailure::new(Code::Failed, format!("{error:#}"));
    let overrides = Overrides {
        https: arguments.https.clone(),
        http: arguments.http.clone(),
        ops: arguments.ops.clone(),
        public_url: arguments.public_url.clone(),
    };
    let file = Config::file(global.config.as_deref(), &global.data_dir);
    let config = Config::load(file.as_deref(), &overrides).map_err(|error| failed(error.into()))?;
    start_logs(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| failed(error.into()))?;
    runtime.block_on(serve(global, &config)).map_err(failed)?;
    Ok(Printed::Nothing)
}

async fn serve(global: &Global, config: &Config) -> anyhow::Result<()> {
    // The library's own default is asked for by whatever is not given a provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let data_dir = DataDir::open(&global.data_dir)?;
    let lifecycle = Lifecycle::new(config.limits.connections);
    let base = Base::open(config, &data_dir)?;
    let served = start(global, config, &data_dir, &base, &lifecycle).await;
    if served.is_ok() {
        tracing::info!("stopping: no new connections, what is under way is finished");
    }
    if !lifecycle.stop(config.limits.drain.duration()).await {
        tracing::warn!("some connections had not ended in time; they are cut");
    }
    base.ledger.close().await;
    served
}

/// Makes all parts, serves, and returns when told to stop.
async fn start(global: &Global, config: &Config, data_dir: &DataDir, base: &Base, lifecycle: &Lifecycle) -> anyhow::Result<()> {
    let bound = bind_all(&config.listeners).await?;
    let metrics = Arc::new(Metrics::new());
    let names = server_names(config, &bound);
    let is_first = !config.authorities.iter().any(|one| data_dir.join(&format!("ca/{}.pem", one.name)).exists());
    let first_device = if is_first { make_first_device(config, base, data_dir, &names).await? } else { None };
    let fallback = fallback_base_url(&bound);
    let authorities = open_authorities(&config.authorities, base, data_dir, fallback.as_deref(), &metrics).await?;
    let issuer = tls_issuer(config, &authorities)?;
    let certificate = ServerCertificate::open(config, base, data_dir, (issuer, names), Arc::clone(&metrics)).await?;
    let certificate = Arc::new(certificate);
    let app = Arc::new(make_app(config, base, &authorities, &metrics, lifecycle)?);

    let run_file = RunFile::new(data_dir, &bound, &authorities)?;
    let admin =
        Admin { base: base.clone(), est_endpoints: config.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect() };
    serve_socket(&global.socket(), admin, lifecycle)?;
    let fresh = Arc::clone(&certificate);
    let stopping = lifecycle.stopping.clone();
    lifecycle.tasks.spawn(async move { stopping.run_until_cancelled(fresh.keep_fresh()).await });
    serve_all(config, bound, &app, &certificate, &metrics, lifecycle)?;
    run_file.write()?;
    announce(data_dir, &run_file, first_device.as_ref())?;
    wait(&certificate).await?;
    run_file.remove();
    Ok(())
}

/// The authority of certgate's own server certificate: that of the first endpoint, which its clients trust.
fn tls_issuer(config: &Config, authorities: &Authorities) -> anyhow::Result<Arc<certgate_enrollment::Authority>> {
    let profile = config.endpoints.first().map(|endpoint| endpoint.profile.get_ref());
    let profile = config.profiles.iter().find(|one| Some(&one.name) == profile);
    match profile {
        Some(profile) => authorities.get(profile.authority.get_ref()),
        None => authorities.iter().last().cloned().context("no authority is configured"),
    }
}

fn serve_all(
    config: &Config,
    bound: Vec<Bound>,
    app: &Arc<App>,
    certificate: &ServerCertificate,
    metrics: &Arc<Metrics>,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let limits = ConnectionLimits { handshake: config.limits.handshake.duration(), head: config.limits.head.duration() };
    for Bound { config, socket, address } in bound {
        let tls = config.tls.then(|| server_config(config.min_tls, certificate.identity())).transpose()?;
        tracing::info!(%address, tls = config.tls, serves = ?config.serves, "listening");
        let (app, metrics) = (Arc::clone(app), Arc::clone(metrics));
        let served = Served { app, families: config.serves.into(), tls, limits, metrics };
        lifecycle.tasks.spawn(serve_listener(socket, served, lifecycle.clone()));
    }
    Ok(())
}

/// On stdout: on the first start how to enroll, and always, last, that it is ready.
fn announce(data_dir: &DataDir, run_file: &RunFile, first_device: Option<&FirstDevice>) -> anyhow::Result<()> {
    let mut text = String::new();
    if let Some(device) = first_device {
        text.push_str(&introduction::text(data_dir, run_file, device));
    }
    text.push_str("certgate ready\n");
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write to stdout")
}

/// Until SIGTERM or SIGINT; SIGHUP has the server certificate read again.
async fn wait(certificate: &ServerCertificate) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => certificate.reload(),
        }
    }
}
