//! Where a redirect may lead.

use super::*;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::listen::ServerIdentity;

/// Answers `/right`, and redirects everything else.
fn to(status: u16, location: impl Into<String>) -> impl Fn(&str) -> Script + Send + Sync {
    let location = location.into();
    move |path| Script::Reply(if path == "/right" { ok(KEY_AUTHORIZATION) } else { redirect(status, &location) }.into())
}

#[tokio::test]
async fn all_five_kinds_are_followed() {
    for status in [301, 302, 303, 307, 308] {
        let world = World::with(to(status, "/right")).await;
        assert_eq!(world.validate("a.example").await, Ok(()), "{status}");
        assert_eq!(world.requests.all().len(), 2);
    }
}

#[tokio::test]
async fn every_hop_is_looked_up_and_asked_as_what_it_is() {
    let (world, elsewhere) = chain("http://b.example:PORT/right", Second::Plain).await;
    world.zone.set("b.example", dns::Answer::addresses(&["127.0.0.2"]));
    assert_eq!(world.validate("a.example").await, Ok(()));
    assert!(elsewhere.all()[0].to_ascii_lowercase().contains(&format!("host: b.example:{}\r\n", world.port)));
    assert!(world.zone.queries().contains(&"b.example.".to_owned()));
    detail!(chain("http://nx.example:PORT/right", Second::Plain).await.0.validate("a.example").await, Dns);
}

#[tokio::test]
async fn loops_end() {
    let world = World::with(to(302, "/again")).await;
    assert_eq!(detail!(world.validate("a.example").await, IncorrectResponse), "more than 10 redirects");
    assert_eq!(world.requests.all().len(), 11);
}

#[tokio::test]
async fn the_tenth_redirect_is_followed() {
    let script = |path: &str| {
        let hops: u32 = path.trim_start_matches("/hop/").parse().unwrap_or(0);
        Script::Reply(if hops == 10 { ok(KEY_AUTHORIZATION) } else { redirect(302, &format!("/hop/{}", hops + 1)) }.into())
    };
    assert_eq!(World::with(script).await.validate("a.example").await, Ok(()));
}

#[tokio::test]
async fn odd_ports_other_schemes_and_user_information_are_incorrect() {
    for (location, said) in [
        ("http://a.example:6379/", "redirects to port 6379"),
        ("ftp://a.example/", "redirects to a URL of scheme ftp"),
        ("gopher://a.example:80/", "redirects to a URL of scheme gopher"),
        ("http://user:secret@a.example/", "redirects to a URL with user information"),
        ("http://a.example:0/", "redirects to port 0"),
    ] {
        let world = World::with(to(302, location)).await;
        let detail = detail!(world.validate("a.example").await, IncorrectResponse);
        assert_eq!(detail, format!("a.example:{} {said}", world.port));
        assert_eq!(world.requests.all().len(), 1);
    }
    let world = World::answering("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    assert!(detail!(world.validate("a.example").await, IncorrectResponse).ends_with("without a URL in Location"));
}

#[tokio::test]
async fn denied_addresses_are_not_redirected_to() {
    for location in [
        "http://127.0.0.2:PORT/right",
        "http://[::ffff:127.0.0.2]:PORT/right",
        "http://0x7f.2:PORT/right",
        "http://inner.example:PORT/right",
        "https://127.0.0.2:PORT/right",
        "http://169.254.169.254/latest/meta-data/",
    ] {
        let (mut world, elsewhere) = chain(location, Second::Plain).await;
        world.deny = vec!["127.0.0.2/32"];
        world.zone.set("inner.example", dns::Answer::addresses(&["127.0.0.2"]));
        detail!(world.validate("a.example").await, Unsuitable);
        assert!(elsewhere.all().is_empty(), "{location}");
    }
}

#[tokio::test]
async fn own_listeners_are_not_redirected_to() {
    let (mut world, elsewhere) = chain("http://127.0.0.2:PORT/right", Second::Plain).await;
    world.own = vec![format!("127.0.0.2:{}", world.port).parse().unwrap()];
    detail!(world.validate("a.example").await, Unsuitable);
    assert!(elsewhere.all().is_empty());
}

#[tokio::test]
async fn https_is_followed_whatever_the_certificate() {
    for location in ["https://b.example:PORT/right", "https://127.0.0.2:PORT/right"] {
        let (world, elsewhere) = chain(location, Second::Tls(acceptor())).await;
        world.zone.set("b.example", dns::Answer::addresses(&["127.0.0.2"]));
        assert_eq!(world.validate("a.example").await, Ok(()), "{location}");
        assert_eq!(elsewhere.all().len(), 1);
    }
}

#[tokio::test]
async fn no_tls_is_a_matter_of_tls() {
    let (world, _) = chain("https://127.0.0.2:PORT/right", Second::Plain).await;
    let detail = detail!(world.validate("a.example").await, Tls);
    assert_eq!(detail, format!("the handshake with 127.0.0.2:{} failed", world.port));
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended_by_the_deadline() {
    let (mut world, _) = chain("https://127.0.0.2:PORT/right", Second::Silent).await;
    world.limits.validation = "500ms".parse().unwrap();
    let detail = detail!(world.validate("a.example").await, Tls);
    assert_eq!(detail, format!("the handshake with 127.0.0.2:{} took too long", world.port));
}

/// How the server answers that is redirected to.
enum Second {
    /// Rightly, in the clear.
    Plain,
    /// Rightly, over TLS.
    Tls(TlsAcceptor),
    /// Connections come about, and nothing more.
    Silent,
}

/// A web server that redirects to a second one, at 127.0.0.2 and the same port, which keeps what it is asked.
async fn chain(location: &str, second: Second) -> (World, Requests) {
    // The first server's script has the port that its binding gives.
    let port = Arc::new(std::sync::OnceLock::new());
    let (location, of_script) = (location.to_owned(), Arc::clone(&port));
    let script = move |_: &str| {
        let port: &u16 = of_script.get().unwrap();
        Script::Reply(redirect(302, &location.replace("PORT", &port.to_string())).into())
    };
    let mut world = World::with(script).await;
    port.set(world.port).unwrap();
    let listener = TcpListener::bind(("127.0.0.2", world.port)).await.unwrap();
    let requests = Requests::default();
    let right = Arc::new(|_: &str| Script::Reply(ok(KEY_AUTHORIZATION).into()));
    match second {
        Second::Plain => world.tasks.spawn(web::serve(listener, right, requests.clone())),
        Second::Tls(acceptor) => world.tasks.spawn(web::serve_tls(listener, acceptor, right, requests.clone())),
        Second::Silent => world.tasks.spawn(async move {
            let _listener = listener;
            std::future::pending::<()>().await;
        }),
    };
    (world, requests)
}

/// A server whose certificate is none.
fn acceptor() -> TlsAcceptor {
    let key = certgate_crypto::provider().sign.generate(certgate_pki::KeyType::P256).unwrap();
    let key = PrivateKeyDer::try_from(key.pkcs8.to_vec()).unwrap();
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let key = CertifiedKey::new(vec![CertificateDer::from(vec![0x30, 0])], key);
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_cert_resolver(Arc::new(ServerIdentity::new(key, Vec::new())))))
}
