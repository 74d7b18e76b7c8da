//! What a server may cost.

use super::*;

use std::pin::pin;

#[tokio::test]
async fn a_long_body_is_not_read_to_its_end() {
    let limit = 8 * 1024;
    let padded = format!("{KEY_AUTHORIZATION}{}", " ".repeat(limit - KEY_AUTHORIZATION.len()));
    assert_eq!(World::answering(ok(&padded)).await.validate("a.example").await, Ok(()), "to the last octet");
    for body in [format!("{padded} "), "a".repeat(10 << 20)] {
        let unannounced = format!("HTTP/1.0 200 OK\r\n\r\n{body}");
        for reply in [ok(&body), unannounced] {
            let world = World::answering(reply).await;
            let detail = detail!(world.validate("a.example").await, IncorrectResponse);
            assert!(detail.ends_with("answered with more than 8192 octets"), "{detail}");
        }
    }
}

#[tokio::test]
async fn silence_and_trickles_end_at_the_deadline() {
    for trickles in [false, true] {
        let script = move |_: &str| if trickles { Script::Trickle(Duration::from_millis(100)) } else { Script::Silence };
        let mut world = World::with(script).await;
        world.limits.validation = "500ms".parse().unwrap();
        let (detail, took) = timed(world.validate("a.example")).await;
        assert_eq!(detail!(detail, Connection), format!("a.example:{} did not answer in time", world.port));
        assert!((0.4..5.0).contains(&took), "{took}");
    }
}

#[tokio::test]
async fn redirects_have_one_deadline_together() {
    let slow = |_: &str| {
        std::thread::sleep(Duration::from_millis(100));
        Script::Reply(redirect(302, "/again").into())
    };
    let mut world = World::with(slow).await;
    world.limits.validation = "350ms".parse().unwrap();
    detail!(world.validate(HOME).await, Connection);
    assert!(world.requests.all().len() <= 4);
}

#[tokio::test]
async fn a_silent_name_server_ends_at_the_deadline() {
    let mut world = World::answering(ok(KEY_AUTHORIZATION)).await;
    world.limits.validation = "500ms".parse().unwrap();
    world.zone.set("a.example", dns::Answer::Silence);
    let (detail, took) = timed(world.validate("a.example")).await;
    assert_eq!(detail!(detail, Dns), "no name server answered for a.example in time");
    assert!(took < 5.0, "{took}");
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_a_place_in_it_is_kept() {
    let mut world = World::with(|_| Script::Silence).await;
    world.limits = Limits { validations: 1, validation_queue: 1, validation: "700ms".parse().unwrap(), ..Limits::default() };
    let metrics = Metrics::new();
    let validator = world.validator_counted_by(&metrics);
    let name = general_name(HOME);
    let validate = || validator.http01(&name, TOKEN, KEY_AUTHORIZATION);
    let (mut first, mut second) = (pin!(validate()), pin!(validate()));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it waits for the server"),
        _ = &mut second => panic!("it waits for the first"),
        () = tokio::time::sleep(Duration::from_millis(100)) => {}
    }
    let (third, took) = timed(validate()).await;
    assert_eq!(detail!(third, Busy), "too many validations are under way");
    assert!(took < 0.5, "{took}");
    assert_eq!(world.requests.all().len(), 1, "the second waits");
    detail!(first.await, Connection);
    detail!(second.await, Connection);
    assert_eq!(world.requests.all().len(), 2);
    let text = metrics.encode();
    let counted = |outcome| format!("certgate_validations_total{{challenge=\"http-01\",outcome=\"{outcome}\"}}");
    for expected in [counted("busy") + " 1", counted("connection") + " 2", counted("valid") + " 0"] {
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn who_leaves_frees_the_place() {
    let mut world = World::with(|_| Script::Silence).await;
    world.limits = Limits { validations: 1, validation_queue: 1, ..Limits::default() };
    let validator = world.validator();
    let name = general_name(HOME);
    for _ in 0..3 {
        let validation = validator.http01(&name, TOKEN, KEY_AUTHORIZATION);
        assert!(tokio::time::timeout(Duration::from_millis(50), validation).await.is_err(), "neither busy nor over");
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a test takes")]
async fn timed<T>(work: impl Future<Output = T>) -> (T, f64) {
    let begun = Instant::now();
    (work.await, begun.elapsed().as_secs_f64())
}
