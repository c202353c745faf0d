//! A store with answers in its outbox, and a platform that fails as it is told.

use async_trait::async_trait;
use chiton_agent::Agent;
use chiton_channels::{Channel, ChannelError, deliver};
use chiton_store::{NewMessage, NewOutbox, OutboxMessage, Outcome, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub struct Platform {
    /// Chats that are away for so many attempts; `u32::MAX` refuses for good.
    failures: Mutex<HashMap<String, u32>>,
    pub taken: Mutex<Vec<(String, String)>>,
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

pub struct Home {
    _directory: tempfile::TempDir,
    pub store: Store,
    changes: watch::Sender<()>,
    pub platform: Arc<Platform>,
    pub shutdown: CancellationToken,
}

impl Home {
    pub fn new(failures: &[(&str, u32)]) -> Self {
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

    pub async fn answer(&self, chat: &str, text: &str) {
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

    pub fn deliver(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(deliver(
            self.store.clone(),
            self.platform.clone(),
            self.changes.subscribe(),
            self.shutdown.clone(),
        ))
    }

    /// Waits, in real time, until `count` messages were taken.
    pub async fn taken(&self, count: usize) -> Vec<(String, String)> {
        for _ in 0..500 {
            let taken = self.platform.taken.lock().unwrap().clone();
            if taken.len() >= count {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {:?} was taken", self.platform.taken.lock().unwrap());
    }

    pub async fn nothing_waits(&self) -> bool {
        for _ in 0..200 {
            if self.store.pending_outbox("test").await.unwrap().is_empty() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

pub fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(chat, text)| ((*chat).to_owned(), (*text).to_owned())).collect()
}
