//! Accounts, orders, authorizations, challenges (RFC 8555 §7).

use certgate_conformance::{acme::jws::base64url, asn1::Element, http::Response, key::random};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::server::{Account, Authorization, Fault, Order, Problem, Server, Stage, answer, malformed, problem, url};

/// A moment that is not over soon.
const LATER: &str = "2100-01-01T00:00:00Z";

fn at(mut response: Response, location: String) -> Response {
    response.fields.push(("Location".into(), location));
    response
}

impl Server {
    pub(super) fn new_account(&mut self, label: &str, spki: Element, payload: &Value) -> Result<Response, Problem> {
        if !payload.is_object() {
            return Err(malformed("an account is an object"));
        }
        let known = self.accounts.iter().position(|account| account.spki == spki && account.label == label);
        let number = known.unwrap_or(self.accounts.len());
        if known.is_none() {
            self.accounts.push(Account { spki, label: label.to_owned() });
        }
        let status = if known.is_some() { 200 } else { 201 };
        Ok(at(answer(status, &self.account(number)), self.account_url(number)))
    }

    fn account_url(&self, number: usize) -> String {
        url(&self.accounts[number].label, &format!("account/{number}"))
    }

    fn account(&self, number: usize) -> Value {
        json!({"status": "valid", "orders": format!("{}/orders", self.account_url(number))})
    }

    /// What an account asks of a resource.
    pub(super) fn serve(
        &mut self,
        label: &str,
        account: usize,
        (kind, number): (&str, usize),
        payload: Option<Value>,
    ) -> Result<Response, Problem> {
        let owner = match kind {
            "new-order" => return self.new_order(label, account, &payload.ok_or_else(|| malformed("an order of what?"))?),
            "account" => (number < self.accounts.len()).then_some(number),
            "order" | "finalize" | "certificate" => self.orders.get(number).map(|order| order.account),
            "authorization" | "challenge" => self.authorizations.get(number).map(|one| one.account),
            _ => None,
        };
        let owner = owner.ok_or_else(|| problem(404, "malformed", "there is no such resource"))?;
        if owner != account && !(self.has(Fault::ShowsToStrangers) && payload.is_none()) {
            return Err(problem(403, "unauthorized", "this is not yours"));
        }
        match (kind, payload) {
            ("account", _) => Ok(answer(200, &self.account(number))),
            ("order", None) => Ok(self.order(label, number)),
            ("authorization", None) => Ok(answer(200, &self.authorization(label, number))),
            ("challenge", payload) => self.challenge(label, number, payload),
            ("finalize", Some(payload)) => self.finalize(label, number, &payload),
            ("certificate", None) => self.certificate(number),
            _ => Err(malformed("there is nothing to do here")),
        }
    }

    fn new_order(&mut self, label: &str, account: usize, payload: &Value) -> Result<Response, Problem> {
        let list = payload.get("identifiers").and_then(Value::as_array).filter(|list| !list.is_empty());
        let name = |one: &Value| Some(one.get("value")?.as_str()?.to_owned());
        let names: Option<Vec<String>> = list.and_then(|list| list.iter().map(name).collect());
        let names = names.ok_or_else(|| malformed("an order of what?"))?;
        let first = self.authorizations.len();
        for name in &names {
            let token = base64url(&random::<16>().expect("random"));
            self.authorizations.push(Authorization { account, name: name.clone(), token, outcome: None });
        }
        let authorizations = (first..self.authorizations.len()).collect();
        self.orders.push(Order { account, names, authorizations, stage: Stage::Open });
        let mut response = self.order(label, self.orders.len() - 1);
        response.status = 201;
        Ok(response)
    }

    /// RFC 8555 §7.1.6.
    pub(super) fn status(&self, order: &Order) -> &'static str {
        let mut outcomes = order.authorizations.iter().map(|number| self.authorizations[*number].outcome);
        match order.stage {
            Stage::Issued(_) => "valid",
            Stage::Denied => "invalid",
            Stage::Waiting { .. } => "processing",
            Stage::Open if outcomes.clone().any(|outcome| matches!(outcome, Some(Err(_)))) => "invalid",
            Stage::Open if outcomes.all(|outcome| outcome.is_some()) => "ready",
            Stage::Open => "pending",
        }
    }

    pub(super) fn order(&self, label: &str, number: usize) -> Response {
        let order = &self.orders[number];
        let identifiers: Vec<Value> = order.names.iter().map(|name| json!({"type": "dns", "value": name})).collect();
        let authorizations: Vec<String> =
            order.authorizations.iter().map(|number| url(label, &format!("authorization/{number}"))).collect();
        let status = self.status(order);
        let mut body = json!({
            "status": status,
            "expires": LATER,
            "identifiers": identifiers,
            "authorizations": authorizations,
            "finalize": url(label, &format!("finalize/{number}")),
        });
        if status == "valid" {
            body["certificate"] = json!(url(label, &format!("certificate/{number}")));
        }
        let mut response = at(answer(200, &body), url(label, &format!("order/{number}")));
        if status == "processing" {
            response.fields.push(("Retry-After".into(), "1".into()));
        }
        response
    }

    fn authorization(&self, label: &str, number: usize) -> Value {
        let one = &self.authorizations[number];
        json!({
            "status": word(one.outcome),
            "expires": LATER,
            "identifier": {"type": "dns", "value": one.name},
            "challenges": [self.challenge_object(label, number)],
        })
    }

    fn challenge_object(&self, label: &str, number: usize) -> Value {
        let one = &self.authorizations[number];
        let mut body = json!({
            "type": "http-01",
            "url": url(label, &format!("challenge/{number}")),
            "status": word(one.outcome),
            "token": one.token,
        });
        match one.outcome {
            None => {}
            Some(Ok(())) => body["validated"] = json!(Timestamp::UNIX_EPOCH.to_string()),
            Some(Err(kind)) => {
                body["error"] = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "it was not good"});
            }
        }
        body
    }

    fn challenge(&mut self, label: &str, number: usize, payload: Option<Value>) -> Result<Response, Problem> {
        if payload.is_some_and(|payload| payload.is_object()) && self.authorizations[number].outcome.is_none() {
            self.authorizations[number].outcome = Some(self.validate(number));
        }
        let mut response = answer(200, &self.challenge_object(label, number));
        let up = url(label, &format!("authorization/{number}"));
        response.fields.push(("Link".into(), format!("<{up}>;rel=\"up\"")));
        Ok(response)
    }
}

const fn word(outcome: Option<Result<(), &'static str>>) -> &'static str {
    match outcome {
        None => "pending",
        Some(Ok(())) => "valid",
        Some(Err(_)) => "invalid",
    }
}
