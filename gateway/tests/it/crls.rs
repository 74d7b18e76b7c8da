//! CRLs of a gateway that runs: published before it is ready, changed by a revocation, kept over a restart.

use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Gateway, get};

/// The embedded authorities, with shards and deltas.
const SHARDED: &str = r#"
[[authority]]
name = "root"
subject = "CN=Root"

[[authority]]
name = "default"
subject = "CN=Issuing"
issuer = "root"
public_url = "http://old.example"
crl = { shards = 2, delta = "1h" }
"#;

fn items(gateway: &Gateway, arguments: &[&str]) -> Vec<Value> {
    let (code, list) = gateway.admin(arguments);
    assert_eq!(code, 0, "{list}");
    list["items"].as_array().unwrap().clone()
}

fn served(gateway: &Gateway, path: &str) -> (u16, String) {
    get(gateway.run_json()["http"][0].as_str().unwrap(), path)
}

#[test]
fn lists_are_there_when_the_gateway_is_ready_and_follow_a_revocation() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&directory.path().join("d"));
    let shown = items(&gateway, &["crl", "show"]);
    let names: Vec<&str> = shown.iter().map(|item| item["authority"].as_str().unwrap()).collect();
    assert_eq!(names, ["root", "default"]);
    let http = gateway.run_json()["http"][0].as_str().unwrap().to_owned();
    for item in &shown {
        let path = format!("/crl/{}.crl", item["authority"].as_str().unwrap());
        assert_eq!((&item["shard"], &item["delta"], &item["number"]), (&json!(0), &json!(false), &json!(1)));
        assert_eq!((&item["entries"], &item["url"]), (&json!(0), &json!(format!("http://{http}{path}"))));
        let (status, answer) = served(&gateway, &path);
        assert_eq!(status, 200);
        assert!(answer.contains("content-type: application/pkix-crl") && answer.contains("etag: "), "{answer}");
        assert!(gateway.data_dir.join(&path[1..]).exists());
    }
    assert_eq!(served(&gateway, "/crl/other.crl").0, 404);

    let serial = items(&gateway, &["cert", "list"])[0]["serial"].as_str().unwrap().to_owned();
    assert_eq!(gateway.admin(&["cert", "revoke", &serial]).0, 0);
    let deadline = 200;
    let follows = || items(&gateway, &["crl", "show", "default"])[0]["entries"] == 1;
    assert!((0..deadline).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        follows()
    }));
    // The operator has one made, and sees it.
    let built = items(&gateway, &["crl", "build", "default", "--full"]);
    assert_eq!((built.len(), &built[0]["number"], &built[0]["entries"]), (1, &json!(3), &json!(1)));
    assert_eq!(built, items(&gateway, &["crl", "show", "default"]));
    assert_eq!(items(&gateway, &["crl", "build"]).len(), 2);
    assert_eq!(gateway.admin(&["crl", "build", "--delta"]).1["error"]["code"], "refused");
    assert_eq!(gateway.admin(&["crl", "build", "other"]).0, 3);
    assert_eq!(gateway.admin(&["crl", "show", "other"]).0, 3);
    assert_eq!(gateway.admin(&["crl", "build", "--full", "--delta"]).0, 2);
    let audit = gateway.admin(&["audit", "verify"]).1;
    assert_eq!(audit["ok"], true);
}

#[test]
fn shards_and_deltas_stay_where_certificates_name_them() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_with(&directory.path().join("d"), SHARDED);
    let (data_dir, shown) = (gateway.data_dir.clone(), items(&gateway, &["crl", "show", "default"]));
    let paths = ["", "/delta", "/1", "/1/delta", "/2", "/2/delta"];
    let urls: Vec<String> = paths.iter().map(|path| format!("http://old.example/crl/default{path}.crl")).collect();
    assert_eq!(shown.iter().map(|item| item["url"].as_str().unwrap()).collect::<Vec<_>>(), urls);
    for path in paths {
        assert_eq!(served(&gateway, &format!("/crl/default{path}.crl")).0, 200, "{path}");
    }
    let built = items(&gateway, &["crl", "build", "--delta"]);
    assert_eq!(built.len(), 3, "of those that make deltas");
    assert!(built.iter().all(|item| item["delta"] == true && item["number"] == 2), "{built:?}");
    assert_eq!(gateway.admin(&["crl", "build", "root", "--delta"]).0, 4);
    assert_eq!(gateway.stop(), Some(0));

    // Neither shards nor deltas any more, and another URL: certificates that are there name the old ones.
    let changed = SHARDED.replace("crl = { shards = 2, delta = \"1h\" }", "").replace("old.example", "new.example");
    std::fs::write(data_dir.join("certgate.toml"), changed).unwrap();
    let gateway = Gateway::start(&data_dir);
    let follows = || {
        let shown = items(&gateway, &["crl", "show", "default"]);
        shown.iter().map(|item| item["number"].as_u64().unwrap()).collect::<Vec<_>>() == [3, 3, 3]
    };
    assert!((0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        follows()
    }));
    for shard in [1, 2] {
        let der = std::fs::read(data_dir.join(format!("crl/default/{shard}.crl"))).unwrap();
        let text = String::from_utf8_lossy(&der).into_owned();
        let urls = ["new", "old"].map(|host| format!("http://{host}.example/crl/default/{shard}.crl"));
        assert!(text.find(&urls[0]).unwrap() < text.find(&urls[1]).unwrap(), "the present one first");
        assert!(!text.contains("delta.crl"));
    }
    assert_eq!(served(&gateway, "/crl/default/1/delta.crl").0, 404);
}
