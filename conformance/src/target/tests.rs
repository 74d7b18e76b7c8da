use super::{Scheme, Target, Url};
use crate::clause::Suite;

const WHOLE: &str = r#"
name = "any"
ca_file = "ca.pem"
connect = "127.0.0.1"
[est]
url = "https://localhost:8443/.well-known/est"
user = "u"
password = "p"
manual_url = "https://localhost:8443/.well-known/est/manual"
short_url = "https://localhost:8443/.well-known/est/short"
demanding_url = "https://localhost:8443/.well-known/est/demanding"
demands = ["1.3.132.0.34"]
client_cert = "c.pem"
client_key = "k.pem"
[scep]
url = "http://localhost:8080/scep/default"
challenge = "c"
[acme]
directory = "https://localhost:8443/acme/default/directory"
manual_directory = "https://localhost:8443/acme/manual/directory"
domain = "a.example"
dns_port = 8053
eab = { kid = "k", key = "a2V5" }
dns_api = "http://127.0.0.1:8055"
http01_port = 5002
tlsalpn01_port = 5001
[ocsp]
url = "http://localhost:8080/ocsp/default"
issuer_file = "i.pem"
unissued_revoked_url = "http://localhost:8080/ocsp/other"
unissued_revoked_issuer_file = "o.pem"
delay_seconds = 5
[crl]
url = "http://localhost:8080/crl/default.crl"
issuer_file = "i.pem"
sharded_est_url = "https://localhost:8443/.well-known/est/sharded"
[hooks]
add_user = ["add", "{name}", "{endpoint}"]
new_challenge = ["x"]
approve = ["x", "{csr_sha256}"]
deny = ["x", "{csr_sha256}"]
revoke = ["x", "{serial}", "{reason}"]
hold = ["x", "{serial}"]
release = ["x", "{serial}"]
restart = ["x"]
set_time = ["x", "{time}"]
"#;

#[test]
fn every_key_of_the_contract_is_known() {
    let target: Target = toml::from_str(WHOLE).expect("parses");
    assert_eq!(target.est.expect("est").slow_body_seconds, 40);
    assert_eq!(target.crl.expect("crl").delay_seconds, 15);
    assert_eq!(target.hooks.add_user, ["add", "{name}", "{endpoint}"]);
}

#[test]
fn any_other_key_is_refused() {
    for (table, key) in
        [("", "colour = 1\n"), ("[est]\nurl = \"https://h/p\"\n", "colour = 1\n"), ("[hooks]\n", "colour = []\n")]
    {
        let text = format!("name = \"x\"\nca_file = \"y\"\n{table}{key}");
        assert!(toml::from_str::<Target>(&text).is_err(), "{text}");
    }
}

#[test]
fn a_url_comes_apart() {
    let url: Url = "https://localhost:8443/.well-known/est/".parse().expect("good");
    assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("localhost", 8443, "/.well-known/est"));
    assert_eq!(url.authority(), "localhost:8443");
    let url: Url = "https://[::1]/x".parse().expect("good");
    assert_eq!((url.host.as_str(), url.port, url.authority().as_str()), ("::1", 443, "[::1]"));
    let url: Url = "http://h/scep".parse().expect("good");
    assert_eq!((url.scheme, url.port, url.to_string().as_str()), (Scheme::Http, 80, "http://h/scep"));
    for bad in ["ftp://h/p", "https:///p", "https://h:x/p", "h"] {
        assert!(bad.parse::<Url>().is_err(), "{bad}");
    }
}

#[test]
fn a_suite_finds_its_table_or_says_which_is_missing() {
    let target: Target = toml::from_str(WHOLE).expect("parses");
    assert_eq!(target.url(Suite::Acme).expect("there").path, "/acme/default/directory");
    assert_eq!(target.url(Suite::Scep).expect("there").scheme, Scheme::Http);
    let bare: Target = toml::from_str("name = \"x\"\nca_file = \"y\"\n[acme]\ndirectory = \"http://h/d\"\n").expect("parses");
    assert_eq!(bare.url(Suite::Scep).expect_err("none").to_string(), "suite scep: the target has no [scep] table");
    assert!(bare.url(Suite::Acme).expect_err("not so").to_string().ends_with("is no https URL"));
}
