//! What a person is shown of requests that wait, and decides.

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use certgate_pki::NameAttributeType;
use certgate_testkit::{CsrBuilder, device_key};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::Value;

use crate::client::connect;
use crate::process::Gateway;

const CONFIG: &str = "[[profile]]\nname = \"default\"\nauthority = \"default\"\napproval = \"manual\"\n";

/// Sends a CSR as each of these users.
pub(crate) async fn enroll(gateway: &Gateway, users: &[(&str, &str)], csr: &[u8]) -> Vec<StatusCode> {
    let (mut sender, connection) = connect(gateway).await;
    let requests = async {
        let mut statuses = Vec::new();
        for (name, password) in users {
            let credentials = Base64::encode_string(format!("{name}:{password}").as_bytes());
            let request = Request::post("https://localhost/.well-known/est/simpleenroll")
                .header("authorization", format!("Basic {credentials}"))
                .body(Full::new(Bytes::from(Base64::encode_string(csr))));
            statuses.push(sender.send_request(request.unwrap()).await.unwrap().status());
        }
        statuses
    };
    tokio::select! {
        statuses = requests => statuses,
        ended = connection => panic!("closed while it was used: {ended:?}"),
    }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_person_sees_what_would_be_issued_and_says_to_whom() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), CONFIG);
    let users: Vec<(&str, String)> = ["pump-7", "thief"]
        .map(|name| {
            let (code, added) = gateway.admin(&["est", "user", "add", name, "--allow", "cn:pump-7"]);
            assert_eq!(code, 0);
            (name, text(&added, "password").to_owned())
        })
        .into();
    let users: Vec<(&str, &str)> = users.iter().map(|(name, password)| (*name, password.as_str())).collect();
    // The organization is none that the profile takes over.
    let csr = CsrBuilder::new(&device_key()).common_name("pump-7").attribute(NameAttributeType::Organization, "Bank").sign();
    assert_eq!(enroll(&gateway, &users, &csr).await, [StatusCode::ACCEPTED, StatusCode::ACCEPTED]);

    let (_, list) = gateway.admin(&["enrollment", "list", "--state", "pending"]);
    let waiting = |principal: &str| {
        let of_principal = |item: &&Value| text(item, "principal") == principal;
        list["items"].as_array().unwrap().iter().find(of_principal).unwrap().clone()
    };
    let (own, stolen) = (waiting("pump-7"), waiting("thief"));
    assert_eq!((text(&own, "subject"), own["would_fail"].is_null()), ("CN=pump-7", true), "as it would be issued");

    let by_csr = format!("csr:{}", text(&own, "csr_sha256"));
    for action in ["show", "approve", "deny"] {
        let (code, refused) = gateway.admin(&["enrollment", action, &by_csr]);
        let message = text(&refused["error"], "message");
        assert!(code == 4 && message.contains(text(&own, "id")) && message.contains(text(&stolen, "id")), "{message}");
    }
    assert_eq!(gateway.admin(&["enrollment", "deny", text(&stolen, "id"), "--reason", "not its key"]).0, 0);
    let (code, issued) = gateway.admin(&["enrollment", "approve", &by_csr]);
    assert_eq!((code, text(&issued, "id"), text(&issued, "state")), (0, text(&own, "id"), "issued"));
    assert_eq!(enroll(&gateway, &users, &csr).await, [StatusCode::OK, StatusCode::FORBIDDEN]);
    let (code, decided) = gateway.admin(&["enrollment", "approve", text(&stolen, "id")]);
    assert!(code == 4 && text(&decided["error"], "message").ends_with("it is denied"), "{decided}");
}

/// One whose profile is called otherwise now, or is there no more.
#[tokio::test]
async fn a_request_whose_profile_is_gone_can_be_denied() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("d");
    let gateway = Gateway::start_with(&data_dir, CONFIG);
    let (_, added) = gateway.admin(&["est", "user", "add", "pump-7", "--allow", "cn:pump-7"]);
    let csr = CsrBuilder::new(&device_key()).common_name("pump-7").sign();
    assert_eq!(enroll(&gateway, &[("pump-7", text(&added, "password"))], &csr).await, [StatusCode::ACCEPTED]);
    assert_eq!(gateway.stop(), Some(0));
    let renamed = "[[profile]]\nname = \"pumps\"\nauthority = \"default\"\n\
                   [[endpoint]]\nprotocol = \"est\"\nname = \"default\"\nprofile = \"pumps\"\n";
    std::fs::write(data_dir.join("certgate.toml"), renamed).unwrap();
    let gateway = Gateway::start(&data_dir);
    let (_, list) = gateway.admin(&["enrollment", "list", "--state", "pending"]);
    let id = text(&list["items"][0], "id");
    let (code, refused) = gateway.admin(&["enrollment", "approve", id]);
    assert!(code == 4 && text(&refused["error"], "message").contains("of profile default, which is gone"), "{refused}");
    let (code, denied) = gateway.admin(&["enrollment", "deny", id, "--reason", "pumps ask anew"]);
    assert_eq!((code, text(&denied, "state"), text(&denied, "reason")), (0, "denied", "pumps ask anew"), "{denied}");
    assert_eq!(gateway.admin(&["enrollment", "deny", id]).0, 4, "once");
    assert!(gateway.admin(&["audit", "verify"]).1["ok"].as_bool().unwrap());
}
