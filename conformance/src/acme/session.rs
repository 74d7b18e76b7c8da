//! What a check of ACME has at hand: requests to the server, with nonces as they come, and the responder that the server asks.

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{
    dns,
    jws::{AccountKey, Draft},
    objects::{self, Directory, Problem},
    place::{self, Place},
    responder::Responder,
};
use crate::{
    channel::Dial,
    clause::{Reading, Suite},
    hook::Hook,
    http::{Request, Response},
    key::{Key, KeyKind},
    target::{AcmeTarget, Hooks, Target, Url},
    transport::Transport,
    verdict::{Stop, require},
};

/// How often a request is sent again after badNonce (RFC 8555 §6.5).
const NONCE_ATTEMPTS: usize = 5;

/// One clause's view of the server under test.
pub struct Session<'t> {
    /// The `[acme]` table.
    pub target: &'t AcmeTarget,
    /// Trust anchors, PEM.
    pub ca_file: &'t Path,
    hooks: &'t Hooks,
    /// URL of the directory that the session works with.
    site: String,
    directory: Option<Directory>,
    nonce: Option<String>,
    /// Every nonce that came, in order.
    pub nonces: Vec<String>,
    /// The reading that the server is asked to follow.
    pub reading: Reading,
    device_key: KeyKind,
    transport: &'t mut dyn Transport,
}

/// Who signs, and how it says so (RFC 8555 §6.2).
#[derive(Clone, Copy)]
pub struct Signer<'k> {
    /// The key.
    pub key: &'k AccountKey,
    /// The account's URL; the key itself goes into the header without it.
    pub kid: Option<&'k str>,
}

impl<'t> Session<'t> {
    /// A session with the ACME server of `target`.
    ///
    /// # Errors
    /// A target without ACME, or with a URL that is none.
    pub fn new(
        target: &'t Target,
        transport: &'t mut dyn Transport,
        (reading, device_key): (Reading, KeyKind),
    ) -> anyhow::Result<Self> {
        target.url(Suite::Acme)?;
        let acme = target.acme.as_ref().ok_or_else(|| anyhow::anyhow!("the target has no [acme] table"))?;
        if let Some(port) = acme.dns_port {
            dns::answer_at(port)?;
        }
        Ok(Self {
            target: acme,
            ca_file: &target.ca_file,
            hooks: &target.hooks,
            site: acme.directory.clone(),
            directory: None,
            nonce: None,
            nonces: Vec::new(),
            reading,
            device_key,
            transport,
        })
    }

    /// Works with another directory from here on.
    pub fn move_to(&mut self, directory: &str) {
        self.site = directory.to_owned();
        self.directory = None;
        self.nonce = None;
    }

    /// The directory as a resource.
    #[must_use]
    pub fn site(&self) -> Place {
        place::DIRECTORY.at(&self.site)
    }

