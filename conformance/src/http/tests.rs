use super::{Framing, Request, Response, decode_chunked, framing, parse_head};

#[test]
fn a_head_is_read_when_it_is_whole() {
    let head = b"HTTP/1.1 202 Accepted\r\nRetry-After: 120\r\nContent-Type: Text/Plain; charset=\"utf-8\"\r\n\r\nrest";
    assert!(parse_head(&head[..40]).expect("good so far").is_none());
    let (response, taken) = parse_head(head).expect("good").expect("whole");
    assert_eq!((response.status, taken), (202, head.len() - 4));
    assert_eq!(response.field("retry-after"), Some("120"));
    assert_eq!(response.media_type().as_deref(), Some("text/plain"));
    assert_eq!(response.media_parameter("charset").as_deref(), Some("utf-8"));
}

#[test]
fn a_head_that_is_none_is_refused() {
    assert!(parse_head(b"SSH-2.0-x\r\n\r\n").is_err());
    assert!(parse_head(b"HTTP/1.1 twenty OK\r\n\r\n").is_err());
    assert!(parse_head(b"HTTP/1.1 200 OK\r\nName : value\r\n\r\n").is_err());
}

#[test]
fn content_ends_where_the_head_says() {
    let answer = |status, fields: &[(&str, &str)]| Response {
        status,
        fields: fields.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        ..Response::default()
    };
    assert_eq!(framing("GET", &answer(200, &[("Content-Length", "7")])), Ok(Framing::Length(7)));
    assert_eq!(framing("GET", &answer(200, &[("transfer-encoding", "Chunked")])), Ok(Framing::Chunked));
    assert_eq!(framing("GET", &answer(200, &[])), Ok(Framing::UntilClose));
    assert_eq!(framing("POST", &answer(204, &[])), Ok(Framing::Length(0)));
    assert!(framing("GET", &answer(200, &[("Content-Length", "x")])).is_err());
}

#[test]
fn chunks_are_joined() {
    let whole = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\nnext";
    assert_eq!(decode_chunked(whole), Ok(Some((b"abcde".to_vec(), whole.len() - 4))));
    assert_eq!(decode_chunked(&whole[..20]), Ok(None));
    assert!(decode_chunked(b"zz\r\n").is_err());
    assert!(decode_chunked(b"1\r\nabc\r\n").is_err());
}

#[test]
fn a_request_says_what_it_was_told() {
    let request = Request::new("POST", "/.well-known/est/simpleenroll")
        .with_field("Content-Type", "application/pkcs10")
        .with_content(b"abc");
    let head = String::from_utf8(request.head("localhost:8443")).expect("text");
    assert_eq!(request.operation(), "simpleenroll");
    assert!(head.starts_with("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost:8443\r\n"));
    assert!(head.contains("Content-Length: 3\r\n") && head.ends_with("\r\n\r\n"));
}
