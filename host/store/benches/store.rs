//! What the store adds to a turn, and what a long session costs.

use chiton_store::{NewMessage, NewOutbox, Outcome, Store, StoreError};
use criterion::Criterion;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const SESSION: &str = "terminal:default";
const ASKS: &str = r#"{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"read_file","arguments":"{\"path\":\"notes.md\"}"}}]}"#;
const FINAL: &str = r#"{"role":"assistant","content":"Your notes are short."}"#;

static PLAYED: AtomicU64 = AtomicU64::new(0);

/// A turn with one tool call whose result has 4 KB, from the message to its delivery: seven commits.
async fn turn(store: &Store) -> Result<(), StoreError> {
    let message = NewMessage {
        channel: "terminal".into(),
        account: String::new(),
        external_id: PLAYED.fetch_add(1, Ordering::Relaxed).to_string(),
        chat_id: "default".into(),
        sender: "ann".into(),
        text: "what do my notes say?".into(),
        metadata: None,
    };
    let result = format!(r#"{{"role":"tool","tool_call_id":"c1","content":"{}"}}"#, "x".repeat(4096));
    let answer = NewOutbox { channel: "terminal".into(), chat_id: "default".into(), text: "They are short.".into() };
    store.accept(message).await?;
    let Some(turn) = store.next_turn(SESSION).await? else {
        return Ok(());
    };
    store.append(turn.id, ASKS).await?;
    store.start_call(turn.id, "c1", "read_file", r#"{"path":"notes.md"}"#, false).await?;
    store.finish_call(turn.id, "c1", &result, "allowed").await?;
    let Some(id) = store.finish_turn(turn.id, Some(FINAL), Outcome::Done, Some(answer)).await? else {
        return Ok(());
    };
    store.mark_delivered(id).await
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let runtime = Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path().join("chiton.db"))?;
    for length in [10, 5000] {
        while PLAYED.load(Ordering::Relaxed) < length {
            runtime.block_on(turn(&store))?;
        }
        criterion.bench_function(&format!("history of 40 KB after {length} turns"), |bencher| {
            bencher.to_async(&runtime).iter(|| store.history(SESSION, 40_000));
        });
        let (before, started) = (cpu(), Instant::now());
        for _turn in 0..100 {
            runtime.block_on(turn(&store))?;
        }
        let (cpu, wall) = ((cpu() - before) / 100, started.elapsed() / 100);
        println!("a turn with one call after {length} turns: {cpu:?} of CPU, {wall:?} on the clock");
    }
    criterion.bench_function("accept", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            let external_id = PLAYED.fetch_add(1, Ordering::Relaxed).to_string();
            let text = "what do my notes say?".to_owned();
            let (channel, chat_id, sender) = ("mail".to_owned(), "default".to_owned(), "ann".to_owned());
            let account = String::new();
            store.accept(NewMessage { channel, account, external_id, chat_id, sender, text, metadata: None })
        });
    });
    criterion.final_summary();
    Ok(())
}
