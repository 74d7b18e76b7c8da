//! Many certificates are revoked while the gateway goes on issuing.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use certgate_pki::SigningKey;
use certgate_testkit::{CsrBuilder, ca_key, device_key};
use hyper::StatusCode;
use serde_json::Value;

use crate::approval::enroll;
use crate::process::{Gateway, run};

/// Passes on what comes to a socket until `is_over`; before an answer goes back, `meanwhile` happens.
fn relay(listener: &UnixListener, to: &Path, is_over: &AtomicBool, mut meanwhile: impl FnMut()) {
    loop {
        let (mut client, _) = listener.accept().unwrap();
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let mut gateway = UnixStream::connect(to).unwrap();
        let (mut asked, mut passed) = (client.try_clone().unwrap(), gateway.try_clone().unwrap());
        let questions = thread::spawn(move || {
            let _ = std::io::copy(&mut asked, &mut passed);
            passed.shutdown(Shutdown::Write)
        });
        let (mut octets, mut is_begun) = (vec![0; 65_536], false);
        loop {
            let length = gateway.read(&mut octets).unwrap_or(0);
            if length == 0 {
                break;
            }
            if !std::mem::replace(&mut is_begun, true) {
                meanwhile();
            }
            client.write_all(&octets[..length]).unwrap();
        }
        // Whichever side has gone first.
        let _ = client.shutdown(Shutdown::Both);
        let _ = questions.join().unwrap();
    }
}

/// A certificate for pump-7.
fn issue(gateway: &Gateway, password: &str, key: &Arc<dyn SigningKey>) {
    let csr = CsrBuilder::new(key).common_name("pump-7").sign();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(enroll(gateway, &[("pump-7", password)], &csr)), [StatusCode::OK]);
}

/// Revokes all of pump-7 while things happen; the exit code, and what was said.
fn revoke_while(gateway: &Gateway, folder: &Path, meanwhile: impl FnMut() + Send) -> (Option<i32>, Value) {
    let (path, own) = (folder.join("relay.sock"), gateway.data_dir.join("certgate.sock"));
    let (listener, is_over) = (UnixListener::bind(&path).unwrap(), AtomicBool::new(false));
    let output = thread::scope(|scope| {
        scope.spawn(|| relay(&listener, &own, &is_over, meanwhile));
        let socket = path.to_str().unwrap();
        let arguments = ["--output", "json", "--socket", socket, "cert", "revoke", "--requester", "pump-7"];
        let output = run(&gateway.data_dir, &arguments);
        is_over.store(true, Ordering::SeqCst);
        UnixStream::connect(&path).unwrap();
        output
    });
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// A gateway with a user pump-7, and the password.
fn start(folder: &Path) -> (Gateway, String) {
    let gateway = Gateway::start(&folder.join("d"));
    let (_, added) = gateway.admin(&["est", "user", "add", "pump-7", "--allow", "cn:pump-7"]);
    (gateway, added["password"].as_str().unwrap().to_owned())
}

#[test]
fn what_is_issued_while_many_are_revoked_is_revoked_too() {
    let directory = tempfile::tempdir().unwrap();
    let (gateway, password) = start(directory.path());
    issue(&gateway, &password, &device_key());
    let counts = |arguments: &[&str]| {
        let (code, said) = gateway.admin(&[&["cert", "revoke", "--requester", "pump-7"], arguments].concat());
        (code, ["matched", "revoked", "already_revoked"].map(|key| said[key].as_u64().unwrap()))
    };
    assert_eq!(counts(&["--dry-run"]), (0, [1, 1, 0]), "once");
    let mut is_first = true;
    let (code, said) = revoke_while(&gateway, directory.path(), || {
        if std::mem::replace(&mut is_first, false) {
            issue(&gateway, &password, &ca_key());
        }
    });
    let (_, good) = gateway.admin(&["cert", "list", "--requester", "pump-7", "--status", "valid"]);
    assert_eq!(good["items"], serde_json::json!([]), "the one that came in between, too: {said}");
    assert_eq!((code, &said["matched"], &said["revoked"]), (Some(0), &2.into(), &2.into()), "{said}");
    assert_eq!(said["already_revoked"], 0, "each counts once");
    assert_eq!(counts(&[]), (0, [2, 0, 2]), "repeated");
    assert!(gateway.admin(&["audit", "verify"]).1["ok"].as_bool().unwrap());
}

#[test]
fn who_enrolls_all_the_time_does_not_hold_it_up_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let (gateway, password) = start(directory.path());
    issue(&gateway, &password, &device_key());
    let (code, said) = revoke_while(&gateway, directory.path(), || issue(&gateway, &password, &device_key()));
    assert_eq!((code, &said["matched"], &said["revoked"]), (Some(1), &20.into(), &20.into()), "{said}");
    let (_, good) = gateway.admin(&["cert", "list", "--requester", "pump-7", "--status", "valid"]);
    assert_eq!(good["items"].as_array().unwrap().len(), 1, "the last one");
}
