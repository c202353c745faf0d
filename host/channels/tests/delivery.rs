//! Delivery of the outbox to a channel that fails in the ways platforms do.

use async_trait::async_trait;
use chiton_agent::Agent;
use chiton_channels::{Channel, ChannelError, deliver};
use chiton_store::{NewMessage, NewOutbox, Outcome, OutboxMessage, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Platform {
    /// Chats that are away for so many attempts; `u32::MAX` refuses for good.
    failures: Mutex<HashMap<String, u32>>,
    taken: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Channel for Platform {
    fn name(&self) -> &str {
        "test"
    }

    async fn run(&self, _: Agent, shutdown: CancellationToken) -> Result<(), ChannelError> {
        shutdown.cancelled().await;
        Ok(())
    }

    async fn send(&self, message: &OutboxMessage) -> Result<(), ChannelError> {
        let (channel, reason) = ("test".to_owned(), "script".to_owned());
        match self.failures.lock().unwrap().get_mut(&message.chat_id) {
            Some(&mut u32::MAX) => return Err(ChannelError::Refused { channel, reason }),
            Some(left) if *left > 0 => {
                *left -= 1;
                return Err(ChannelError::Away { channel, reason });
            }
            _ => {}
        }
        self.taken.lock().unwrap().push((message.chat_id.clone(), message.text.clone()));
        Ok(())
    }
}

struct Home {
    _directory: tempfile::TempDir,
    store: Store,
    changes: watch::Sender<()>,
    platform: Arc<Platform>,
    shutdown: CancellationToken,
}

impl Home {
    fn new(failures: &[(&str, u32)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("chiton.db")).unwrap();
        let platform = Platform::default();
        platform.failures.lock().unwrap().extend(failures.iter().map(|(chat, times)| ((*chat).to_owned(), *times)));
        Self {
            _directory: directory,
            store,
            changes: watch::Sender::new(()),
            platform: Arc::new(platform),
            shutdown: CancellationToken::new(),
        }
    }

    async fn answer(&self, chat: &str, text: &str) {
        let message = NewMessage {
            channel: "test".into(),
            account: String::new(),
            external_id: format!("{chat}-{text}"),
            chat_id: chat.into(),
            sender: "ann".into(),
            text: "?".into(),
            metadata: None,
        };
        self.store.accept(message).await.unwrap();
        let turn = self.store.next_turn(&format!("test:{chat}")).await.unwrap().unwrap();
        let answer = NewOutbox { channel: "test".into(), chat_id: chat.into(), text: text.into() };
        self.store.finish_turn(turn.id, None, Outcome::Done, Some(answer)).await.unwrap();
        self.changes.send_replace(());
    }

    fn deliver(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(deliver(self.store.clone(), self.platform.clone(), self.changes.subscribe(), self.shutdown.clone()))
    }

    /// Waits, in real time, until `count` messages were taken.
    async fn taken(&self, count: usize) -> Vec<(String, String)> {
        for _ in 0..500 {
            let taken = self.platform.taken.lock().unwrap().clone();
            if taken.len() >= count {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {:?} was taken", self.platform.taken.lock().unwrap());
    }

    async fn nothing_waits(&self) -> bool {
        for _ in 0..200 {
            if self.store.pending_outbox("test").await.unwrap().is_empty() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(chat, text)| ((*chat).to_owned(), (*text).to_owned())).collect()
}

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
