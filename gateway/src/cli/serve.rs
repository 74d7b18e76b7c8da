//! `certgate serve`: from nothing to ready, and to a good end.

mod introduction;
mod run_file;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use certgate_enrollment::Authority;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::Printed;
use super::{Global, examples};
use crate::admin::{Admin, AdminFailure, Code, serve_socket};
use crate::assemble::{
    Authorities, Base, FirstDevice, FirstStart, ServerCertificate, Services, fallback_base_url, make_acme, make_app,
    make_first_device, make_ocsp, make_scep, make_validator, open_authorities, open_checkpoints, served_families, server_names,
    start_publishers, warn_of_offline,
};
use crate::audit::Checkpoints;
use crate::config::{Config, ConfigError, Limits, ListenerKind, Overrides, ProfileConfig, PublicUrl};
use crate::data_dir::DataDir;
use crate::listen::{
    Bound, ConnectionLimits, Lifecycle, Served, ServerIdentity, affordable_connections, bind_all, serve_listener, server_config,
};
use crate::reload::{Reloads, Upkeep};
use crate::serve::{App, CrlService, ValidatesHttp01};
use crate::telemetry::{Logs, Metrics, start_logs};
use run_file::RunFile;

/// Addresses replace all listeners of their kind; everything else is in the configuration file.
#[derive(Args, Default)]
#[command(after_help = examples::SERVE)]
pub(super) struct ServeArguments {
    /// Serve EST and ACME over TLS here instead; repeatable, port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    https: Vec<SocketAddr>,
    /// Serve SCEP, OCSP, CRLs and CA certificates in the clear here instead; repeatable
    #[arg(long, value_name = "ADDR")]
    http: Vec<SocketAddr>,
    /// Serve health and metrics here instead; repeatable
    #[arg(long, value_name = "ADDR")]
    ops: Vec<SocketAddr>,
    /// Base URL by which others reach this gateway; written into certificates and, if it is https, into the URLs of ACME
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
    let (named, data_dir) = (global.config.clone(), global.data_dir.clone());
    let load = Arc::new(move || Config::load(Config::file(named.as_deref(), &data_dir).as_deref(), &overrides));
    let config = load().map_err(|error| failed(error.into()))?;
    let logs = start_logs(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| failed(error.into()))?;
    let served = runtime.block_on(serve(global, (&config, load), &logs));
    // Whatever still runs, such as a long walk along the audit trail, has changed nothing and is not waited for.
    runtime.shutdown_timeout(PATIENCE);
    served.map(|()| Printed::Nothing).map_err(failed)
}

/// Connections to listeners of health and metrics alone: whoever watches is not turned away because the rest is busy.
const OPS_CONNECTIONS: usize = 64;
/// How long whatever is served or runs last may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads the configuration as it was read at the start.
type Load = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

async fn serve(global: &Global, (config, load): (&Config, Load), logs: &Logs) -> anyhow::Result<()> {
    // The library's own default is asked for by whatever is not given a provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let data_dir = DataDir::open(&global.data_dir)?;
    // One that a crash has left names a process that is gone.
    run_file::remove(&data_dir);
    let first_start = FirstStart::begin(&data_dir)?;
    let gateway = Gateway {
        config,
        load,
        base: Base::open(config, &data_dir)?,
        data_dir,
        socket: global.socket(),
        logs,
        work: Lifecycle::new(affordable_connections(&config.limits), config.limits.body_rate),
        ops: Lifecycle::new(OPS_CONNECTIONS, config.limits.body_rate),
        checkpoints: OnceLock::new(),
    };
    let mut signals = Signals::listen()?;
    let served = gateway.run(&first_start, &mut signals).await;
    if served.is_ok() {
        tracing::info!("stopping: no new connections, what is under way is finished");
    }
    gateway.stop(&mut signals).await;
    served
}

/// A gateway that starts, serves and stops.
struct Gateway<'g> {
    config: &'g Config,
    load: Load,
    data_dir: DataDir,
    base: Base,
    socket: PathBuf,
    logs: &'g Logs,
    work: Lifecycle,
    /// Health and metrics are served until the rest has ended, so that a drain can be watched.
    ops: Lifecycle,
    /// Signs heads of the audit trail, once it is there.
    checkpoints: OnceLock<Arc<Checkpoints>>,
}

