//! What several clauses do alike: accounts, orders, challenges, certificates.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    jws::AccountKey,
    objects::{Authorization, Challenge, Order, Status, json as read_json, location, object, require_status},
    payloads::{csr_payload, identifiers, terms, wish},
    place::{self, Place},
    responder::{Behaviour, path_of},
    session::{Session, Signer},
};
use crate::{
    certificate::hex,
    key::{Key, random},
    verdict::{Stop, require},
};

/// How long a validation or an issuance may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a client looks.
pub(super) const PAUSE: Duration = Duration::from_millis(300);

/// An account.
pub(super) struct Account {
    pub(super) key: AccountKey,
    pub(super) place: Place,
}

impl Account {
    /// How it signs.
    pub(super) fn signer(&self) -> Signer<'_> {
        Signer { key: &self.key, kid: Some(&self.place.url) }
    }
}

/// An order as it was when it was made.
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) order: Order,
}

impl Placed {
    /// Where it is finalized.
    pub(super) fn finalize(&self) -> Place {
        place::FINALIZE.at(&self.order.finalize)
    }

    /// Its authorizations.
    pub(super) fn authorizations(&self) -> Vec<Place> {
        self.order.authorizations.iter().map(|url| place::AUTHORIZATION.at(url)).collect()
    }
}

impl Session<'_> {
    /// A new account with a key for ES256.
    pub(super) fn account(&mut self) -> Result<Account, Stop> {
        self.account_with(AccountKey::es256()?)
    }

    /// A new account.
    pub(super) fn account_with(&mut self, key: AccountKey) -> Result<Account, Stop> {
        let new_account = self.new_account()?;
        let response = self.post_json(signer(&key), &new_account, &terms())?;
        require_status(&response, "newAccount", 201)?;
        let place = place::ACCOUNT.at(&location(&response, "newAccount")?);
        Ok(Account { key, place })
    }

    /// A name that nobody has ordered.
    pub(super) fn new_name(&self) -> Result<String, Stop> {
        Ok(format!("{}.{}", hex(&random::<6>()?), self.target.domain))
    }

    /// Several of them.
    pub(super) fn new_names(&self, count: usize) -> Result<Vec<String>, Stop> {
        (0..count).map(|_| self.new_name()).collect()
    }

    /// A new order of these names.
    pub(super) fn order(&mut self, account: &Account, names: &[String]) -> Result<Placed, Stop> {
        let new_order = self.new_order()?;
        let response = self.post_json(account.signer(), &new_order, &identifiers(names))?;
        require_status(&response, "newOrder", 201)?;
        let place = place::ORDER.at(&location(&response, "newOrder")?);
        Ok(Placed { place, order: object(&response, "the order")? })
    }

    /// POST-as-GET (RFC 8555 §6.3), answered 200, as JSON.
    pub(super) fn fetch(&mut self, account: &Account, place: &Place) -> Result<Value, Stop> {
        let what = place.kind.name();
        let response = self.post(account.signer(), place, b"")?;
        require_status(&response, what, 200)?;
        read_json(&response, what)
    }

    /// The same, read.
    pub(super) fn read<T: serde::de::DeserializeOwned>(&mut self, account: &Account, place: &Place) -> Result<T, Stop> {
        let value = self.fetch(account, place)?;
        serde_json::from_value(value).map_err(|error| Stop::Fail(format!("{}: {error}", place.kind.name())))
    }

    /// The http-01 challenge of an authorization, with its token.
    pub(super) fn challenge(&mut self, account: &Account, authorization: &Place) -> Result<(Challenge, String), Stop> {
        let authorization: Authorization = self.read(account, authorization)?;
        let challenge = authorization.http01()?.clone();
        let token = challenge.token.clone().ok_or_else(|| Stop::fail("http-01 without a token"))?;
        Ok((challenge, token))
    }

    /// Says that a challenge may be looked at (RFC 8555 §7.5.1).
    pub(super) fn respond(&mut self, account: &Account, challenge: &Challenge) -> Result<(), Stop> {
        let response = self.post_json(account.signer(), &place::CHALLENGE.at(&challenge.url), &json!({}))?;
        require_status(&response, "{} to a challenge", 200)
    }

    /// Fetches an authorization until it is pending no longer.
    pub(super) fn await_authorization(&mut self, account: &Account, place: &Place) -> Result<Authorization, Stop> {
        let mut waited = Duration::ZERO;
        loop {
            let authorization: Authorization = self.read(account, place)?;
            if authorization.status != Status::Pending {
                return Ok(authorization);
            }
            require(waited < PATIENCE, || format!("an authorization is pending after {} s", PATIENCE.as_secs()))?;
            self.wait(PAUSE);
            waited += PAUSE;
        }
    }

    /// Fetches an order until it is in one of these states.
    pub(super) fn await_order(&mut self, account: &Account, place: &Place, wanted: &[Status]) -> Result<Order, Stop> {
        let mut waited = Duration::ZERO;
        loop {
            let order: Order = self.read(account, place)?;
            if wanted.contains(&order.status) {
                return Ok(order);
            }
            let may_change = !matches!(order.status, Status::Valid | Status::Invalid) && waited < PATIENCE;
            require(may_change, || format!("the order is {:?}, not {wanted:?}, after {waited:?}", order.status))?;
            self.wait(PAUSE);
            waited += PAUSE;
        }
    }

    /// An order of these names whose authorizations are valid.
    pub(super) fn ready_order(&mut self, account: &Account, names: &[String]) -> Result<Placed, Stop> {
        let responder = self.responder()?;
        let placed = self.order(account, names)?;
        for authorization in placed.authorizations() {
            let (challenge, token) = self.challenge(account, &authorization)?;
            responder.set(&path_of(&token), Behaviour::Text(account.key.authorize(&token)));
            self.respond(account, &challenge)?;
        }
        for place in placed.authorizations() {
            let authorization = self.await_authorization(account, &place)?;
            require(authorization.status == Status::Valid, || {
                format!("a right answer made the authorization {:?}: {:?}", authorization.status, authorization.challenges)
            })?;
        }
        self.await_order(account, &placed.place, &[Status::Ready])?;
        Ok(placed)
    }

    /// Finalizes with a CSR, answered 200.
    pub(super) fn finalize(&mut self, account: &Account, placed: &Placed, csr: &[u8]) -> Result<Order, Stop> {
        let response = self.post_json(account.signer(), &placed.finalize(), &csr_payload(csr))?;
        require_status(&response, "finalize", 200)?;
        object(&response, "finalize")
    }

    /// An order of these names that has its certificate, for this key.
    pub(super) fn valid_order(&mut self, account: &Account, names: &[String], key: &Key) -> Result<(Placed, Place), Stop> {
        let placed = self.ready_order(account, names)?;
        self.finalize(account, &placed, &wish(names).sign(key)?)?;
        let order = self.await_order(account, &placed.place, &[Status::Valid])?;
        let url = order.certificate.ok_or_else(|| Stop::fail("a valid order without certificate"))?;
        Ok((placed, place::CERTIFICATE.at(&url)))
    }
}

/// How a key signs that has no account yet.
pub(super) const fn signer(key: &AccountKey) -> Signer<'_> {
    Signer { key, kid: None }
}
