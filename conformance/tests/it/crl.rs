//! The suite of CRLs against a publisher in the same process: good, and broken one way at a time.

use certgate_conformance::{
    clause::{Clause, Reading, Suite},
    crl::Session,
    key::KeyKind,
    pem,
    run::{Check, check_of},
    session,
    target::Target,
    transport::{
        Transport,
        mutation::{Mutating, Mutation},
    },
    verdict::{Stop, Verdict},
};
use der::Encode;
use server::{Fault, Server};
use tempfile::TempDir;
use wired::Wired;

mod lists;
mod publisher;
mod server;
mod wired;

pub(crate) use server::plain_additions;

const TARGET: &str = r#"
name = "in process"
ca_file = "ROOT"
[est]
url = "https://localhost/.well-known/est"
user = "device"
password = "secret of the device"
short_url = "https://localhost/.well-known/est/short"
[crl]
url = "http://localhost/crl/default.crl"
issuer_file = "ISSUER"
sharded_est_url = "https://localhost/.well-known/est/sharded"
[hooks]
add_user = ["add_user", "{name}", "{endpoint}"]
revoke = ["revoke", "{serial}", "{reason}"]
hold = ["hold", "{serial}"]
release = ["release", "{serial}"]
restart = ["restart"]
set_time = ["set_time", "{time}"]
"#;

/// A target for a server, and the directory that holds its files.
fn target(server: &Server) -> (Target, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut text = TARGET.to_owned();
    for (name, authority) in [("ROOT", &server.est.root), ("ISSUER", &server.est.issuing)] {
        let path = directory.path().join(name);
        std::fs::write(&path, pem::encode(&authority.certificate.to_der().expect("DER"))).expect("written");
        text = text.replace(name, &path.display().to_string());
    }
    (toml::from_str(&text).expect("a target"), directory)
}

/// What the check of a clause finds.
fn attempt(clause: &Clause, target: &Target, transport: &mut dyn Transport) -> Verdict {
    let Some(Check::Crl(check)) = check_of(Suite::Crl, &clause.id) else { panic!("{} has no check", clause.id) };
    let mut session = Session::new(target, transport, (Reading::Compatible, KeyKind::P256)).expect("a session");
    let verdict = check(&mut session);
    verdict.and_then(|detail| session.assert_alive().map(|()| detail))
}

fn clauses() -> Vec<Clause> {
    Suite::Crl.clauses().expect("clauses")
}

/// The clauses, C21 first: programs go by the real time, which the time here runs ahead of.
fn in_time() -> Vec<Clause> {
    let mut all = clauses();
    all.sort_by_key(|clause| clause.id != "C21");
    all
}

/// What a check may leave untried here: no list stays without entries, and the first has no distribution point.
const PARTLY_TRIED: [&str; 2] = ["C06", "C13"];

#[test]
fn a_good_publisher_passes() {
    let mut server = Server::new(None);
    let (target, _directory) = target(&server);
    for clause in in_time() {
        let detail = attempt(&clause, &target, &mut server).unwrap_or_else(|stop| panic!("{}: {stop:?}", clause.id));
        let is_whole = !detail.contains("not tried") || detail.contains("is not installed");
        assert!(is_whole || PARTLY_TRIED.contains(&clause.id.as_str()), "{}: {detail}", clause.id);
    }
}

#[test]
fn every_mutation_is_noticed() {
    let mut server = Server::new(None);
    let (target, _directory) = target(&server);
    for clause in clauses() {
        let mutation: Mutation = clause.mutation.parse().expect("a mutation");
        let mut transport = Mutating::new(&mut server, mutation);
        let verdict = attempt(&clause, &target, &mut transport);
        assert!(transport.applied > 0, "{}: {verdict:?}", clause.id);
        let needs_programs = clause.id == "C21" && matches!(&verdict, Err(Stop::Skip(_)));
        assert!(needs_programs || matches!(verdict, Err(Stop::Fail(_))), "{}: {verdict:?}", clause.id);
    }
}

#[test]
fn a_publisher_without_deltas_and_shards_is_tried_as_far_as_it_goes() {
    let mut server = Server::plain();
    let (mut target, _directory) = target(&server);
    target.crl.as_mut().expect("crl").sharded_est_url = None;
    for clause in in_time() {
        let verdict = attempt(&clause, &target, &mut server);
        let is_skipped = ["C13", "C14"].contains(&clause.id.as_str());
        let is_right = if is_skipped { matches!(verdict, Err(Stop::Skip(_))) } else { verdict.is_ok() };
        assert!(is_right, "{}: {verdict:?}", clause.id);
    }
}

#[test]
fn a_publisher_with_one_fault_fails_where_it_should() {
    for (fault, wanted) in [
        (Fault::KeepsReleased, ["C15"].as_slice()),
        (Fault::DropsExpired, &["C16"]),
        (Fault::NumbersRestart, &["C09"]),
        (Fault::LosesHalf, &["C09", "C10", "C17", "C22"]),
        (Fault::ServesStale, &["C05"]),
        (Fault::WritesUnspecified, &["C10"]),
        (Fault::AnswersAnyTag, &["C19"]),
    ] {
        let mut server = Server::new(Some(fault));
        let (target, _directory) = target(&server);
        for clause in clauses().iter().filter(|clause| wanted.contains(&clause.id.as_str())) {
            let verdict = attempt(clause, &target, &mut server);
            assert!(matches!(verdict, Err(Stop::Fail(_))), "{fault:?}: {}: {verdict:?}", clause.id);
        }
    }
}

/// What X13 finds.
fn attempt_x13(target: &Target, transport: &mut dyn Transport) -> Verdict {
    let Some(Check::Est(check)) = check_of(Suite::X509, "X13") else { panic!("X13 has no check") };
    check(&mut session::Session::new(target, transport, (Reading::Compatible, KeyKind::P256)).expect("a session"))
}

#[test]
fn certificates_tell_where_their_status_is() {
    let mut server = Server::new(None);
    let (target, _directory) = target(&server);
    attempt_x13(&target, &mut server).expect("told");
    let all = Suite::X509.clauses().expect("clauses");
    let clause = all.into_iter().find(|clause| clause.id == "X13").expect("X13");
    for mutation in [clause.mutation.as_str(), "ca-issuers 200 header content-type text/plain"] {
        let mut transport = Mutating::new(&mut server, mutation.parse().expect("a mutation"));
        assert!(matches!(attempt_x13(&target, &mut transport), Err(Stop::Fail(_))), "{mutation}");
    }
    assert!(matches!(attempt_x13(&target, &mut Server::new(None).est_alone()), Err(Stop::Fail(_))), "told nowhere");
}

#[test]
fn lists_are_fetched_over_sockets() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (server, origin) = wired::listen();
    let (mut target, _directory) = target(&server.lock().expect("not poisoned"));
    target.connect = Some("127.0.0.1".into());
    target.crl.as_mut().expect("crl").url = format!("{origin}/crl/default.crl");
    for clause in in_time() {
        let verdict = attempt(&clause, &target, &mut Wired::new(&target, &server));
        assert!(verdict.is_ok(), "{}: {verdict:?}", clause.id);
    }
}
