//! What a server may answer.

use super::*;

#[tokio::test]
async fn the_key_authorization_is_right_with_and_without_white_space_behind_it() {
    for body in [KEY_AUTHORIZATION.to_owned(), format!("{KEY_AUTHORIZATION}\n"), format!("{KEY_AUTHORIZATION} \t\r\n\n")] {
        let world = World::answering(ok(&body)).await;
        assert_eq!(world.validate("a.example").await, Ok(()), "{body:?}");
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let world = World::answering(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}")).await;
        assert_eq!(world.validate("a.example").await, Ok(()), "{body:?} in chunks");
        let world = World::answering(format!("HTTP/1.0 200 OK\r\n\r\n{body}")).await;
        assert_eq!(world.validate("a.example").await, Ok(()), "{body:?} until the end of the connection");
    }
}

#[tokio::test]
async fn it_is_asked_for_as_the_rfc_has_it() {
    let world = World::answering(ok(KEY_AUTHORIZATION)).await;
    assert_eq!(world.validate("a.example").await, Ok(()));
    assert_eq!(world.validate(HOME).await, Ok(()), "RFC 8738");
    let requests = world.requests.all();
    let host = |host: &str| format!("host: {host}:{}\r\n", world.port);
    for (request, host) in requests.iter().zip([host("a.example"), host(HOME)]) {
        assert!(request.starts_with(&format!("GET /.well-known/acme-challenge/{TOKEN} HTTP/1.1\r\n")), "{request}");
        let fields = request.to_ascii_lowercase();
        let agent = format!("user-agent: certgate/{}\r\n", env!("CARGO_PKG_VERSION"));
        for field in [host.as_str(), "connection: close\r\n", &agent] {
            assert!(fields.contains(field), "{field}\n{request}");
        }
    }
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn another_body_is_incorrect_and_is_not_told_of() {
    let secret = "the password of an inner server";
    let before = format!(" {KEY_AUTHORIZATION}");
    for body in ["", TOKEN, secret, before.as_str(), &KEY_AUTHORIZATION.to_lowercase()] {
        let world = World::answering(ok(body)).await;
        let detail = detail!(world.validate("a.example").await, IncorrectResponse);
        assert_eq!(detail, format!("what a.example:{} answered is not the key authorization", world.port), "{body:?}");
    }
}

#[tokio::test]
async fn only_200_counts() {
    for status in [201, 204, 206, 300, 304, 305, 401, 404, 500] {
        let reply = format!("HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
        let world = World::answering(reply).await;
        let detail = detail!(world.validate("a.example").await, IncorrectResponse);
        assert_eq!(detail, format!("a.example:{} answered with status {status}", world.port));
    }
}

#[tokio::test]
async fn what_is_not_http_is_incorrect() {
    let long_field = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(1 << 20));
    let many_fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(65));
    for reply in ["SSH-2.0-x\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", &long_field, &many_fields] {
        let world = World::answering(reply).await;
        let detail = detail!(world.validate("a.example").await, IncorrectResponse);
        assert_eq!(detail, format!("a.example:{} did not answer as HTTP has it", world.port));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_matter_of_the_connection() {
    for reply in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"] {
        let world = World::answering(reply).await;
        let detail = detail!(world.validate("a.example").await, Connection);
        assert!(detail.ends_with("ended the connection before its answer was complete"), "{detail}");
    }
}
