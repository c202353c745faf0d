//! One worker per session that has something to do, and who listens to which message.

use crate::TurnEvent;
use crate::agent::Room;
use crate::subagents::is_task;
use crate::turn::{self, Ended};
use crate::window::Window;
use chiton_store::{NewMessage, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// How long a worker without work keeps its session in memory.
const IDLE: Duration = Duration::from_secs(60);

/// The pause after a failure of the store; it doubles up to [`IDLE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What makes a message one message, before it has a row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct MessageKey {
    channel: String,
    account: String,
    external_id: String,
}

impl MessageKey {
    pub(crate) fn of(message: &NewMessage) -> Self {
        Self {
            channel: message.channel.clone(),
            account: message.account.clone(),
            external_id: message.external_id.clone(),
        }
    }
}

/// Who follows the turn of one message.
pub(crate) struct Listener {
    session: String,
    sender: mpsc::Sender<TurnEvent>,
    cancel: CancellationToken,
}

impl Listener {
    pub(crate) fn new(session: &str, sender: mpsc::Sender<TurnEvent>) -> Self {
        Self { session: session.to_owned(), sender, cancel: CancellationToken::new() }
    }
}

/// Who works and who listens.
#[derive(Default)]
pub(crate) struct Bus {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    workers: HashMap<String, Worker>,
    listeners: HashMap<MessageKey, Listener>,
}

struct Worker {
    /// Something came since the worker last looked.
    woken: bool,
    /// What the worker remembers of the session is not there any more.
    outdated: bool,
    notify: Arc<Notify>,
    /// Ends the turn that runs.
    cancel: Option<CancellationToken>,
    /// Who follows the turn that runs.
    listener: Option<mpsc::Sender<TurnEvent>>,
}

impl Bus {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers before the message has a row, so that no event is missed. False if somebody listens already.
    pub(crate) fn listen(&self, key: MessageKey, listener: Listener) -> bool {
        let mut state = self.state();
        if state.listeners.contains_key(&key) {
            return false;
        }
        state.listeners.insert(key, listener);
        true
    }

    pub(crate) fn forget(&self, key: &MessageKey) {
        self.state().listeners.remove(key);
    }

    pub(crate) fn cancel(&self, session: &str) -> bool {
        let state = self.state();
        let running = state.workers.get(session).and_then(|worker| worker.cancel.as_ref());
        let waiting = || state.listeners.values().find(|listener| listener.session == session).map(|it| &it.cancel);
        let found = running.or_else(waiting);
        if let Some(cancel) = found {
            cancel.cancel();
        }
        found.is_some()
    }

    /// Marks the session as woken; `Some` when it has no worker yet.
    fn wake(&self, session: &str) -> Option<Arc<Notify>> {
        let mut state = self.state();
        if let Some(worker) = state.workers.get_mut(session) {
            worker.woken = true;
            worker.notify.notify_one();
            return None;
        }
        let notify = Arc::new(Notify::new());
        let worker = Worker { woken: false, outdated: false, notify: notify.clone(), cancel: None, listener: None };
        state.workers.insert(session.to_owned(), worker);
        Some(notify)
    }

    /// What is remembered of a session, or of all, was changed behind the back of its worker.
    pub(crate) fn outdate(&self, session: Option<&str>) {
        let mut state = self.state();
        let meant = state.workers.iter_mut().filter(|(key, _)| session.is_none_or(|session| session == *key));
        meant.for_each(|(_, worker)| worker.outdated = true);
    }

    /// Whether what the worker remembers is outdated; asked once.
    fn is_outdated(&self, session: &str) -> bool {
        self.state().workers.get_mut(session).is_some_and(|worker| std::mem::take(&mut worker.outdated))
    }

    /// The worker is about to look for work.
    fn looking(&self, session: &str) {
        if let Some(worker) = self.state().workers.get_mut(session) {
            worker.woken = false;
        }
    }

    /// The worker wants to end; false when something came meanwhile.
    fn retire(&self, session: &str) -> bool {
        let mut state = self.state();
        let woken = state.workers.get(session).is_some_and(|worker| worker.woken);
        if !woken {
            state.workers.remove(session);
        }
        !woken
    }

