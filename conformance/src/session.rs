//! What a check has at hand.

use std::{rc::Rc, time::Duration};

use serde::Deserialize;

use crate::{
    certificate::hex,
    channel::{Channel, Dial},
    clause::{Reading, Suite},
    endpoint::{Endpoint, label},
    hook::{self, Hook},
    http::{Request, Response, basic, encode_body},
    key::{Key, KeyKind, random},
    specimens::Collection,
    target::{EstTarget, Hooks, Target, Url},
    transport::{Failure, Transport, command::Running},
    verdict::{Stop, Verdict},
};

/// The code behind a clause of EST or of the certificates.
pub type Check = fn(&mut Session<'_>) -> Verdict;

/// What the hook `add_user` prints, as far as it matters here.
#[derive(Deserialize)]
struct NewUser {
    name: String,
    password: String,
}

/// One clause's view of the server under test.
pub struct Session<'t> {
    est: &'t EstTarget,
    hooks: &'t Hooks,
    url: Url,
    transport: &'t mut dyn Transport,
    /// The reading that the server is asked to follow.
    pub reading: Reading,
    /// The kind of key that devices have.
    pub device_key: KeyKind,
    /// Certificates that the X clauses look at, fetched once.
    pub collection: Option<Rc<Collection>>,
}

impl<'t> Session<'t> {
    /// A session with the EST server of `target`.
    ///
    /// # Errors
    /// A target without EST, or with a URL that is none.
    pub fn new(
        target: &'t Target,
        transport: &'t mut dyn Transport,
        (reading, device_key): (Reading, KeyKind),
    ) -> anyhow::Result<Self> {
        let url = target.url(Suite::Est)?;
        let est = target.est.as_ref().ok_or_else(|| anyhow::anyhow!("the target has no [est] table"))?;
        Ok(Self { est, hooks: &target.hooks, url, transport, reading, device_key, collection: None })
    }

