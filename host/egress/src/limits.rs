//! How much one caller may use, and the account that is kept of it. All defaults stand here.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::error::EgressError;

/// Limits of the engine. A caller's [`crate::Options`] can only be stricter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one caller that are under way at once. Further ones wait.
    pub concurrency: usize,
    /// Requests of one caller that may wait. Further ones are refused.
    pub queue: usize,
    /// Requests of all callers that are under way at once.
    pub total_concurrency: usize,
    /// Requests that one caller may send in a burst; redirects count.
    pub burst: u32,
    /// Requests a minute of one caller, in the long run.
    pub requests_per_minute: u32,
    /// Bytes a minute of one caller: request bodies, and response bodies after decoding.
    pub bytes_per_minute: u64,
    /// Different names an hour that one caller may use of all its wildcard entries.
    pub names_per_hour: usize,
    /// Largest request body in bytes.
    pub request_body: usize,
    /// Largest response body in bytes, after decoding.
    pub response_body: u64,
    /// Most bytes of header names and values of a response.
    pub response_header_bytes: usize,
    /// Most header fields of a response.
    pub response_fields: usize,
    /// Longest time for one request, redirects and body included.
    pub deadline: Duration,
    /// Most redirects of one request.
    pub redirects: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 16,
            queue: 512,
            total_concurrency: 256,
            burst: 500,
            requests_per_minute: 1000,
            bytes_per_minute: 512 << 20,
            names_per_hour: 100,
            request_body: 32 << 20,
            response_body: 64 << 20,
            response_header_bytes: 128 << 10,
            response_fields: 256,
            deadline: Duration::from_secs(600),
            redirects: 10,
        }
    }
}

/// Callers whose account is full again are forgotten when there are more than this.
const MAX_REMEMBERED: usize = 1024;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Who sends: the name under which rates, budgets and concurrency are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallerKey(pub String);

/// The accounts of all callers.
pub(crate) struct Accounts {
    limits: Arc<Limits>,
    total: Arc<Semaphore>,
    callers: Mutex<HashMap<CallerKey, Arc<Account>>>,
}

/// What one caller has used.
pub(crate) struct Account {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    requests: Mutex<Bucket>,
    bytes: Mutex<Bucket>,
    names: Mutex<Names>,
    limits: Arc<Limits>,
}

/// Place for one running request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _caller: OwnedSemaphorePermit,
    _total: OwnedSemaphorePermit,
}

impl Accounts {
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        let total = Arc::new(Semaphore::new(limits.total_concurrency));
        Self { limits, total, callers: Mutex::default() }
    }

    pub(crate) fn of(&self, caller: &CallerKey) -> Arc<Account> {
        let mut callers = lock(&self.callers);
        if let Some(account) = callers.get(caller) {
            return Arc::clone(account);
        }
        if callers.len() >= MAX_REMEMBERED {
            let now = Instant::now();
            callers.retain(|_, account| Arc::strong_count(account) > 1 || !account.is_fresh(now));
        }
        let account = Arc::new(Account::new(Arc::clone(&self.limits)));
        callers.insert(caller.clone(), Arc::clone(&account));
        account
    }

    /// Waits for a place among the running requests.
    pub(crate) async fn enter(&self, account: &Account) -> Result<Place, EgressError> {
        let _waiting = Waiting::begin(account)?;
        let closed = |_| EgressError::Failed("the engine has ended".to_owned());
        let caller = Arc::clone(&account.running).acquire_owned().await.map_err(closed)?;
        let total = Arc::clone(&self.total).acquire_owned().await.map_err(closed)?;
        Ok(Place { _caller: caller, _total: total })
    }
}

/// One request in the queue; also counted back when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(account: &'a Account) -> Result<Self, EgressError> {
        let waiting = Waiting(&account.waiting);
        let before = account.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= account.limits.queue.saturating_add(account.running.available_permits()) {
            return Err(EgressError::Limited(format!(
                "too many requests at once: {} run and {} wait; send fewer at a time",
                account.limits.concurrency, account.limits.queue
            )));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Account {
    fn new(limits: Arc<Limits>) -> Self {
        Self {
            running: Arc::new(Semaphore::new(limits.concurrency)),
            waiting: AtomicUsize::new(0),
            requests: Mutex::new(Bucket::new(f64::from(limits.burst), f64::from(limits.requests_per_minute))),
            bytes: Mutex::new(Bucket::new(limits.bytes_per_minute as f64, limits.bytes_per_minute as f64)),
            names: Mutex::default(),
            limits,
        }
    }

    /// Charges one request.
    pub(crate) fn charge_request(&self) -> Result<(), EgressError> {
        if lock(&self.requests).take(1.0, Instant::now()) {
            return Ok(());
        }
        let rate = self.limits.requests_per_minute;
        Err(EgressError::Limited(format!("more than {rate} requests a minute; wait a little")))
    }

    /// Charges bytes of a body.
    pub(crate) fn charge_bytes(&self, count: usize) -> Result<(), EgressError> {
        if lock(&self.bytes).take(count as f64, Instant::now()) {
            return Ok(());
        }
        let budget = self.limits.bytes_per_minute;
        Err(EgressError::Limited(format!("more than {budget} bytes a minute; wait a little")))
    }

    /// Counts a name of a wildcard entry: each could carry data to whoever runs the domain.
    pub(crate) fn count_name(&self, name: &str) -> Result<(), EgressError> {
        if lock(&self.names).count(name, self.limits.names_per_hour, Instant::now()) {
            return Ok(());
        }
        let most = self.limits.names_per_hour;
        Err(EgressError::Limited(format!("more than {most} names of a wildcard entry within an hour")))
    }

    /// Whether forgetting this account changes nothing.
    fn is_fresh(&self, now: Instant) -> bool {
        lock(&self.requests).is_full(now) && lock(&self.bytes).is_full(now) && lock(&self.names).is_empty(now)
    }
}

/// A token bucket.
struct Bucket {
    capacity: f64,
    per_minute: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn new(capacity: f64, per_minute: f64) -> Self {
        Self { capacity, per_minute, level: capacity, at: Instant::now() }
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64() / MINUTE.as_secs_f64();
        self.level = (self.level + passed * self.per_minute).min(self.capacity);
        self.at = now;
    }

    fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.refill(now);
        let enough = self.level >= amount;
        if enough {
            self.level -= amount;
        }
        enough
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.level >= self.capacity
    }
}

/// The different names of the last hour, with the time of their last use.
#[derive(Default)]
struct Names(HashMap<String, Instant>);

impl Names {
    fn count(&mut self, name: &str, most: usize, now: Instant) -> bool {
        if let Some(last) = self.0.get_mut(name) {
            *last = now;
            return true;
        }
        self.forget(now);
        if self.0.len() >= most {
            return false;
        }
        self.0.insert(name.to_owned(), now);
        true
    }

    fn forget(&mut self, now: Instant) {
        self.0.retain(|_, last| now.saturating_duration_since(*last) < HOUR);
    }

    fn is_empty(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.0.is_empty()
    }
}

/// The data stay whole when a thread panics: every change is one assignment or one insertion.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
