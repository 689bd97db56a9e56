//! Lists whose contents are not for everybody.

use crate::lists::{LIST, Publisher, by_all, charter};
use crate::published;
use crate::world::World;
use isonomy_core::resource::Resource;
use isonomy_core::statement::{ListName, Statement};
use isonomy_fetch::{FetchError, Submitted, Tokens};
use isonomy_log_server::access::{AccessEntry, TokenDigest};

fn restricted(list: &str) -> Vec<AccessEntry> {
    vec![AccessEntry { list: ListName::new(list).unwrap(), tokens: vec![TokenDigest::of("secret")] }]
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_restricted_list_are_for_holders_of_a_token_and_the_rest_is_public() {
    let mut world = World::new().await;
    world.access = restricted(LIST);
    world.start_log().await;
    let (publisher, statements) = published(&world).await;
    let Statement::Release(release) = &statements[2] else { panic!() };
    let (snapshot, delta) = (release.body().snapshot.sha256, release.body().deltas[0].sha256);
    for id in statements.iter().map(Statement::id) {
        assert!(world.get(&Resource::Statement(id)).await.is_ok());
        assert!(world.get(&Resource::SeenProof(id)).await.is_ok());
    }
    let with = |token: &str| {
        let tokens = Tokens::parse(&format!("http://{} {token}", world.address)).unwrap();
        world.source().with_tokens(&tokens)
    };
    for digest in [snapshot, delta] {
        let object = Resource::Object(digest);
        let size = publisher.objects[&digest].len() as u64;
        assert_eq!(with("secret").get(&object, size).await.unwrap(), publisher.objects[&digest]);
        for refused in [with("Secret"), with("secrets"), world.source()] {
            assert!(matches!(refused.get(&object, size).await, Err(FetchError::Unauthorized { .. })));
        }
    }
    let path = format!("/object/{snapshot}");
    let answer = world.raw(&format!("GET {path}"), b"").await.to_lowercase();
    assert!(answer.starts_with("http/1.1 401 ") && answer.contains("\r\nwww-authenticate: bearer\r\n"), "{answer}");
    let granted = world.raw_with(&format!("GET {path}"), "authorization: Bearer secret", b"").await.to_lowercase();
    assert!(granted.starts_with("http/1.1 200 "), "{granted}");
    assert!(
        granted.contains("\r\ncache-control: private, ") && granted.contains("\r\nvary: authorization\r\n"),
        "{granted}"
    );
    let part = "authorization: Bearer secret\r\nrange: bytes=0-3";
    assert!(world.raw_with(&format!("GET {path}"), part, b"").await.starts_with("HTTP/1.1 206 "));
    let unknown = format!("GET /object/{}", "07".repeat(32));
    assert!(world.raw_with(&unknown, part, b"").await.starts_with("HTTP/1.1 404 "));
    world.stop_log().await.unwrap();

    // Of another list: nothing changes for this one.
    world.access = restricted("hotline.example/other");
    world.start_log().await;
    assert!(world.get_soon(&Resource::Object(snapshot)).await == publisher.objects[&snapshot]);
    let health = crate::witnessing::until_it_says(&world, "/healthz", "names in `access`").await;
    assert!(health.contains("warning: this log has no list for 1 of"), "{health}");
    assert!(!health.contains("hotline.example/other"), "the name of a list that is not public yet");
    world.stop_log().await.unwrap();
}

/// Founds another list, and signs a release of it with the same content as the first of [`LIST`]: its snapshot has the same
/// digest.
async fn same_content_in(world: &World, list: &str) -> (Publisher, Statement) {
    let own = charter(list);
    let mut publisher = Publisher::new(&own);
    crate::publish(world, &by_all(own.to_text().unwrap()), &publisher).await;
    let release = publisher.release(0..100);
    (publisher, release)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_release_that_names_a_restricted_object_opens_nothing_and_must_bring_it() {
    let mut world = World::new().await;
    world.access = restricted(LIST);
    world.start_log().await;
    let (_, statements) = published(&world).await;
    let Statement::Release(restricted) = &statements[1] else { panic!() };
    let digest = restricted.body().snapshot.sha256;
    let (publisher, forged) = same_content_in(&world, "hotline.example/open").await;
    let client = world.client();
    // All that the release says is in a public statement; who has nothing more is asked for the bytes, again and again.
    for _ in 0..2 {
        let answer = client.submit(&forged.to_bytes()).await.unwrap();
        assert!(matches!(&answer, Submitted::Missing(digests) if *digests == [digest]), "{answer:?}");
        assert!(client.put_object(&digest, vec![0; publisher.objects[&digest].len()]).await.is_err());
    }
    let read = async |world: &World| world.get(&Resource::Object(digest)).await;
    assert!(matches!(read(&world).await, Err(FetchError::Unauthorized { .. })));
    // Who has them may name them; they stay what they were.
    crate::publish(&world, &forged, &publisher).await;
    assert!(matches!(read(&world).await, Err(FetchError::Unauthorized { .. })));
    // Once it has shown that it has them, it is not asked again.
    let mut publisher = publisher;
    let again = publisher.release(0..100);
    let answer = client.submit(&again.to_bytes()).await.unwrap();
    assert!(!matches!(&answer, Submitted::Missing(digests) if digests.contains(&digest)), "{answer:?}");
    world.stop_log().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_list_can_t_close_the_objects_of_an_open_one() {
    let mut world = World::new().await;
    world.access = restricted("hotline.example/closed");
    world.start_log().await;
    let (publisher, statements) = published(&world).await;
    let Statement::Release(open) = &statements[1] else { panic!() };
    let digest = open.body().snapshot.sha256;
    let (other, release) = same_content_in(&world, "hotline.example/closed").await;
    crate::publish(&world, &release, &other).await;
    assert!(world.get(&Resource::Object(digest)).await.unwrap() == publisher.objects[&digest]);
    world.stop_log().await.unwrap();
}
