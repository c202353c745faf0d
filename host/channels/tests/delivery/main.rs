//! Delivery of the outbox to a channel that fails in the ways platforms do.

#[cfg(test)]
mod home;

use home::{Home, pairs};
use std::time::Duration;

#[tokio::test]
async fn what_waited_before_the_start_and_what_comes_later_is_delivered_once() {
    let home = Home::new(&[]);
    home.answer("a", "early").await;
    let delivery = home.deliver();
    home.taken(1).await;
    home.answer("a", "late").await;
    assert_eq!(home.taken(2).await, pairs(&[("a", "early"), ("a", "late")]));
    assert!(home.nothing_waits().await);
    home.shutdown.cancel();
    delivery.await.unwrap();
    assert_eq!(home.platform.taken.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_chat_that_is_away_keeps_its_order_and_holds_up_no_other() {
    let home = Home::new(&[("away", 1)]);
    home.answer("away", "first").await;
    home.answer("away", "second").await;
    home.answer("near", "third").await;
    let _delivery = home.deliver();
    assert_eq!(home.taken(3).await, pairs(&[("near", "third"), ("away", "first"), ("away", "second")]));
    assert!(home.nothing_waits().await);
    home.shutdown.cancel();
}

#[tokio::test]
async fn a_failed_attempt_is_recorded_with_its_cause() {
    let home = Home::new(&[("away", 50)]);
    home.answer("away", "hello").await;
    let _delivery = home.deliver();
    let waiting = loop {
        let waiting = home.store.pending_outbox("test").await.unwrap();
        if waiting[0].attempts > 0 {
            break waiting;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(waiting[0].last_error.as_deref().unwrap().contains("script"));
    home.shutdown.cancel();
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_does_not_hold_up_its_chat() {
    let home = Home::new(&[("gone", u32::MAX)]);
    home.answer("gone", "never").await;
    home.answer("near", "hello").await;
    let _delivery = home.deliver();
    home.taken(1).await;
    assert!(home.nothing_waits().await);
    home.shutdown.cancel();
}
