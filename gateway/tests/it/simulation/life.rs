//! The gateway from one start to its end, which may be a crash.

use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use certgate::admin::{Admin, AdminFailure, client, serve_socket};
use certgate::assemble::{
    Authorities, Base, FirstStart, ServerCertificate, Services, make_acme, make_app, make_ocsp, make_scep, open_authorities,
    open_checkpoints, served_families, start_publishers,
};
use certgate::audit::Checkpoints;
use certgate::config::{Config, Family, Overrides, ProfileConfig};
use certgate::data_dir::DataDir;
use certgate::listen::{InFlight, Lifecycle, Peer, TlsSession, bind_all};
use certgate::reload::Upkeep;
use certgate::serve::{CrlService, Exchange, NotValidated, ValidatesHttp01};
use certgate::telemetry::{Logs, Metrics, start_logs};
use certgate_ca_backend_local::LocalBackend;
use certgate_enrollment::{Authority, Clock, EstUsers, Event, EventKind};
use certgate_pki::{GeneralName, pem};
use certgate_testkit::{MockClock, NOW};
use http_body_util::{BodyExt, Full};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::backend::{Weather, Weathered};

/// Certificates of 30 days, at an endpoint where policy decides and at one where a person does too.
const CONFIGURATION: &str = r#"
[[listener]]
bind = "127.0.0.1:0"
tls = true
serves = ["est", "acme"]

[[listener]]
bind = "127.0.0.1:0"
serves = ["scep", "ocsp", "crl", "ca"]

[[authority]]
name = "root"
subject = "CN=Simulated Root"
validity = "14600d"
public_url = "http://pki.example"

[[authority]]
name = "default"
issuer = "root"
subject = "CN=Simulated CA"
validity = "10950d"
public_url = "http://pki.example"

[[profile]]
name = "default"
authority = "default"
validity = "30d"

[[profile]]
name = "person"
authority = "default"
validity = "30d"
approval = "manual"

[[endpoint]]
protocol = "est"
name = "default"
profile = "default"

[[endpoint]]
protocol = "est"
name = "person"
profile = "person"

[[endpoint]]
protocol = "scep"
name = "default"
profile = "default"

[[endpoint]]
protocol = "scep"
name = "person"
profile = "person"

[[endpoint]]
protocol = "acme"
name = "default"
profile = "default"
"#;

/// How long timers run after an operation, so that what looks at the clock now and then has looked: longer than any of them rests. No time
/// passes for that.
const SETTLING: Duration = Duration::from_secs(130);
/// In so many steps, after each of which the thread that writes has done what it was given: timers jump over what it is about. Nothing that goes
/// on by itself writes more often than that, one after the other.
const STEPS: u32 = 6;

/// A data directory that was made once: founding takes keys of RSA.
pub(crate) struct Founded(TempDir);

impl Founded {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("certgate.toml"), CONFIGURATION).unwrap();
        let life = Life::start(directory, &Arc::default(), &Weather::new()).unwrap();
        Self(life.stop())
    }

    /// The directory as it was made.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn copy(&self) -> TempDir {
        copy(self.path())
    }
}

/// What a crash leaves of a directory: the files as they are now. Nothing was closed, and the index of the journal is made anew.
fn copy(from: &Path) -> TempDir {
    let to = tempfile::tempdir().unwrap();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(from.join(&folder)).unwrap().map(Result::unwrap) {
            let (kind, name) = (entry.file_type().unwrap(), folder.join(entry.file_name()));
            if kind.is_dir() {
                std::fs::create_dir(to.path().join(&name)).unwrap();
                folders.push(name);
            } else if kind.is_file() && !name.ends_with("ledger.db-shm") {
                std::fs::copy(entry.path(), to.path().join(name)).unwrap();
            }
        }
    }
    to
}

/// Whoever orders a name here has it.
struct Everybody;