    /// A turn begins: who listens to it, and what cancels it.
    fn begin(&self, message: &NewMessage) -> (Option<mpsc::Sender<TurnEvent>>, CancellationToken) {
        let mut state = self.state();
        let listener = state.listeners.remove(&MessageKey::of(message));
        let (sender, cancel) = match listener {
            Some(listener) => (Some(listener.sender), listener.cancel),
            None => (None, CancellationToken::new()),
        };
        if let Some(worker) = state.workers.get_mut(&message.session()) {
            worker.cancel = Some(cancel.clone());
            worker.listener.clone_from(&sender);
        }
        (sender, cancel)
    }

    /// A message joins the turn that runs: who listens to it.
    pub(crate) fn join(&self, message: &NewMessage) -> Option<mpsc::Sender<TurnEvent>> {
        self.state().listeners.remove(&MessageKey::of(message)).map(|listener| listener.sender)
    }

    /// Whether a turn of the session runs.
    pub(crate) fn is_running(&self, session: &str) -> bool {
        self.state().workers.get(session).is_some_and(|worker| worker.cancel.is_some())
    }

    /// Shows something to whoever follows the turn that runs in `session`.
    pub(crate) fn show(&self, session: &str, event: TurnEvent) {
        let listener = self.state().workers.get(session).and_then(|worker| worker.listener.clone());
        if let Some(listener) = listener {
            // Who does not keep up finds the message when the turn has ended.
            let _ = listener.try_send(event);
        }
    }

    fn end(&self, session: &str) {
        if let Some(worker) = self.state().workers.get_mut(session) {
            worker.cancel = None;
            worker.listener = None;
        }
    }

    /// Nobody will answer these messages now: their listeners hear that nothing more comes.
    fn dismiss(&self, session: &str) {
        let mut state = self.state();
        state.listeners.retain(|_, listener| listener.session != session);
        state.workers.remove(session);
    }
}

impl Room {
    /// Lets the worker of `session` look for work.
    pub(crate) fn wake(self: &Arc<Self>, session: &str) {
        if self.closing.is_cancelled() {
            return;
        }
        if let Some(notify) = self.bus.wake(session) {
            self.workers.spawn(self.clone().work(session.to_owned(), notify));
        }
    }

    async fn work(self: Arc<Self>, session: String, notify: Arc<Notify>) {
        let (mut window, mut pause) = (None, FIRST_PAUSE);
        loop {
            self.bus.looking(&session);
            match self.turns(&session, &mut window).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::error!(session, "the session goes on in {} s: {error}", pause.as_secs());
                    window = None;
                    if self.closing.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                        pause = (pause * 2).min(IDLE);
                        continue;
                    }
                }
            }
            tokio::select! {
                () = self.closing.cancelled() => return self.bus.dismiss(&session),
                () = notify.notified() => {}
                () = tokio::time::sleep(IDLE) => if self.bus.retire(&session) { return },
            }
        }
    }

    /// Answers what waits in the session.
    async fn turns(self: &Arc<Self>, session: &str, window: &mut Option<Window>) -> Result<(), StoreError> {
        loop {
            let places = if is_task(session) { &self.task_places } else { &self.places };
            let place = tokio::select! {
                biased;
                () = self.closing.cancelled() => return Ok(()),
                place = places.acquire() => place,
            };
            // Read before the turn begins: its own messages are not history.
            if self.bus.is_outdated(session) {
                *window = None;
            }
            self.reset_if_due(session, window).await?;
            if window.is_none() {
                let model = self.model_of(session).await?;
                let kept = self.store.history(session, self.window_bytes(&model)).await?;
                *window = Some(Window::of(kept));
            }
            let (Some(window), Some(turn)) = (window.as_mut(), self.store.next_turn(session).await?) else {
                return Ok(());
            };
            let (listener, cancel) = self.bus.begin(&turn.inbox.message);
            let ended = turn::run(self, turn, window, listener, cancel).await;
            self.bus.end(session);
            drop(place);
            if ended? == Ended::Suspended {
                return Ok(());
            }
        }
    }
}