    /// Seconds since 1970, at this moment: what was just issued is valid from now.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.transport.now()
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.transport.wait(time);
    }

    /// A device's key, which other checks may have too.
    ///
    /// # Errors
    /// A failure to make one.
    pub fn device_key(&self) -> Result<Key, Stop> {
        Ok(Key::of(self.device_key)?)
    }

    /// A device's key that nobody has yet.
    ///
    /// # Errors
    /// A failure to make one.
    pub fn new_device_key(&self) -> Result<Key, Stop> {
        Ok(Key::new(self.device_key)?)
    }

    /// The `[est]` table.
    #[must_use]
    pub const fn target(&self) -> &'t EstTarget {
        self.est
    }

    /// The host name in the URL, which the server's certificate must have (RFC 7030 §3.6.1).
    #[must_use]
    pub fn host(&self) -> &str {
        &self.url.host
    }

    /// The user and password, or the reason why there are none.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target names no user.
    pub fn login(&self) -> Result<(&'t str, &'t str), Stop> {
        match (&self.est.user, &self.est.password) {
            (Some(user), Some(password)) => Ok((user, password)),
            _ => Err(Stop::Skip("the target names no user and password".into())),
        }
    }

    /// The path of an operation (RFC 7030 §3.2.2).
    #[must_use]
    pub fn path(&self, operation: &str) -> String {
        format!("{}/{operation}", self.url.path)
    }

    /// The path of an operation under a label, whatever label the URL has.
    #[must_use]
    pub fn labelled_path(&self, label: &str, operation: &str) -> String {
        let root = self.url.path.find("/.well-known/est").and_then(|at| self.url.path.get(..at + "/.well-known/est".len()));
        format!("{}/{label}/{operation}", root.unwrap_or(&self.url.path))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As [`Transport::exchange`].
    pub fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        self.transport.exchange(request)
    }

    /// Opens a connection whose next request is on [`crate::http::Connection::Opened`].
    ///
    /// # Errors
    /// As [`Transport::open`].
    pub fn open(&mut self, dial: &Dial) -> Result<Channel, Failure> {
        self.transport.open(dial)
    }

    /// Sends octets over bare TCP.
    ///
    /// # Errors
    /// As [`Transport::probe`].
    pub fn probe(&mut self, opening: &[u8]) -> Result<Vec<u8>, Failure> {
        self.transport.probe(opening)
    }

    /// Whether the target has this hook.
    #[must_use]
    pub fn has_hook(&self, hook: Hook) -> bool {
        !hook.argv(self.hooks).is_empty()
    }

    /// Runs a hook and gives what it printed.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target has no such hook, [`Stop::Fail`] when it fails.
    pub fn run_hook(&mut self, hook: Hook, values: &[(&str, &str)], more: &[String]) -> Result<String, Stop> {
        hook::run(&mut *self.transport, self.hooks, hook, values, more)
    }

    /// Begins to run a hook, others beside it.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target has no such hook.
    pub fn start_hook(&mut self, hook: Hook, values: &[(&str, &str)]) -> Result<Running, Stop> {
        hook::start(&mut *self.transport, self.hooks, hook, values)
    }

    /// The endpoint of the target's first URL, with the target's login.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target names no user.
    pub fn endpoint(&self) -> Result<Endpoint, Stop> {
        let (user, password) = self.login()?;
        Ok(Endpoint { url: self.url.clone(), user: user.into(), password: password.into() })
    }

    /// The endpoint of another URL, with a login that is good there: a new user where the hook `add_user` takes an `{endpoint}`, the
    /// target's own if not.
    ///
    /// # Errors
    /// A URL that is none, no user at all, or a hook that fails.
    pub fn endpoint_at(&mut self, url: &str) -> Result<Endpoint, Stop> {
        let url: Url = url.parse().map_err(Stop::fail)?;
        if self.makes_users() {
            return self.new_user_at(url, &[]);
        }
        let (user, password) = self.login()?;
        Ok(Endpoint { url, user: user.into(), password: password.into() })
    }

    /// Makes a user at `url` by hook. It may enroll its own name, and with it the names that `prefixes` make of it.
    ///
    /// # Errors
    /// No such hook, or one that fails or does not print what it should.
    pub fn new_user_at(&mut self, url: Url, prefixes: &[&str]) -> Result<Endpoint, Stop> {
        let name = format!("conformance-{}", hex(&random::<6>()?));
        let mut allowed = Vec::new();
        if !prefixes.is_empty() {
            for prefix in std::iter::once(&"").chain(prefixes) {
                for kind in ["cn", "dns"] {
                    allowed.extend(["--allow".into(), format!("{kind}:{prefix}{name}")]);
                }
            }
        }
        let printed = self.run_hook(Hook::AddUser, &[("name", &name), ("endpoint", label(&url))], &allowed)?;
        let made: NewUser =
            serde_json::from_str(&printed).map_err(|error| Stop::Fail(format!("hook add_user printed no user: {error}")))?;
        Ok(Endpoint { url, user: made.name, password: made.password })
    }

    /// Whether the hook `add_user` says at which endpoint the user is to be.
    #[must_use]
    pub fn makes_users(&self) -> bool {
        Hook::AddUser.argv(self.hooks).iter().any(|word| word.contains("{endpoint}"))
    }

    /// GET without credentials.
    ///
    /// # Errors
    /// No answer.
    pub fn get(&mut self, operation: &str) -> Result<Response, Stop> {
        let path = self.path(operation);
        Ok(self.exchange(&Request::new("GET", &path))?)
    }

    /// A simple enrollment request with this body, authenticated as the target's user, all of it usual
    /// (RFC 7030 §4.2.1, RFC 8951 §3).
    ///
    /// # Errors
    /// A target without user.
    pub fn enrollment(&self, body: &[u8]) -> Result<Request, Stop> {
        let (user, password) = self.login()?;
        Ok(self.anonymous_enrollment(body).with_field("Authorization", &basic(user, password)))
    }

    /// The same without credentials.
    #[must_use]
    pub fn anonymous_enrollment(&self, body: &[u8]) -> Request {
        Request::new("POST", &self.path("simpleenroll")).with_field("Content-Type", "application/pkcs10").with_content(body)
    }

    /// Enrolls with a CSR in DER.
    ///
    /// # Errors
    /// No answer, or a target without user.
    pub fn enroll(&mut self, csr: &[u8]) -> Result<Response, Stop> {
        let request = self.enrollment(&encode_body(csr))?;
        Ok(self.exchange(&request)?)
    }

    /// Whether the server still answers, on a new connection.
    ///
    /// # Errors
    /// [`Stop::Fail`] when it does not.
    pub fn assert_alive(&mut self) -> Result<(), Stop> {
        let path = self.path("cacerts");
        match self.exchange(&Request::new("GET", &path)) {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => Err(Stop::Fail(format!("afterwards GET cacerts gave {}", response.status))),
            Err(failure) => Err(Stop::Fail(format!("afterwards GET cacerts: {failure}"))),
        }
    }
}
