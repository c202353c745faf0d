//! What 10,000 jobs cost: at the start, in memory, and when a tenth of them is due together.

use chiton_schedule::{Clock, Host, Limits, Scheduler, SchedulerOptions, SystemClock, Timing};
use chiton_store::{JobLimits, JobRow, NewJob as StoredJob, Store};
use criterion::Criterion;
use futures_util::future::try_join_all;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const JOBS: i64 = 10_000;
const TOGETHER: i64 = 1_000;
const LIMITS: JobLimits = JobLimits { of_session: 100, in_all: JOBS as u32 };

/// Job `number` of a hundred chats: the first thousand are due at `together`, the others in days.
async fn add(store: &Store, number: i64, together: Timestamp, now: Timestamp) -> Result<JobRow, Box<dyn Error>> {
    let due = if number < TOGETHER { together } else { now + SignedDuration::from_hours(24 + number) };
    let new = StoredJob {
        channel: "terminal".into(),
        chat_id: format!("chat{}", number % 100),
        origin: "terminal:default".into(),
        component: String::new(),
        name: format!("job {number}"),
        message: "say how the weather will be today, and whether the plants need water".into(),
        timing: "every 86400".into(),
        zone: "Europe/Berlin".into(),
        rights_json: r#"{"effects":["reads_files","uses_network"]}"#.into(),
        next_due_ms: due.as_millisecond(),
        quarantine: None,
    };
    Ok(store.add_job(new, LIMITS, now.as_millisecond()).await?)
}

/// Tells when the scheduler has nothing more to do for now.
struct Idle(SystemClock, Notify);

#[async_trait::async_trait]
impl Clock for Idle {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn wait_until(&self, time: Timestamp) {
        self.1.notify_one();
        self.0.wait_until(time).await;
    }
}

#[derive(Default)]
struct Counter {
    wakes: AtomicUsize,
}

impl Host for Counter {
    fn wake(&self, _session: &str) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }

    fn outbox_grew(&self) {}
}

fn scheduler(store: &Store) -> (Scheduler, Arc<Idle>) {
    let idle = Arc::new(Idle(SystemClock, Notify::new()));
    let limits = Limits { jobs: LIMITS, ..Limits::default() };
    let options = SchedulerOptions { store: store.clone(), zone: TimeZone::UTC, clock: idle.clone(), limits };
    (Scheduler::new(options), idle)
}

/// Opens the database and runs the scheduler until it waits for the next job.
async fn start(path: &Path) -> Result<(Duration, Store, CancellationToken), Box<dyn Error>> {
    let started = Instant::now();
    let store = Store::open(path)?;
    let (scheduler, idle) = scheduler(&store);
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move { scheduler.run(Arc::new(Counter::default()), token).await });
    idle.1.notified().await;
    Ok((started.elapsed(), store, shutdown))
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// How long after they were due the last of a thousand jobs had become a message.
async fn together(path: &Path, due: Timestamp) -> Result<Duration, Box<dyn Error>> {
    let (_, store, shutdown) = start(path).await?;
    loop {
        let now = Timestamp::now();
        if now >= due && store.next_due().await?.is_none_or(|next| next > now.as_millisecond()) {
            shutdown.cancel();
            return Ok(Duration::try_from(now.duration_since(due))?);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let runtime = Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("chiton.db");
    let due = runtime.block_on(async {
        let (store, now) = (Store::open(&path)?, Timestamp::now());
        let due = now + SignedDuration::from_secs(20);
        try_join_all((0..JOBS).map(|number| add(&store, number, due, now))).await?;
        Ok::<_, Box<dyn Error>>(due)
    })?;
    let before = resident_kib();
    let (took, _store, shutdown) = runtime.block_on(start(&path))?;
    println!("start with {JOBS} jobs: {took:?}, {} KiB more resident memory", resident_kib().saturating_sub(before));
    shutdown.cancel();
    criterion.bench_function("start with 10,000 jobs", |bencher| {
        bencher.iter_custom(|count| {
            let mut sum = Duration::ZERO;
            for _start in 0..count {
                if let Ok((took, _store, shutdown)) = runtime.block_on(start(&path)) {
                    shutdown.cancel();
                    sum += took;
                }
            }
            sum
        });
    });
    let wait = Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default();
    println!("{TOGETHER} jobs are due together in {wait:?}");
    println!("the last of them had its message {:?} after they were due", runtime.block_on(together(&path, due))?);
    let (store, now) = (Store::open(&path)?, Timestamp::now());
    let (scheduler, _) = scheduler(&store);
    println!("{} jobs are listed", runtime.block_on(scheduler.list(None))?.len());
    let zone = chiton_schedule::zone("Europe/Berlin")?;
    let weekdays = Timing::Cron("30 7 * * 1-5".into());
    criterion.bench_function("next time of a cron expression", |bencher| {
        bencher.iter(|| weekdays.next(&zone, now, now));
    });
    criterion.final_summary();
    Ok(())
}
