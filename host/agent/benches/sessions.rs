//! A thousand sessions at once, and a year of one bot: turns a second, memory, and whether anything is lost when the
//! host dies in the middle.
//!
//! The models answer at once and in the process. A death is an agent that is dropped with its runtime in the middle of
//! turns; the store's file is all that the next one has. (Real SIGKILLs are in `host/cli/tests/crash.rs`.)

use chiton_agent::{Agent, AgentOptions, AgentSettings, TurnEvent, init_workspace};
use chiton_providers::{ChatRequest, Model, Models, Price, Reply, ScriptedProvider, Usage};
use chiton_sandbox::{Compiler, Grants, Limits, Sandbox, SandboxOptions, SessionRights};
use chiton_store::{NewMessage, Store};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SESSIONS: usize = 1_000;
const TURNS_EACH: usize = 5;
const YEAR: usize = 10_000;
const DEATHS: usize = 100;
const VENDORS: [&str; 5] = ["openai", "anthropic", "gemini", "deepseek", "mistral"];

/// Five models that each call a tool once for a message and then answer with its number.
struct Five(Vec<Arc<Model>>);

impl Five {
    fn new(malformed: &Arc<AtomicUsize>, largest: &Arc<AtomicUsize>) -> Self {
        let model = |vendor: &&str| {
            let (malformed, largest) = (malformed.clone(), largest.clone());
            let answer = move |asked: &ChatRequest<'_>| {
                let size = asked.messages.iter().map(|message| message.len()).sum();
                largest.fetch_max(size, Ordering::Relaxed);
                malformed.fetch_add(usize::from(!is_well_formed(asked)), Ordering::Relaxed);
                let mut reply = match asked.messages.last() {
                    _ if asked.tools.is_none() => Reply::text("## Facts\nA summary of what was said."),
                    Some(last) if last.contains(r#""role":"tool""#) => Reply::text("word ".repeat(60)),
                    _ => Reply::calls("", [("call_1", "answer", serde_json::Map::new())]),
                };
                reply.usage = Usage { input_tokens: size as u64 / 4, output_tokens: 50, ..Usage::default() };
                reply
            };
            Arc::new(Model {
                title: format!("{vendor}/instant"),
                provider: Arc::new(ScriptedProvider::new(*vendor, answer)),
                name: "instant".into(),
                max_tokens: None,
                temperature: None,
                context_window_tokens: None,
                price: None,
            })
        };
        Self(VENDORS.iter().map(model).collect())
    }
}

impl Models for Five {
    fn named(&self, name: Option<&str>) -> std::result::Result<Arc<Model>, String> {
        let named = self.0.iter().find(|model| Some(model.title.as_str()) == name);
        Ok(named.unwrap_or(&self.0[0]).clone())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|model| model.title.clone()).collect()
    }

    fn price(&self, _: &str) -> Option<Price> {
        None
    }
}

/// Each call has its result right behind it.
fn is_well_formed(asked: &ChatRequest<'_>) -> bool {
    let mut open = 0;
    for message in asked.messages {
        let message: serde_json::Value = serde_json::from_str(message).unwrap_or_default();
        match message["role"].as_str() {
            Some("tool") if open > 0 => open -= 1,
            Some("user" | "assistant" | "system") if open == 0 => {
                open = message["tool_calls"].as_array().map_or(0, Vec::len);
            }
            _ => return false,
        }
    }
    open == 0
}

struct Bench {
    _directory: tempfile::TempDir,
    root: PathBuf,
    sandbox: Sandbox,
    models: Arc<Five>,
    malformed: Arc<AtomicUsize>,
    largest: Arc<AtomicUsize>,
}

impl Bench {
    async fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let root = directory.path().to_owned();
        init_workspace(&root.join("workspace"))?;
        let sandbox = Sandbox::new(SandboxOptions {
            cache_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-code"),
            compiler: Compiler::InProcess,
            audit: Arc::new(|_| {}),
            ceiling: Limits::default(),
            total_memory: 512 << 20,
            protected: Vec::new(),
            closed_to_skills: Vec::new(),
        })?;
        let tool = sandbox.load(chiton_hostile::tool("answer")).await?;
        sandbox.publish("answer", tool, Grants::default())?;
        let (malformed, largest) = Default::default();
        let models = Arc::new(Five::new(&malformed, &largest));
        Ok(Self { _directory: directory, root, sandbox, models, malformed, largest })
    }

    /// An agent on what the last one left.
    fn agent(&self, store: &Store, window: usize) -> Result<Agent> {
        Ok(Agent::new(AgentOptions {
            sandbox: self.sandbox.clone(),
            store: store.clone(),
            models: self.models.clone(),
            desk: None,
            settings: AgentSettings {
                context_window_tokens: window / 3 + 9_216,
                max_concurrent_turns: 64,
                ..AgentSettings::new(self.root.join("workspace"))
            },
        })?)
    }

    fn store(&self) -> Result<Store> {
        Ok(Store::open(self.root.join("chiton.db"))?)
    }
}

