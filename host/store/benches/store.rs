//! What the store adds to a turn, and what a long session costs.

use chiton_store::{ImportedMessage, NewMessage, NewOutbox, Outcome, Scope, Store, StoreError, TurnId};
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
    if std::env::args().any(|argument| argument == "large") {
        return runtime.block_on(large());
    }
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
            // each in a chat of its own: only so many may wait in one
            let (channel, chat_id, sender) = ("mail".to_owned(), external_id.clone(), "ann".to_owned());
            let account = String::new();
            store.accept(NewMessage { channel, account, external_id, chat_id, sender, text, metadata: None })
        });
    });
    criterion.final_summary();
    Ok(())
}

/// How many messages the large store has, in sessions of a thousand.
const LARGE: u64 = 1_000_000;
/// Words beyond the common ones, each in about one message of a hundred or of a thousand.
const RARE: u64 = 2_000;

/// Makes a query.
type Query = fn(&mut Chance) -> String;

/// Numbers that look like chance, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A message of twenty words: half of them common, one of a hundred and nine of two thousand.
    fn message(&mut self, role: &str) -> String {
        let mut words: Vec<String> = (0..10).map(|_| format!("common{}", self.below(30))).collect();
        words.push(format!("topic{}", self.below(100)));
        words.extend((0..9).map(|_| format!("word{}", self.below(RARE))));
        format!(r#"{{"role":"{role}","content":"{}"}}"#, words.join(" "))
    }
}

/// What a store costs that has become large; run with `-- large`.
async fn large() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("chiton.db");
    let store = Store::open(&path)?;
    let mut chance = Chance(7);
    let started = Instant::now();
    for session in 0..LARGE / 1000 {
        let said = |number: u64, chance: &mut Chance| ImportedMessage {
            body: chance.message(if number.is_multiple_of(2) { "user" } else { "assistant" }),
            at_ms: number.cast_signed(),
        };
        let messages = (0..1000).map(|number| said(number, &mut chance)).collect();
        store.import_session(&format!("mail:{session}"), 0, messages).await?;
    }
    let bytes = std::fs::metadata(&path)?.len();
    println!("{LARGE} messages brought in {:?}: {} MB", started.elapsed(), bytes >> 20);
    for (name, scope) in [("all", Scope::All), ("one", Scope::Session("mail:7".into()))] {
        let queries: [(&str, Query); 4] = [
            ("2 words in 1 % and 0.5 %", |chance| format!("topic{} word{}", chance.below(100), chance.below(RARE))),
            ("3 words in 0.5 %", |chance| (0..3).map(|_| format!("word{} ", chance.below(RARE))).collect()),
            ("1 word in 1 %", |chance| format!("topic{}", chance.below(100))),
            ("1 word in 30 %", |chance| format!("common{}", chance.below(30))),
        ];
        for (kind, query) in queries {
            let mut times = Vec::new();
            for _query in 0..100 {
                let query = query(&mut chance);
                let started = Instant::now();
                store.search(&query, scope.clone(), 20).await?;
                times.push(started.elapsed());
            }
            println!("search of {kind} in {name}: {}", spread(times));
        }
    }
    appends(&store, &mut chance).await?;
    let started = Instant::now();
    store.delete_session("mail:7").await?;
    println!("a session of 1000 messages deleted to the last byte in {:?}", started.elapsed());
    long_session(&folder.path().join("long.db")).await
}

/// What it costs that each message is in the index, and how long the index ever keeps a writer.
async fn appends(store: &Store, chance: &mut Chance) -> Result<(), Box<dyn Error>> {
    for (kind, role) in [("not indexed", "tool"), ("indexed", "assistant")] {
        let turn = begin(store, kind).await?;
        let (mut times, before) = (Vec::new(), cpu());
        for _append in 0..20_000 {
            let message = chance.message(role);
            let started = Instant::now();
            store.append(turn, &message).await?;
            times.push(started.elapsed());
        }
        println!("append {kind}: {:?} of CPU; {}", (cpu() - before) / 20_000, spread(times));
    }
    Ok(())
}

async fn begin(store: &Store, chat: &str) -> Result<TurnId, Box<dyn Error>> {
    let message = NewMessage {
        channel: "bench".into(),
        account: String::new(),
        external_id: chat.into(),
        chat_id: chat.into(),
        sender: "ann".into(),
        text: "go".into(),
        metadata: None,
    };
    store.accept(message).await?;
    Ok(store.next_turn(&format!("bench:{chat}")).await?.ok_or("no turn")?.id)
}

/// Opens a database whose only session has 10,000 messages of 1 KB, and reads a window of 600 KB.
async fn long_session(path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let said = |number: usize| {
        let role = if number.is_multiple_of(2) { "user" } else { "assistant" };
        let body = format!(r#"{{"role":"{role}","content":"{number} {}"}}"#, "x".repeat(960));
        ImportedMessage { body, at_ms: 1 }
    };
    let store = Store::open(path)?;
    store.import_session(SESSION, 0, (0..10_000).map(said).collect()).await?;
    drop(store);
    let mut times = Vec::new();
    for _open in 0..50 {
        let started = Instant::now();
        let store = Store::open(path)?;
        let turns = store.history(SESSION, 600_000).await?.turns.len();
        times.push(started.elapsed());
        assert!(turns > 200, "{turns}");
    }
    println!("open and read a window of 600 KB of 10,000 messages: {}", spread(times));
    Ok(())
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 1000];
    format!("p50 {:?}, p95 {:?}, p99.9 {:?}, most {:?}", at(500), at(950), at(999), at(1000))
}
