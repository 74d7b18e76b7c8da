//! What changes while certgate runs: the server certificate is renewed, and the configuration is read again when somebody says so.
//!
//! One task does both, so that neither comes in between the other.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::assemble::ServerCertificate;
use crate::config::{Config, ConfigError, Keys};
use crate::telemetry::LevelSwitch;

/// How often the server certificate is held against the clock. It is the clock of the wall that counts: that of timers stands still while a
/// machine sleeps.
const PERIOD: Duration = Duration::from_secs(10);
/// How long after a renewal that failed the next one is tried.
const PATIENCE: Duration = Duration::from_secs(60);
/// Reloads that may wait: each reads what is there when it begins.
const WAITING: usize = 4;

/// What a reload has done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Reloaded {
    /// Keys that are in force as the file has them now; `server certificate` if another one is shown.
    pub reloaded: Vec<String>,
    /// Keys that the file has otherwise than what is in force.
    pub needs_restart: Vec<String>,
}

/// Why nothing was reloaded.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file is right, and the certificate that it names is not.
    #[error("{0}")]
    Certificate(String),
    /// It is too late.
    #[error("certgate is stopping")]
    Stopping,
}

/// Where reloads are ordered.
#[derive(Clone, Debug)]
pub struct Reloads(mpsc::Sender<Option<oneshot::Sender<Result<Reloaded, ReloadError>>>>);

impl Reloads {
    /// Orders one, and waits for nothing. Where so many wait already, one of them will do.
    pub fn order(&self) {
        let _ = self.0.try_send(None);
    }

    /// Has one done.
    ///
    /// # Errors
    /// [`ReloadError`]; everything is as it was.
    pub async fn ask(&self) -> Result<Reloaded, ReloadError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Some(answer)).await.map_err(|_| ReloadError::Stopping)?;
        answered.await.map_err(|_| ReloadError::Stopping)?
    }
}

/// What changes, and by what.
pub struct Upkeep {
    certificate: ServerCertificate,
    level: LevelSwitch,
    load: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// The keys with which certgate was started.
    started: Keys,
    /// The keys that were read last.
    applied: Keys,
    orders: mpsc::Receiver<Option<oneshot::Sender<Result<Reloaded, ReloadError>>>>,
}

impl Upkeep {
    /// Of a gateway that was started with `config`, which `load` reads again.
    #[must_use]
    pub fn new(
        config: &Config,
        load: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
        certificate: ServerCertificate,
        level: LevelSwitch,
    ) -> (Self, Reloads) {
        let (sender, orders) = mpsc::channel(WAITING);
        let (started, applied) = (config.keys.clone(), config.keys.clone());
        (Self { certificate, level, load, started, applied, orders }, Reloads(sender))
    }

    /// Goes on as long as it is polled.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if let Err(error) = self.certificate.look_after().await {
                        tracing::error!(error = format!("{error:#}"), "the server certificate could not be renewed; trying again");
                        ticks.reset_after(PATIENCE);
                    }
                }
                Some(answer) = self.orders.recv() => {
                    let outcome = self.reload().await;
                    report(&outcome);
                    if let Some(answer) = answer {
                        // Who has asked may be gone.
                        let _ = answer.send(outcome);
                    }
                }
            }
        }
    }

    /// Everything that can be as the file has it now, or nothing.
    async fn reload(&mut self) -> Result<Reloaded, ReloadError> {
        let config = (self.load)()?;
        let taken = self.certificate.take_from(&config.tls).await;
        let is_another = taken.map_err(|error| ReloadError::Certificate(format!("{error:#}")))?;
        self.level.set(config.log.level);
        let changed = self.applied.differing(&config.keys).into_iter().filter(|key| can_change(key));
        let reloaded = changed.chain(is_another.then(|| "server certificate".to_owned())).collect();
        let differing: BTreeSet<String> = self.started.differing(&config.keys);
        let needs_restart = differing.into_iter().filter(|key| !can_change(key)).collect();
        self.applied = config.keys;
        Ok(Reloaded { reloaded, needs_restart })
    }
}

/// Does a reload put this key in force?
fn can_change(key: &str) -> bool {
    key == "log.level" || key.starts_with("tls.")
}

fn report(outcome: &Result<Reloaded, ReloadError>) {
    match outcome {
        Ok(done) => {
            tracing::info!(reloaded = done.reloaded.join(", "), "the configuration was read again");
            for key in &done.needs_restart {
                tracing::warn!("{key}: needs a restart");
            }
        }
        Err(error) => tracing::error!(%error, "nothing was reloaded; what was in force stays"),
    }
}