#[async_trait]
impl ValidatesHttp01 for Everybody {
    async fn http01(&self, _: &GeneralName, _: &str, _: &str) -> Result<(), NotValidated> {
        Ok(())
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// How far a request gets before the gateway crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Answered,
    Signing,
    Polled(u8),
}

/// A gateway that runs. Its parts are dropped in this order, when nothing has been closed before.
pub(crate) struct Life {
    pub(crate) authority: Arc<Authority>,
    pub(crate) base: Base,
    exchange: Exchange,
    checkpoints: Arc<Checkpoints>,
    work: Lifecycle,
    weather: Arc<Weather>,
    data_dir: DataDir,
    runtime: Runtime,
    directory: TempDir,
}

impl Life {
    /// Starts one as `certgate serve` does.
    pub(crate) fn start(directory: TempDir, clock: &Arc<MockClock>, weather: &Arc<Weather>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
        let work = Lifecycle::new(8, 0);
        let starting = Starting { directory: directory.path(), clock, weather, work: &work };
        let Started { authority, base, exchange, checkpoints, data_dir } = runtime.block_on(starting.start())?;
        let weather = Arc::clone(weather);
        Ok(Self { authority, base, exchange, checkpoints, work, weather, data_dir, runtime, directory })
    }

    /// Has a request answered, with this client certificate; `None` when the gateway has crashed before that.
    pub(crate) fn ask(&self, mut request: Request<Full<Bytes>>, certificate: Option<&[u8]>, until: Until) -> Option<Answer> {
        request.headers_mut().insert(HOST, "localhost".parse().unwrap());
        let client_certificate = certificate.map(Bytes::copy_from_slice);
        let tls = Some(Arc::new(TlsSession { client_certificate, binding: None }));
        let exchange = Exchange { peer: Peer { tls, ..self.exchange.peer.clone() }, ..self.exchange.clone() };
        let answering = async move {
            let (head, body) = exchange.oneshot(request).await.unwrap().into_parts();
            Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
        };
        self.runtime.block_on(async {
            match until {
                Until::Answered => Some(answering.await),
                Until::Signing => tokio::select! {
                    answer = answering => Some(answer),
                    () = self.weather.taken.notified() => None,
                },
                Until::Polled(polls) => poll(answering, polls).await,
            }
        })
    }