fn message(chat: &str, number: usize, text: &str) -> NewMessage {
    NewMessage {
        channel: "bench".into(),
        account: String::new(),
        external_id: format!("{chat}:{number}"),
        chat_id: chat.into(),
        sender: "ann".into(),
        text: text.into(),
        metadata: None,
    }
}

async fn turn(agent: &Agent, chat: &str, number: usize, text: &str) -> Result<()> {
    let session = format!("bench:{chat}");
    let mut events = agent.submit(message(chat, number, text), SessionRights::of(session)).await?.events;
    while let Some(event) = events.recv().await {
        match event {
            TurnEvent::Finished { .. } => return Ok(()),
            TurnEvent::Failed { error, .. } => return Err(error.into()),
            _ => {}
        }
    }
    Err("the turn was not finished".into())
}

async fn parallel(bench: &Bench) -> Result<()> {
    let store = bench.store()?;
    let agent = bench.agent(&store, 200_000)?;
    turn(&agent, "warm", 0, "hello").await?;
    let started = Instant::now();
    let mut sessions = tokio::task::JoinSet::new();
    for session in 0..SESSIONS {
        let agent = agent.clone();
        sessions.spawn(async move {
            for number in 0..TURNS_EACH {
                turn(&agent, &session.to_string(), number, "hello there").await?;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = sessions.join_next().await {
        ended??;
    }
    let turns = SESSIONS * TURNS_EACH;
    let rate = turns as f64 / started.elapsed().as_secs_f64();
    println!("{SESSIONS} sessions at once: {rate:.0} turns/s (bar 500), RSS {} MiB (bar 200)", rss()?);
    agent.shutdown().await;
    Ok(())
}

/// 10,000 turns over five vendors in one session, with 100 deaths in the middle of turns.
fn year(bench: &Bench) -> Result<()> {
    let (mut number, mut costs) = (0, Vec::new());
    for life in 0..=DEATHS {
        let runtime = Runtime::new()?;
        let until = YEAR * (life + 1) / (DEATHS + 1);
        runtime.block_on(async {
            let store = bench.store()?;
            let agent = bench.agent(&store, 60_000)?;
            agent.resume().await?;
            let begun = (cpu_ms()?, number);
            while number < until {
                if number % 400 == 0 {
                    let vendor = VENDORS[number / 400 % VENDORS.len()];
                    turn(&agent, "year", YEAR + number, &format!("/model {vendor}/instant")).await?;
                }
                turn(&agent, "year", number, &format!("message {number} of the year")).await?;
                number += 1;
            }
            costs.push((cpu_ms()? - begun.0) / (number - begun.1).max(1) as f64);
            // The last one of this life is taken, and the host dies before it is answered.
            if life < DEATHS {
                let text = format!("message {number} of the year");
                agent.submit(message("year", number, &text), SessionRights::of("bench:year")).await?;
                number += 1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        })?;
        runtime.shutdown_timeout(Duration::from_millis(1));
    }
    Runtime::new()?.block_on(async {
        let store = bench.store()?;
        bench.agent(&store, 60_000)?.resume().await?;
        while !store.waiting_sessions().await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (mut seen, mut before) = (BTreeMap::<usize, usize>::new(), None);
        loop {
            let page = store.read_messages("bench:year", before, 500).await?;
            let Some(oldest) = page.iter().map(|row| row.id).min() else { break };
            for row in page.iter().filter(|row| row.role == "user") {
                let number = row.text.strip_prefix("message ").and_then(|rest| rest.split(' ').next()?.parse().ok());
                number.into_iter().for_each(|number| *seen.entry(number).or_default() += 1);
            }
            before = Some(oldest);
        }
        let lost = (0..number).filter(|number| !seen.contains_key(number)).count();
        let twice = seen.values().filter(|times| **times > 1).count();
        let quarter = costs.len() / 4;
        let mean = |costs: &[f64]| costs.iter().sum::<f64>() / costs.len().max(1) as f64;
        println!(
            "{number} turns, {DEATHS} deaths, {} vendors: {lost} lost, {twice} answered twice, {} malformed requests",
            VENDORS.len(),
            bench.malformed.load(Ordering::Relaxed)
        );
        println!(
            "CPU a turn: {:.2} ms in the first quarter, {:.2} ms in the last; largest request {} KB",
            mean(&costs[..quarter]),
            mean(&costs[costs.len() - quarter..]),
            bench.largest.load(Ordering::Relaxed) / 1_000
        );
        Ok(())
    })
}

/// Resident memory of this process in MiB.
fn rss() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()? / 1024)
}

/// CPU time of this process so far, in milliseconds.
fn cpu_ms() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) * 10.0)
}

fn main() -> Result<()> {
    let bench = {
        let runtime = Runtime::new()?;
        let bench = runtime.block_on(Bench::new())?;
        runtime.block_on(parallel(&bench))?;
        bench
    };
    year(&bench)
}
