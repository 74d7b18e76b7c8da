//! The ACME suite against a server in the same process: good, and broken one way at a time.

use std::net::{Ipv4Addr, TcpListener};

use certgate_conformance::{
    clause::{Reading, State, Suite},
    key::KeyKind,
    report::{Outcome, Report},
    run::{Plan, run},
    target::Target,
};
use server::{Fault, Server};

use crate::{failures, plan};

mod issuance;
mod jose;
mod resources;
mod server;
mod validation;

/// A port that is free, for the responder.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

fn report(plan: &Plan, fault: Option<Fault>) -> Report {
    let port = free_port();
    let target = format!(
        r#"
name = "in process"
ca_file = "none.pem"
[acme]
directory = "https://localhost/acme/default/directory"
manual_directory = "https://localhost/acme/manual/directory"
http01_port = {port}
[hooks]
approve = ["approve", "{{csr_sha256}}"]
deny = ["deny", "{{csr_sha256}}"]
"#
    );
    let target: Target = toml::from_str(&target).expect("a target");
    run(plan, &target, &mut Server::new(port, fault)).expect("a report")
}

#[test]
fn a_good_server_passes() {
    let report = report(&plan(Suite::Acme, Reading::Compatible), None);
    assert_eq!(failures(&report), Vec::<String>::new());
    let clauses = Suite::Acme.clauses().expect("clauses");
    for (clause, found) in clauses.iter().zip(&report.clauses).filter(|(clause, _)| clause.state == State::Pass) {
        assert!(found.result == Outcome::Pass && !found.detail.contains("not tried"), "{}: {}", clause.id, found.detail);
    }
}

#[test]
fn every_mutation_is_noticed() {
    let plan = Plan { prove_mutations: true, ..plan(Suite::Acme, Reading::Compatible) };
    assert_eq!(failures(&report(&plan, None)), Vec::<String>::new());
}

#[test]
fn a_csr_may_have_keys_of_several_kinds() {
    for device_key in [KeyKind::P384, KeyKind::Rsa2048, KeyKind::Ed25519] {
        let clauses = ["A49", "A50", "A51", "A52"].map(String::from).to_vec();
        let plan = Plan { clauses, device_key, ..plan(Suite::Acme, Reading::Compatible) };
        assert_eq!(failures(&report(&plan, None)), Vec::<String>::new(), "{device_key:?}");
    }
}

/// The clauses, without those that wait for a responder that is slow on purpose, unless they are `wanted`.
fn all_but_slow(wanted: &[&str]) -> Vec<String> {
    let clauses = Suite::Acme.clauses().expect("clauses").into_iter().map(|clause| clause.id);
    clauses.filter(|id| !["A40", "A44"].contains(&id.as_str()) || wanted.contains(&id.as_str())).collect()
}

#[test]
fn a_server_with_one_fault_fails_where_it_should() {
    for (fault, wanted) in [
        (Fault::TakesUsedNonces, ["A05"].as_slice()),
        (Fault::TakesAnyUrl, &["A07"]),
        (Fault::TakesPadding, &["A06", "A16"]),
        (Fault::ShowsToStrangers, &["A19", "A37"]),
        (Fault::IgnoresNames, &["A49"]),
        (Fault::FollowsAnywhere, &["A40"]),
    ] {
        let plan = Plan { clauses: all_but_slow(wanted), ..plan(Suite::Acme, Reading::Compatible) };
        let failed = failures(&report(&plan, Some(fault)));
        let ids: Vec<&str> = failed.iter().map(|failure| &failure[..3]).collect();
        assert_eq!(ids, wanted, "{fault:?}: {failed:?}");
    }
}
