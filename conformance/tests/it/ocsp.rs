//! The OCSP suite against a responder in the same process: good, and broken one way at a time.

use certgate_conformance::{
    clause::{Reading, State, Suite},
    report::{ClauseReport, Outcome, Report},
    run::{Plan, run},
    target::Target,
    transport::{
        Transport,
        mutation::{Mutating, Mutation},
    },
};
use der::{EncodePem, pem::LineEnding};
use responder::{Fault, Responder};

use crate::{needs_linter, plan};

mod crl;
mod request;
mod responder;
mod response;

/// A target whose issuer is in a file of `directory`.
fn target(responder: &Responder, directory: &tempfile::TempDir) -> Target {
    let path = directory.path().join("issuer.pem");
    std::fs::write(&path, responder.issuing().to_pem(LineEnding::LF).expect("PEM")).expect("written");
    let path = path.display();
    let target = format!(
        r#"
name = "in process"
ca_file = "none.pem"
[est]
url = "https://localhost/.well-known/est"
short_url = "https://localhost/.well-known/est/short"
[ocsp]
url = "http://localhost/ocsp/default"
issuer_file = "{path}"
unissued_revoked_url = "http://localhost/ocsp/unissued"
unissued_revoked_issuer_file = "{path}"
[crl]
url = "http://localhost/crl/default.crl"
issuer_file = "{path}"
[hooks]
add_user = ["add_user", "{{name}}", "{{endpoint}}"]
revoke = ["revoke", "{{serial}}", "{{reason}}"]
hold = ["hold", "{{serial}}"]
release = ["release", "{{serial}}"]
"#
    );
    toml::from_str(&target).expect("a target")
}

fn report(plan: &Plan, mut responder: Responder) -> Report {
    let directory = tempfile::tempdir().expect("a directory");
    let target = target(&responder, &directory);
    run(plan, &target, &mut responder).expect("a report")
}

/// Whether a clause was fulfilled, whatever the ledger says of the gateway.
fn is_fulfilled(found: &ClauseReport) -> bool {
    found.result == Outcome::Pass || found.detail.starts_with("unexpected pass")
}

#[test]
fn a_good_responder_passes_in_both_readings() {
    for reading in [Reading::Compatible, Reading::Strict] {
        for found in report(&plan(Suite::Ocsp, reading), Responder::new(reading, None)).clauses {
            assert!(is_fulfilled(&found) || needs_linter(&found), "{}: {}", found.id, found.detail);
            assert!(!found.detail.contains("not tried"), "{}: {}", found.id, found.detail);
        }
    }
}

#[test]
fn every_mutation_is_noticed() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut responder = Responder::new(Reading::Compatible, None);
    let target = target(&responder, &directory);
    for clause in Suite::Ocsp.clauses().expect("clauses") {
        let mutation: Mutation = clause.mutation.parse().expect("known");
        let mut mutating = Mutating::new(&mut responder as &mut dyn Transport, mutation);
        let plan = Plan { clauses: vec![clause.id.clone()], ..plan(Suite::Ocsp, Reading::Compatible) };
        let report = run(&plan, &target, &mut mutating).expect("a report");
        assert!(mutating.applied > 0, "{}: nothing to change", clause.id);
        let found = &report.clauses[0];
        let wanted = if clause.state == State::Pass { Outcome::Fail } else { Outcome::Excepted };
        assert_eq!(found.result, wanted, "{}: {}", found.id, found.detail);
    }
}

#[test]
fn a_responder_with_one_fault_fails_where_it_should() {
    for (fault, wanted) in [
        (Fault::KnowsEverybody, ["O08", "O13"].as_slice()),
        (Fault::LooksAtNamesOnly, &["O12"]),
        (Fault::AnswersFromMemory, &["O08", "O16", "O17", "O38"]),
        (Fault::ForgetsReasons, &["O17", "O38"]),
        (Fault::RepeatsFirstNonce, &["O20", "O21", "O22"]),
        (Fault::CollapsesSlashes, &["O02"]),
        (Fault::IgnoresCritical, &["O26", "O27"]),
        (Fault::SignsForRoot, &["O05", "O06", "O07"]),
    ] {
        let report = report(&plan(Suite::Ocsp, Reading::Compatible), Responder::new(Reading::Compatible, Some(fault)));
        let failed: Vec<&ClauseReport> =
            report.clauses.iter().filter(|found| !is_fulfilled(found) && !needs_linter(found)).collect();
        let ids: Vec<&str> = failed.iter().map(|found| found.id.as_str()).collect();
        for id in wanted {
            assert!(ids.contains(id), "{fault:?}: {id} passes; {failed:?}");
        }
        let is_whole = fault == Fault::SignsForRoot;
        assert!(is_whole || ids == wanted, "{fault:?}: {failed:#?}");
    }
}

#[test]
fn a_target_without_hooks_is_tried_as_far_as_it_goes() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut responder = Responder::new(Reading::Compatible, None);
    let mut target = target(&responder, &directory);
    target.crl = None;
    target.hooks.revoke = Vec::new();
    target.hooks.hold = Vec::new();
    let report = run(&plan(Suite::Ocsp, Reading::Compatible), &target, &mut responder).expect("a report");
    for found in &report.clauses {
        match found.id.as_str() {
            "O16" | "O17" | "O38" => assert_eq!(found.result, Outcome::Skipped, "{}: {}", found.id, found.detail),
            "O08" => assert!(found.detail.contains("not tried: revoked (the target has no hook revoke)"), "{}", found.detail),
            _ => assert!(is_fulfilled(found) || found.result == Outcome::Skipped, "{}: {}", found.id, found.detail),
        }
    }
}
