//! http-01, as good and as bad as an answer can be (RFC 8555 §8.3).

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    objects::{Authorization, ERROR_SPACE, Status},
    place::Place,
    responder::{Behaviour, Responder, path_of},
    session::Session,
    steps::{Account, PATIENCE, PAUSE},
};
use crate::verdict::{Stop, Verdict, require};

/// More octets than a key authorization could have.
const HUGE: usize = 10_000_000;
/// More redirects than anybody follows.
const LOOP_LIMIT: usize = 50;

/// Types of errors that fit an answer which came and was not good.
const BAD_ANSWER: &[&str] = &["incorrectResponse", "unauthorized", "connection", "malformed"];
/// Types of errors that fit an answer which did not come.
const NO_ANSWER: &[&str] = &["connection"];

/// One way to answer.
struct Case {
    what: &'static str,
    answer: fn(&Scene<'_>),
    /// Valid, or invalid for one of these reasons.
    wanted: Result<(), &'static [&'static str]>,
}

/// What an answer is made of.
struct Scene<'s> {
    responder: &'s Responder,
    /// Another server, which nobody should be led to, and its port.
    elsewhere: &'s Responder,
    other_port: u16,
    own_port: u16,
    name: &'s str,
    path: String,
    authorization: String,
}

impl Scene<'_> {
    fn set(&self, behaviour: Behaviour) {
        self.responder.set(&self.path, behaviour);
    }

    fn text(&self, behind: &str) {
        self.set(Behaviour::Text(format!("{}{behind}", self.authorization)));
    }
}