    /// Has the operator's socket do something.
    pub(crate) fn operate(&self, method: Method, path: &str, body: &Value) -> Result<Value, AdminFailure> {
        let body = if body.is_null() { None } else { Some(body.to_string().into_bytes()) };
        self.runtime.block_on(client::ask(&self.directory.path().join("s"), method, path, body))
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Lets everything look at the clock that does so now and then.
    pub(crate) fn settle(&self) {
        self.block_on(async {
            for _ in 0..STEPS {
                tokio::time::sleep(SETTLING / STEPS).await;
                let (ledger, runtime) = (self.base.ledger.clone(), tokio::runtime::Handle::current());
                // No timer jumps while this is under way, which changes nothing: it is done when what came before it is.
                let last = move || drop(runtime.block_on(ledger.remove("nobody", nothing())));
                tokio::task::spawn_blocking(last).await.unwrap();
            }
        });
    }

    /// Everything in memory is gone.
    pub(crate) fn crash(self) -> TempDir {
        let left = copy(self.directory.path());
        self.runtime.shutdown_background();
        left
    }

    /// A clean stop.
    pub(crate) fn stop(self) -> TempDir {
        self.runtime.block_on(async {
            self.work.stop(Duration::from_secs(5)).await;
            self.base.ledger.close().await;
            self.checkpoints.end().await;
        });
        drop(self.data_dir);
        self.directory
    }

    /// Its ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }
}

/// What is never recorded.
fn nothing() -> Event {
    Event { at: NOW, kind: EventKind::EstUserRemoved, actor: String::new(), details: Vec::new() }
}

/// Polls so often, and lets others get on in between.
async fn poll<T>(future: impl Future<Output = T>, polls: u8) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(value) = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            return Some(value);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// What a start needs.
struct Starting<'s> {
    directory: &'s Path,
    clock: &'s Arc<MockClock>,
    weather: &'s Arc<Weather>,
    work: &'s Lifecycle,
}

/// What a start makes.
struct Started {
    authority: Arc<Authority>,
    base: Base,
    exchange: Exchange,
    checkpoints: Arc<Checkpoints>,
    data_dir: DataDir,
}

impl Starting<'_> {
    /// As `certgate serve` does, step by step; sockets are bound and nobody is served there.
    async fn start(&self) -> anyhow::Result<Started> {
        let work = self.work;
        let load = {
            let file = self.directory.join("certgate.toml");
            move || Config::load(Some(&file), &Overrides::default())
        };
        let config = load()?;
        let data_dir = DataDir::open(self.directory)?;
        let first_start = FirstStart::begin(&data_dir)?;
        let base = Base { clock: Arc::clone(self.clock) as Arc<dyn Clock>, ..Base::open(&config, &data_dir)? };
        let (bound, metrics) = (bind_all(&config.listeners).await?, Arc::new(Metrics::new()));
        let served = served_families(&bound);
        let authorities = open_authorities(&config.authorities, &base, &data_dir, (None, &served), &metrics).await?;
        let authorities = self.weathered(&authorities, &base)?;
        let authority = authorities.get("default")?;
        let certificate =
            ServerCertificate::open(&config, &base, &data_dir, (Arc::clone(&authority), &bound), Arc::clone(&metrics)).await?;
        let scep = make_scep(&config, &base, &data_dir, &authorities, (&metrics, work)).await?;
        let outside = (Arc::new(Everybody) as Arc<dyn ValidatesHttp01>, certificate.identity());
        let acme = make_acme(&config, &base, &authorities, outside, (&metrics, work)).await?;
        let ocsp = make_ocsp(&config, &base, &data_dir, &authorities, (&metrics, work)).await?;
        let crls = start_publishers(&config, &base, &data_dir, (&authorities, None), (&metrics, work)).await?;
        let services = Services { scep, acme, ocsp, crl: CrlService::new(base.clock.clone(), &crls) };
        let app = make_app(&config, &base, &authorities, services, (&metrics, logs(&config)), work)?;
        let checkpoints = Arc::new(open_checkpoints(&config.audit, &base, &data_dir, &first_start, &metrics).await?);
        work.tasks.spawn(Arc::clone(&checkpoints).run(work.stopping.clone()));
        let (upkeep, reloads) = Upkeep::new(&config, Box::new(load), certificate, logs(&config).level());
        let stopping = work.stopping.clone();
        work.tasks.spawn(async move { stopping.run_until_cancelled(upkeep.run()).await });
        let admin = Admin {
            base: base.clone(),
            endpoints: config.endpoints.iter().map(|endpoint| (endpoint.protocol, endpoint.name.clone())).collect(),
            profiles: config.profiles.iter().map(ProfileConfig::profile).collect(),
            authorities,
            crls,
            checkpoints: Arc::clone(&checkpoints),
            reloads,
            under_way: Arc::default(),
        };
        serve_socket(&data_dir.join("s"), admin, work)?;
        first_start.end()?;
        let exchange = Exchange {
            app: Arc::new(app),
            serves: [Family::Est, Family::Scep, Family::Acme, Family::Ocsp, Family::Crl].into(),
            peer: Peer { address: "192.0.2.1:5".parse()?, tls: None },
            in_flight: InFlight::default(),
        };
        Ok(Started { authority, base, exchange, checkpoints, data_dir })
    }

    /// The same authorities, of which the issuing one signs as the weather allows.
    fn weathered(&self, authorities: &Authorities, base: &Base) -> anyhow::Result<Authorities> {
        let issuing = authorities.get("default")?;
        let key = std::fs::read_to_string(self.directory.join("ca/default.key"))?;
        let key = base.provider.sign.load(&pem::decode(pem::PRIVATE_KEY, &key)?)?;
        let backend = Weathered { ca: LocalBackend::new(key), weather: Arc::clone(self.weather) };
        let (chain, publication) = (issuing.chain().to_vec(), issuing.publication().clone());
        let weathered = Authority::new(base.core(), issuing.name(), chain, publication, Box::new(backend))?;
        Ok([authorities.get("root")?, Arc::new(weathered)].into_iter().collect())
    }
}

/// Nothing is logged: most of it would be the faults that are made here.
fn logs(config: &Config) -> &'static Logs {
    static LOGS: OnceLock<Logs> = OnceLock::new();
    LOGS.get_or_init(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let _ = tracing::subscriber::set_global_default(tracing::subscriber::NoSubscriber::new());
        start_logs(&config.log)
    })
}
