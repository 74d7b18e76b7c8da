//! The suite against a server in the same process: good, and broken one way at a time.

#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use certgate_conformance::{
    clause::{Reading, SUITES, State, Suite},
    key::KeyKind,
    report::{ClauseReport, Outcome, Report},
    run::{Plan, check_of, run},
    target::Target,
    transport::mutation::Mutation,
};
use clap::ValueEnum;
use server::{Fault, Server};

mod acme;
mod authority;
mod crl;
mod ocsp;
mod server;
mod sockets;

/// What the server in this process serves: SCEP is tried on the real gateway.
const SERVED: [Suite; 2] = [Suite::Est, Suite::X509];

const TARGET: &str = r#"
name = "in process"
ca_file = "none.pem"
[est]
url = "https://localhost/.well-known/est"
user = "device"
password = "secret of the device"
label = "default"
manual_url = "https://localhost/.well-known/est/manual"
short_url = "https://localhost/.well-known/est/short"
demanding_url = "https://localhost/.well-known/est/demanding"
demands = ["1.3.132.0.34"]
[hooks]
add_user = ["add_user", "{name}", "{endpoint}"]
approve = ["approve", "{csr_sha256}"]
deny = ["deny", "{csr_sha256}"]
revoke = ["revoke", "{serial}", "{reason}"]
hold = ["hold", "{serial}"]
release = ["release", "{serial}"]
set_time = ["set_time", "{time}"]
"#;

/// Every clause of a suite, devices having P-256 keys.
fn plan(suite: Suite, reading: Reading) -> Plan {
    Plan { suite, clauses: Vec::new(), reading, device_key: KeyKind::P256, prove_mutations: false }
}

fn report(plan: &Plan, server: &mut Server) -> Report {
    let target: Target = toml::from_str(TARGET).expect("a target");
    run(plan, &target, server).expect("a report")
}

/// Was a clause skipped for want of a linter?
fn needs_linter(found: &ClauseReport) -> bool {
    found.result == Outcome::Skipped && found.detail.contains("is installed")
}

fn failures(report: &Report) -> Vec<String> {
    let failed = report.clauses.iter().filter(|clause| clause.result == Outcome::Fail);
    failed.map(|clause| format!("{}: {}", clause.id, clause.detail)).collect()
}

#[test]
fn a_good_server_passes_in_both_readings() {
    for suite in SERVED {
        for reading in [Reading::Compatible, Reading::Strict] {
            let report = report(&plan(suite, reading), &mut Server::new(reading));
            assert_eq!(failures(&report), Vec::<String>::new());
            let clauses = suite.clauses().expect("clauses");
            for (clause, found) in clauses.iter().zip(&report.clauses).filter(|(clause, _)| clause.state == State::Pass) {
                assert!(found.result == Outcome::Pass || needs_linter(found), "{}: {}", clause.id, found.detail);
                assert!(!found.detail.contains("not tried"), "{}: {}", clause.id, found.detail);
            }
        }
    }
}

#[test]
fn every_mutation_is_noticed() {
    for suite in SERVED {
        let plan = Plan { prove_mutations: true, ..plan(suite, Reading::Compatible) };
        let report = report(&plan, &mut Server::new(Reading::Compatible));
        assert_eq!(failures(&report), Vec::<String>::new());
    }
}

#[test]
fn a_server_that_reads_otherwise_than_asked_fails() {
    let report = report(&plan(Suite::Est, Reading::Strict), &mut Server::new(Reading::Compatible));
    let failed: Vec<String> = failures(&report).iter().map(|failure| failure[..3].to_owned()).collect();
    assert_eq!(failed, ["E19", "E22", "E28"]);
}

#[test]
fn a_target_without_hooks_is_tried_as_far_as_it_goes() {
    let (target, _) = TARGET.split_once("manual_url").expect("more");
    let target: Target = toml::from_str(target).expect("a target");
    let report = run(&plan(Suite::Est, Reading::Compatible), &target, &mut Server::new(Reading::Compatible)).expect("a report");
    assert_eq!(failures(&report), Vec::<String>::new());
    let found = |id: &str| report.clauses.iter().find(|clause| clause.id == id).expect("a clause");
    for id in ["E24", "E25", "E35"] {
        assert_eq!(found(id).result, Outcome::Skipped, "{id}: {}", found(id).detail);
    }
    for id in ["E14", "E28", "E30"] {
        assert_eq!(found(id).result, Outcome::Pass, "{id}: {}", found(id).detail);
        assert!(found(id).detail.contains("not tried"), "{id}: {}", found(id).detail);
    }
}

