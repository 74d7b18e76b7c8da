//! The suite against a server in the same process: good, and broken one way at a time.

#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

use certgate_conformance::{
    clause::{Reading, SUITES, State, Suite},
    report::{Outcome, Report},
    run::{Plan, check_of, run},
    target::Target,
    transport::mutation::Mutation,
};
use server::Server;

mod authority;
mod server;
mod sockets;

const TARGET: &str = r#"
name = "in process"
ca_file = "none.pem"
[est]
url = "https://localhost/.well-known/est"
user = "device"
password = "secret of the device"
label = "default"
"#;

fn report(suite: Suite, reading: Reading, prove_mutations: bool, server: &mut Server) -> Report {
    let target: Target = toml::from_str(TARGET).expect("a target");
    let plan = Plan { suite, clauses: Vec::new(), reading, prove_mutations };
    run(&plan, &target, server).expect("a report")
}

fn failures(report: &Report) -> Vec<String> {
    let failed = report.clauses.iter().filter(|clause| clause.result == Outcome::Fail);
    failed.map(|clause| format!("{}: {}", clause.id, clause.detail)).collect()
}

#[test]
fn a_good_server_passes_in_both_readings() {
    for suite in SUITES {
        for reading in [Reading::Compatible, Reading::Strict] {
            let report = report(suite, reading, false, &mut Server::new(reading));
            assert_eq!(failures(&report), Vec::<String>::new());
            let passed = report.clauses.iter().filter(|clause| clause.result == Outcome::Pass).count();
            assert_eq!(passed, suite.clauses().expect("clauses").iter().filter(|clause| clause.state == State::Pass).count());
        }
    }
}

#[test]
fn every_mutation_is_noticed() {
    for suite in SUITES {
        let report = report(suite, Reading::Compatible, true, &mut Server::new(Reading::Compatible));
        assert_eq!(failures(&report), Vec::<String>::new());
    }
}

#[test]
fn a_server_that_reads_otherwise_than_asked_fails() {
    let report = report(Suite::Est, Reading::Strict, false, &mut Server::new(Reading::Compatible));
    let failed = failures(&report);
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(failed[0].starts_with("E19") && failed[1].starts_with("E22"), "{failed:?}");
}

#[test]
fn a_server_that_signs_whatever_it_is_asked_fails() {
    let mut server = Server::new(Reading::Compatible);
    server.copies_blindly = true;
    let report = report(Suite::X509, Reading::Compatible, false, &mut server);
    assert!(failures(&report).iter().any(|failure| failure.starts_with("X16")), "{:?}", failures(&report));
}

#[test]
fn a_server_that_does_not_verify_fails() {
    let mut server = Server::new(Reading::Compatible);
    server.verifies = false;
    let report = report(Suite::Est, Reading::Compatible, false, &mut server);
    assert!(failures(&report).iter().any(|failure| failure.starts_with("E17")), "{:?}", failures(&report));
}

#[test]
fn clause_data_and_checks_agree() {
    let milestones: toml::Table = toml::from_str(include_str!("../../../docs/milestones.toml")).expect("milestones");
    let milestones: Vec<&str> =
        milestones["milestone"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    for suite in SUITES {
        let clauses = suite.clauses().expect("clauses");
        let (letter, count) = if suite == Suite::Est { ('E', 44) } else { ('X', 17) };
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
fn suites_to_come_say_so() {
    for suite in [Suite::Scep, Suite::Acme, Suite::Ocsp, Suite::Crl] {
        assert!(suite.clauses().expect_err("later").to_string().contains("come later"));
    }
}