const CASES: &[Case] = &[
    Case { what: "right", answer: |scene| scene.text(""), wanted: Ok(()) },
    Case { what: "right, with a line end", answer: |scene| scene.text("\n"), wanted: Ok(()) },
    // RFC 8555 §8.3: "The server SHOULD ignore whitespace characters at the end of the body."
    Case { what: "right, with white space behind", answer: |scene| scene.text(" \t\r\n\r\n "), wanted: Ok(()) },
    // RFC 8555 §8.3: "The server SHOULD follow redirects when dereferencing the URL."
    Case {
        what: "right, behind redirects",
        answer: |scene| {
            let hop = |number: usize| format!("{}-hop-{number}", scene.path);
            scene.set(Behaviour::Redirect(hop(1)));
            let absolute = format!("http://{}:{}{}", scene.name, scene.own_port, hop(2));
            scene.responder.set(&hop(1), Behaviour::Redirect(absolute));
            scene.responder.set(&hop(2), Behaviour::Redirect(hop(3)));
            scene.responder.set(&hop(3), Behaviour::Text(scene.authorization.clone()));
        },
        wanted: Ok(()),
    },
    Case {
        what: "with white space before",
        answer: |scene| scene.set(Behaviour::Text(format!(" {}", scene.authorization))),
        wanted: Err(BAD_ANSWER),
    },
    Case {
        what: "wrong",
        answer: |scene| scene.set(Behaviour::Text("this is no key authorization".into())),
        wanted: Err(BAD_ANSWER),
    },
    Case {
        what: "the token with another thumbprint",
        answer: |scene| {
            let token = scene.authorization.split('.').next().unwrap_or_default();
            scene.set(Behaviour::Text(format!("{token}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
        },
        wanted: Err(BAD_ANSWER),
    },
    Case { what: "the key authorization and more", answer: |scene| scene.text("more"), wanted: Err(BAD_ANSWER) },
    Case { what: "empty", answer: |scene| scene.set(Behaviour::Text(String::new())), wanted: Err(BAD_ANSWER) },
    Case { what: "404", answer: |_| {}, wanted: Err(BAD_ANSWER) },
    Case {
        what: "a redirect in a circle",
        answer: |scene| scene.set(Behaviour::Redirect(scene.path.clone())),
        wanted: Err(BAD_ANSWER),
    },
    Case {
        what: "a redirect to another port",
        answer: |scene| {
            scene.elsewhere.set(&scene.path, Behaviour::Text(scene.authorization.clone()));
            scene.set(Behaviour::Redirect(format!("http://{}:{}{}", scene.name, scene.other_port, scene.path)));
        },
        wanted: Err(BAD_ANSWER),
    },
    Case {
        what: "a redirect to another scheme",
        answer: |scene| scene.set(Behaviour::Redirect(format!("ftp://{}{}", scene.name, scene.path))),
        wanted: Err(BAD_ANSWER),
    },
    Case {
        what: "10 MB",
        answer: |scene| scene.set(Behaviour::Long(scene.authorization.clone(), HUGE)),
        wanted: Err(BAD_ANSWER),
    },
    Case { what: "silence", answer: |scene| scene.set(Behaviour::Silence), wanted: Err(NO_ANSWER) },
];

/// A case that was started.
struct Started {
    case: &'static Case,
    authorization: Place,
    path: String,
    name: String,
}

pub(super) fn is_judged(session: &mut Session<'_>) -> Verdict {
    let responder = session.responder()?;
    let (elsewhere, other_port) = Responder::elsewhere()?;
    let account = session.account()?;
    let mut open = Vec::new();
    for case in CASES {
        let started = start(session, &account, case, (&responder, &elsewhere, other_port));
        open.push(started.map_err(|stop| stop.about(case.what))?);
    }
    // All of them at once: the slow ones take no longer together than one of them.
    let mut waited = Duration::ZERO;
    while !open.is_empty() {
        let mut still = Vec::new();
        for started in open {
            let authorization: Authorization = session.read(&account, &started.authorization)?;
            if authorization.status == Status::Pending {
                still.push(started);
            } else {
                judge(&started, &authorization, &responder)?;
            }
        }
        open = still;
        let is_late = waited >= PATIENCE;
        require(open.is_empty() || !is_late, || {
            let names: Vec<&str> = open.iter().map(|started| started.case.what).collect();
            format!("pending after {} s: {}", PATIENCE.as_secs(), names.join("; "))
        })?;
        session.wait(PAUSE);
        waited += PAUSE;
    }
    let led = elsewhere.requests();
    require(led == 0, || format!("{led} requests to a port that is not the one of http-01"))?;
    Ok(format!("{} answers judged", CASES.len()))
}

fn start(
    session: &mut Session<'_>,
    account: &Account,
    case: &'static Case,
    (responder, elsewhere, other_port): (&Arc<Responder>, &Arc<Responder>, u16),
) -> Result<Started, Stop> {
    let own_port = session.target.http01_port.unwrap_or(80);
    let names = session.new_names(1)?;
    let placed = session.order(account, &names)?;
    let place = placed.authorizations().remove(0);
    let (challenge, token) = session.challenge(account, &place)?;
    let name = names.concat();
    let authorization = account.key.authorize(&token);
    let path = path_of(&token);
    (case.answer)(&Scene { responder, elsewhere, other_port, own_port, name: &name, path: path.clone(), authorization });
    session.respond(account, &challenge)?;
    Ok(Started { case, authorization: place, path, name })
}

/// Whether it ended as it should, and how it was asked for.
fn judge(started: &Started, authorization: &Authorization, responder: &Responder) -> Result<(), Stop> {
    let Case { what, wanted, .. } = started.case;
    let challenge = authorization.http01()?;
    let error = challenge.error.as_ref().and_then(|error| error.get("type")).and_then(Value::as_str).unwrap_or_default();
    let kind = error.strip_prefix(ERROR_SPACE).unwrap_or(error);
    match wanted {
        Ok(()) => require(authorization.status == Status::Valid, || {
            format!("{what}: {:?} {:?}", authorization.status, challenge.error)
        })?,
        Err(kinds) => {
            require(authorization.status == Status::Invalid, || format!("{what}: {:?}", authorization.status))?;
            require(kinds.contains(&kind), || format!("{what}: {error:?}, not one of {kinds:?}"))?;
        }
    }
    let seen = responder.seen(&started.path);
    require(!seen.is_empty(), || format!("{what}: nobody asked for {}", started.path))?;
    require(seen.len() <= LOOP_LIMIT, || format!("{what}: asked {} times", seen.len()))?;
    // RFC 8555 §8.3: "the domain field is set to the domain name being verified"; it is the host of the URL, and so the Host field.
    let is_host = |host: &str| host.split(':').next() == Some(started.name.as_str());
    require(seen.iter().all(|one| is_host(&one.host)), || format!("{what}: Host {:?}, not {}", seen.last(), started.name))
}