impl Gateway<'_> {
    /// Makes all parts, serves, and returns when told to stop.
    async fn run(&self, first_start: &FirstStart, signals: &mut Signals) -> anyhow::Result<()> {
        let Self { config, data_dir, base, .. } = self;
        let bound = bind_all(&config.listeners).await?;
        let metrics = Arc::new(Metrics::new());
        let names = server_names(config, &bound);
        let first_device =
            if first_start.is_under_way() { make_first_device(config, base, data_dir, &names).await? } else { None };
        let fallback = fallback_base_url(&bound);
        let served = served_families(&bound);
        let names_in_certificates = (fallback.as_deref(), &*served);
        let authorities = open_authorities(&config.authorities, base, data_dir, names_in_certificates, &metrics).await?;
        warn_of_offline(config, &authorities);
        let issuer = self.tls_issuer(&authorities)?;
        let certificate = ServerCertificate::open(config, base, data_dir, (issuer, &bound), Arc::clone(&metrics)).await?;
        let identity = certificate.identity();
        let scep = make_scep(config, base, data_dir, &authorities, (&metrics, &self.work)).await?;
        let validator = Arc::new(make_validator(config, &bound, &metrics)?);
        let outside = (validator as Arc<dyn ValidatesHttp01>, Arc::clone(&identity));
        let acme = make_acme(config, base, &authorities, outside, (&metrics, &self.work)).await?;
        let ocsp = make_ocsp(config, base, data_dir, &authorities, (&metrics, &self.work)).await?;
        let signers = (&authorities, fallback.as_deref());
        let crls = start_publishers(config, base, data_dir, signers, (&metrics, &self.work)).await?;
        let services = Services { scep, acme, ocsp, crl: CrlService::new(base.clock.clone(), &crls) };
        let app = Arc::new(make_app(config, base, &authorities, services, (&metrics, self.logs), &self.work)?);

        let checkpoints = Arc::new(open_checkpoints(&config.audit, base, data_dir, first_start, &metrics).await?);
        let checkpoints = Arc::clone(self.checkpoints.get_or_init(|| checkpoints));
        self.work.tasks.spawn(Arc::clone(&checkpoints).run(self.work.stopping.clone()));

        let run_file = RunFile::new(data_dir, &bound, &authorities)?;
        let endpoints = config.endpoints.iter().map(|endpoint| (endpoint.protocol, endpoint.name.clone())).collect();
        let profiles = config.profiles.iter().map(ProfileConfig::profile).collect();
        let load = Arc::clone(&self.load);
        let (upkeep, reloads) = Upkeep::new(config, Box::new(move || load()), certificate, self.logs.level());
        let authorities = authorities.clone();
        let (base, reloaded, under_way) = (base.clone(), reloads.clone(), Arc::default());
        let admin = Admin { base, endpoints, profiles, authorities, crls, checkpoints, reloads: reloaded, under_way };
        serve_socket(&self.socket, admin, &self.work)?;
        let stopping = self.work.stopping.clone();
        self.work.tasks.spawn(async move { stopping.run_until_cancelled(upkeep.run()).await });
        self.listen(bound, &app, &identity, &metrics)?;
        run_file.write()?;
        self.announce(&run_file, first_device.as_ref(), first_start)?;
        signals.serve_until_told(&reloads).await;
        Ok(())
    }

    /// The authority of certgate's own server certificate: that of the first endpoint, which its clients trust.
    fn tls_issuer(&self, authorities: &Authorities) -> anyhow::Result<Arc<Authority>> {
        let profile = self.config.endpoints.first().map(|endpoint| endpoint.profile.get_ref());
        match self.config.profiles.iter().find(|one| Some(&one.name) == profile) {
            Some(profile) => authorities.get(profile.authority.get_ref()),
            None => authorities.iter().last().cloned().context("no authority is configured"),
        }
    }

    fn listen(
        &self,
        bound: Vec<Bound>,
        app: &Arc<App>,
        identity: &Arc<ServerIdentity>,
        metrics: &Arc<Metrics>,
    ) -> anyhow::Result<()> {
        let Limits { handshake, head, write, head_bytes, http2_streams, .. } = self.config.limits;
        let (handshake, head, write) = (handshake.duration(), head.duration(), write.duration());
        let limits = ConnectionLimits { handshake, head, write, head_bytes, streams: http2_streams };
        for Bound { config, socket, address } in bound {
            let lifecycle = if config.kind() == ListenerKind::Ops { &self.ops } else { &self.work };
            let tls =
                config.tls.then(|| server_config(config.min_tls, config.client_cert, Arc::clone(identity))).transpose()?;
            tracing::info!(%address, tls = config.tls, serves = ?config.serves, "listening");
            let (app, metrics) = (Arc::clone(app), Arc::clone(metrics));
            let served = Served { app, families: config.serves.into(), tls, limits, metrics };
            lifecycle.tasks.spawn(serve_listener(socket, served, lifecycle.clone()));
        }
        Ok(())
    }

    /// On stdout: on the first start how to enroll, and always, last, that it is ready.
    fn announce(&self, run_file: &RunFile, first_device: Option<&FirstDevice>, first_start: &FirstStart) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let mut print = |text: &str| out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write to stdout");
        if let Some(device) = first_device {
            print(&introduction::text(&self.data_dir, run_file, device))?;
        }
        first_start.end()?;
        print("certgate ready\n")
    }

    /// Finishes what is under way, closes the ledger, and stops being watched last. A second signal cuts what is under way.
    async fn stop(&self, signals: &mut Signals) {
        run_file::remove(&self.data_dir);
        let drained = tokio::select! {
            drained = self.work.stop(self.config.limits.drain.duration()) => drained,
            () = signals.told_to_stop() => false,
        };
        if !drained {
            tracing::warn!("some connections had not ended in time; they are cut");
        }
        self.base.ledger.close().await;
        if let Some(checkpoints) = self.checkpoints.get() {
            checkpoints.end().await;
        }
        self.ops.stop(PATIENCE).await;
    }
}

/// The signals that certgate listens to, from before it says that it is ready.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Until SIGTERM or SIGINT; SIGHUP has the configuration read again.
    async fn serve_until_told(&mut self, reloads: &Reloads) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reloads.order(),
            }
        }
    }

    /// Until SIGTERM or SIGINT.
    async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