    /// Seconds since 1970, at this moment.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.transport.now()
    }

    /// Lets time pass.
    pub fn wait(&mut self, time: Duration) {
        self.transport.wait(time);
    }

    /// A device's key that nobody has yet.
    ///
    /// # Errors
    /// A failure to make one.
    pub fn device_key(&self) -> Result<Key, Stop> {
        Ok(Key::new(self.device_key)?)
    }

    /// The responder that the server asks for http-01.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target does not say where; a port that is taken.
    pub fn responder(&self) -> Result<Arc<Responder>, Stop> {
        let port = self.target.http01_port.ok_or_else(|| Stop::Skip("the target names no http01_port".into()))?;
        Ok(Responder::at(port)?)
    }

    /// Runs a hook and gives what it printed.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the target has no such hook, [`Stop::Fail`] when it fails.
    pub fn run_hook(&mut self, hook: Hook, values: &[(&str, &str)]) -> Result<String, Stop> {
        if hook.argv(self.hooks).is_empty() {
            return Err(Stop::Skip(format!("the target has no hook {}", hook.name())));
        }
        let argv = hook.fill(self.hooks, values, &[]);
        self.transport.command(&argv).map_err(|error| Stop::Fail(format!("hook {}: {error:#}", hook.name())))
    }

    /// The directory's resources, fetched once.
    ///
    /// # Errors
    /// No answer, or one that is no directory.
    pub fn directory(&mut self) -> Result<Directory, Stop> {
        if let Some(directory) = &self.directory {
            return Ok(directory.clone());
        }
        let response = self.exchange(&request("GET", &self.site())?)?;
        objects::require_status(&response, "GET of the directory", 200)?;
        let directory: Directory = objects::object(&response, "the directory")?;
        self.directory = Some(directory.clone());
        Ok(directory)
    }

    /// The resource newAccount.
    ///
    /// # Errors
    /// As [`Session::directory`].
    pub fn new_account(&mut self) -> Result<Place, Stop> {
        Ok(place::NEW_ACCOUNT.at(&self.directory()?.new_account))
    }

    /// The resource newOrder.
    ///
    /// # Errors
    /// As [`Session::directory`].
    pub fn new_order(&mut self) -> Result<Place, Stop> {
        Ok(place::NEW_ORDER.at(&self.directory()?.new_order))
    }

    /// The resource newNonce.
    ///
    /// # Errors
    /// As [`Session::directory`].
    pub fn new_nonce(&mut self) -> Result<Place, Stop> {
        Ok(place::NEW_NONCE.at(&self.directory()?.new_nonce))
    }

    /// Sends a request, and keeps the nonce of its answer for the next.
    ///
    /// # Errors
    /// No answer.
    pub fn exchange(&mut self, request: &Request) -> Result<Response, Stop> {
        let response = self.transport.exchange(request)?;
        if let Some(nonce) = response.field("replay-nonce") {
            self.nonces.push(nonce.to_owned());
            self.nonce = Some(nonce.to_owned());
        }
        Ok(response)
    }

    /// GET without anything signed.
    ///
    /// # Errors
    /// No answer.
    pub fn get(&mut self, place: &Place) -> Result<Response, Stop> {
        self.exchange(&request("GET", place)?)
    }

    /// A nonce: the one of the last answer, or a new one (RFC 8555 §7.2).
    ///
    /// # Errors
    /// No answer, or one without a nonce.
    pub fn nonce(&mut self) -> Result<String, Stop> {
        if let Some(nonce) = self.nonce.take() {
            return Ok(nonce);
        }
        let place = self.new_nonce()?;
        self.exchange(&request("HEAD", &place)?)?;
        self.nonce.take().ok_or_else(|| Stop::fail("HEAD of newNonce gave no nonce"))
    }

    /// A message to `place`, all of it as it should be, to be signed by `signer`'s key.
    ///
    /// # Errors
    /// No nonce.
    pub fn draft(&mut self, signer: Signer<'_>, place: &Place, payload: &[u8]) -> Result<Draft, Stop> {
        let mut protected = Map::new();
        protected.insert("alg".into(), signer.key.algorithm().into());
        match signer.kid {
            Some(kid) => protected.insert("kid".into(), kid.into()),
            None => protected.insert("jwk".into(), signer.key.jwk().clone()),
        };
        protected.insert("nonce".into(), self.nonce()?.into());
        protected.insert("url".into(), place.url.clone().into());
        Ok(Draft { protected, payload: payload.to_vec() })
    }

    /// Posts content as a JWS, whatever it is.
    ///
    /// # Errors
    /// No answer.
    pub fn post_content(&mut self, place: &Place, content: &[u8]) -> Result<Response, Stop> {
        let request = request("POST", place)?.with_field("Content-Type", "application/jose+json");
        self.exchange(&request.with_content(content))
    }

    /// Posts a message that is signed.
    ///
    /// # Errors
    /// No answer.
    pub fn post_draft(&mut self, place: &Place, draft: &Draft, key: &AccountKey) -> Result<Response, Stop> {
        let content = draft.sign(key)?.content();
        self.post_content(place, &content)
    }

    /// Posts a payload, signed as it should be. RFC 8555 §6.5: "On receiving such a response, a client SHOULD retry the request using
    /// the new nonce."
    ///
    /// # Errors
    /// No answer.
    pub fn post(&mut self, signer: Signer<'_>, place: &Place, payload: &[u8]) -> Result<Response, Stop> {
        for _ in 1..NONCE_ATTEMPTS {
            let draft = self.draft(signer, place, payload)?;
            let response = self.post_draft(place, &draft, signer.key)?;
            let is_bad_nonce = Problem::of(&response, "").is_ok_and(|problem| problem.kind == "badNonce");
            if !is_bad_nonce {
                return Ok(response);
            }
        }
        let draft = self.draft(signer, place, payload)?;
        self.post_draft(place, &draft, signer.key)
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// No answer.
    pub fn post_json(&mut self, signer: Signer<'_>, place: &Place, payload: &Value) -> Result<Response, Stop> {
        self.post(signer, place, payload.to_string().as_bytes())
    }

    /// Whether the server still answers, on a new connection.
    ///
    /// # Errors
    /// [`Stop::Fail`] when it does not.
    pub fn assert_alive(&mut self) -> Result<(), Stop> {
        let site = self.site();
        let response = self.get(&site).map_err(|stop| stop.about("afterwards GET of the directory"))?;
        require(response.status == 200, || format!("afterwards GET of the directory gave {}", response.status))
    }
}

/// A request to a resource, on a new connection to its origin.
///
/// # Errors
/// A URL that is none.
pub(super) fn request(method: &str, place: &Place) -> Result<Request, Stop> {
    let origin: Url = place.url.parse().map_err(|error| Stop::Fail(format!("{}: {error}", place.kind.name())))?;
    let behind = place.url.split_once("://").map(|(_, behind)| behind).unwrap_or_default();
    let path = behind.find('/').and_then(|at| behind.get(at..)).unwrap_or("/");
    let dial = Dial { origin: Some(origin), ..Dial::default() };
    Ok(Request::new(method, path).called(place.kind.name()).dialled(dial))
}