#[test]
fn devices_may_have_keys_of_every_kind() {
    for kind in KeyKind::value_variants() {
        let clauses = ["E16", "E17", "E26", "E27", "E32"].map(String::from).to_vec();
        let plan = Plan { clauses, device_key: *kind, ..plan(Suite::Est, Reading::Compatible) };
        let report = report(&plan, &mut Server::new(Reading::Compatible));
        assert_eq!(failures(&report), Vec::<String>::new(), "{kind:?}");
    }
}

/// What fails of a suite when the server has this fault.
fn fails(suite: Suite, fault: Fault) -> Vec<String> {
    let report = report(&plan(suite, Reading::Compatible), &mut Server::broken(fault));
    failures(&report)
}

#[test]
fn a_server_with_one_fault_fails_where_it_should() {
    for (fault, wanted) in [
        (Fault::TakesUnsigned, ["E17", "E23"].as_slice()),
        (Fault::TrustsAnyCertificate, &["E14", "E30"]),
        (Fault::ForgetsRevocation, &["E14", "E30"]),
        (Fault::IgnoresNames, &["E28"]),
        (Fault::IgnoresChange, &["E29"]),
        (Fault::IgnoresBinding, &["E31"]),
        (Fault::IssuesTwice, &["E25"]),
        (Fault::TellsBoundApart, &["E25"]),
    ] {
        let failed = fails(Suite::Est, fault);
        let ids: Vec<&str> = failed.iter().map(|failure| &failure[..3]).collect();
        assert_eq!(ids, wanted, "{fault:?}: {failed:?}");
    }
}

#[test]
fn a_server_that_signs_whatever_it_is_asked_fails() {
    let failed = fails(Suite::X509, Fault::CopiesBlindly);
    assert!(failed.iter().any(|failure| failure.starts_with("X16")), "{failed:?}");
}

#[test]
fn clause_data_and_checks_agree() {
    let milestones: toml::Table = toml::from_str(include_str!("../../../docs/milestones.toml")).expect("milestones");
    let milestones: Vec<&str> =
        milestones["milestone"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    for suite in SUITES {
        let clauses = suite.clauses().expect("clauses");
        let (letter, count) = match suite {
            Suite::Est => ('E', 44),
            Suite::Scep => ('S', 40),
            Suite::Acme => ('A', 68),
            Suite::Ocsp => ('O', 40),
            Suite::Crl => ('C', 22),
            _ => ('X', 17),
        };
        let wanted: Vec<String> = (1..=count).map(|number| format!("{letter}{number:02}")).collect();
        assert_eq!(clauses.iter().map(|clause| clause.id.clone()).collect::<Vec<_>>(), wanted);
        for (index, clause) in clauses.iter().enumerate() {
            let id = &clause.id;
            assert!(clauses.iter().skip(index + 1).all(|other| other.id != *id), "{id} twice");
            clause.mutation.parse::<Mutation>().expect(id);
            assert!(clause.rfc.starts_with("RFC "), "{id}");
            assert_eq!(clause.compatible.is_some(), clause.reading.is_some(), "{id}");
            let is_implemented = check_of(suite, id).is_some();
            match clause.state {
                State::Open => {
                    assert!(!is_implemented, "{id} is implemented: what keeps it open?");
                    let milestone = clause.milestone.as_deref().expect(id);
                    assert!(milestones.contains(&milestone) && milestone != "slice", "{id}: {milestone}");
                }
                State::Pass => assert!(is_implemented && clause.milestone.is_none() && clause.reason.is_none(), "{id}"),
                State::Divergence => assert!(clause.reason.is_some(), "{id}"),
            }
        }
    }
}

#[test]
fn devices_of_scep_have_rsa_keys() {
    let target: Target = toml::from_str(TARGET).expect("a target");
    let refused = run(&plan(Suite::Scep, Reading::Compatible), &target, &mut Server::new(Reading::Compatible));
    assert!(refused.expect_err("P-256").to_string().contains("RSA"));
    assert_eq!(Suite::Scep.usual_key(), KeyKind::Rsa2048);
}
