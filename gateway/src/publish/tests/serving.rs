//! `/crl/…`: what is published, as HTTP has it.

use bytes::Bytes;
use certgate_ca_backend_api::BackendError;
use certgate_testkit::FailingBackend;
use http_body_util::{BodyExt, Full};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderMap, LAST_MODIFIED, RETRY_AFTER};
use hyper::{Request, StatusCode};

use super::*;
use crate::serve::CrlService;

async fn ask(service: &CrlService, request: hyper::http::request::Builder) -> (StatusCode, HeaderMap, Bytes) {
    let (head, _) = request.body(Full::<Bytes>::default()).unwrap().into_parts();
    let (head, body) = service.answer(&head).into_parts();
    (head.status, head.headers, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_list_is_served_for_as_long_as_it_is_the_last() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(1, Some(HOUR))).await;
    let service = CrlService::new(fixture.ca.clock.clone(), [&publisher]);
    for (path, id, seconds) in [
        ("/crl/default.crl", complete(0), 86_400),
        ("/crl/default/delta.crl", delta(0), 3600),
        ("/crl/default/1.crl", complete(1), 86_400),
        ("/crl/default/1/delta.crl", delta(1), 3600),
    ] {
        let (status, headers, body) = ask(&service, Request::get(path)).await;
        assert_eq!((status, headers[CONTENT_TYPE].as_bytes()), (StatusCode::OK, &b"application/pkix-crl"[..]));
        assert_eq!(body, publisher.published(id).unwrap().der);
        assert_eq!(headers[CACHE_CONTROL], format!("public, max-age={seconds}"));
        assert_eq!(headers[LAST_MODIFIED], "Mon, 21 Sep 2026 14:13:20 GMT");
        let expires = if id.is_delta { "Mon, 21 Sep 2026 16:13:20 GMT" } else { "Mon, 28 Sep 2026 14:13:20 GMT" };
        assert_eq!(headers[EXPIRES], expires);
        let again = Request::get(path).header("if-none-match", &headers[ETAG]);
        let (status, unchanged, nothing) = ask(&service, again).await;
        assert_eq!((status, nothing.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!((&unchanged[ETAG], &unchanged[CACHE_CONTROL]), (&headers[ETAG], &headers[CACHE_CONTROL]));
        let since = Request::get(path).header("if-modified-since", &headers[LAST_MODIFIED]);
        assert_eq!(ask(&service, since).await.0, StatusCode::NOT_MODIFIED);
    }
    let before = ask(&service, Request::get("/crl/default.crl")).await.1;
    publisher.build(Demand::Complete, Arc::default()).await.unwrap();
    let (status, headers, _) = ask(&service, Request::get("/crl/default.crl").header("if-none-match", &before[ETAG])).await;
    assert_eq!(status, StatusCode::OK, "another list");
    assert_ne!(headers[ETAG], before[ETAG]);
}

/// What is past its time is told to be so, and nobody is to keep it.
#[tokio::test]
async fn a_list_that_is_over_is_served_and_not_kept() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let service = CrlService::new(fixture.ca.clock.clone(), [&publisher]);
    fixture.ca.ledger.fail_writes(true);
    for (later, age) in [(DAY - HOUR, 3600), (HOUR, 0), (30 * DAY, 0)] {
        fixture.ca.clock.advance(later);
        let (status, headers, _) = ask(&service, Request::get("/crl/default.crl")).await;
        assert_eq!((status, &headers[CACHE_CONTROL]), (StatusCode::OK, &format!("public, max-age={age}").parse().unwrap()));
    }
}

#[tokio::test]
async fn other_paths_methods_and_lists_that_could_not_be_made() {
    let fixture = Fixture::new().await;
    let publisher = fixture.start(terms(0, None)).await;
    let service = CrlService::new(fixture.ca.clock.clone(), [&publisher]);
    for path in ["/crl/", "/crl/other.crl", "/crl/default/delta.crl", "/crl/default/1.crl", "/crl/default/0.crl"] {
        assert_eq!(ask(&service, Request::get(path)).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ask(&service, Request::post("/crl/default.crl")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(ask(&service, Request::head("/crl/default.crl")).await.0, StatusCode::OK);

    let fixture = Fixture::new().await;
    let authority = fixture.ca.over(FailingBackend(BackendError::Misconfigured("none".into())));
    let parts = PublisherParts { authority: Arc::new(authority), ..fixture.parts(terms(0, None)) };
    let publisher = CrlPublisher::start(parts, &fixture.tasks, &fixture.stopping).await;
    let service = CrlService::new(fixture.ca.clock.clone(), [&publisher]);
    let (status, headers, _) = ask(&service, Request::get("/crl/default.crl")).await;
    assert_eq!((status, headers[RETRY_AFTER].as_bytes()), (StatusCode::SERVICE_UNAVAILABLE, &b"30"[..]));
}
