//! What a turn with one tool call costs beside the model: CPU of the whole process, the store's thread and the
//! sandbox included, at the 10th and at the 5,000th turn of a session whose window is full.
//!
//! The model answers at once and in the process, so the body of the request is not built: what that costs is
//! measured by the `codec` bench of `host/providers`.

use chiton_agent::{Agent, AgentOptions, AgentSettings, TurnEvent, init_workspace};
use chiton_providers::{OneModel, Reply, ScriptedProvider};
use chiton_sandbox::{Compiler, Grants, Limits, Sandbox, SandboxOptions, SessionRights};
use chiton_store::{NewMessage, NewOutbox, Outcome, Store};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Turns of one measurement.
const MEASURED: usize = 100;
/// Ticks in a second, the same on every Linux.
const TICKS: f64 = 100.0;

struct Bench {
    _directory: tempfile::TempDir,
    sandbox: Sandbox,
    store: Store,
    provider: Arc<ScriptedProvider>,
    settings: AgentSettings,
    agent: Agent,
    /// Bytes of the newest request.
    request: Arc<AtomicUsize>,
    text: String,
}

impl Bench {
    /// A session with a window of `window` bytes that fills in about eight turns.
    async fn new(window: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let workspace = directory.path().join("workspace");
        init_workspace(&workspace)?;
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
        let request = Arc::new(AtomicUsize::new(0));
        let seen = request.clone();
        let provider = ScriptedProvider::new("instant", move |asked| {
            seen.store(asked.messages.iter().map(|message| message.len()).sum(), Ordering::Relaxed);
            match asked.messages.last() {
                // A summary is asked for without tools.
                _ if asked.tools.is_none() => Reply::text("summary"),
                Some(last) if last.contains(r#""role":"tool""#) => Reply::text("done"),
                _ => Reply::calls("", [("call_1", "answer", serde_json::Map::new())]),
            }
        });
        let settings = AgentSettings {
            context_window_tokens: window / 3 + 9_216,
            max_concurrent_turns: 1,
            ..AgentSettings::new(workspace)
        };
        let store = Store::open(directory.path().join("chiton.db"))?;
        let provider = Arc::new(provider);
        let agent = agent(&sandbox, &store, &provider, &settings)?;
        let text = "word ".repeat(window / 40);
        Ok(Self { _directory: directory, sandbox, store, provider, settings, agent, request, text })
    }

    /// A new agent on the same store, which knows the session only from there.
    fn start_anew(&mut self) -> Result<()> {
        self.agent = agent(&self.sandbox, &self.store, &self.provider, &self.settings)?;
        Ok(())
    }

    fn message(&self, number: usize) -> NewMessage {
        NewMessage {
            channel: "bench".into(),
            account: String::new(),
            external_id: number.to_string(),
            chat_id: "a".into(),
            sender: "ann".into(),
            text: self.text.clone(),
            metadata: None,
        }
    }

    async fn turn(&self, number: usize) -> Result<()> {
        let mut events = self.agent.submit(self.message(number), SessionRights::of("bench:a")).await?.events;
        while let Some(event) = events.recv().await {
            match event {
                TurnEvent::Finished { .. } => return Ok(()),
                TurnEvent::Failed { error, .. } => return Err(error.into()),
                _ => {}
            }
        }
        Err("the turn was not finished".into())
    }

    /// Turns that are only written down, to make the session long.
    async fn written(&self, numbers: std::ops::Range<usize>) -> Result<()> {
        let store = &self.store;
        for number in numbers {
            store.accept(self.message(number)).await?;
            let turn = store.next_turn("bench:a").await?.ok_or("no turn")?;
            let answer = NewOutbox { channel: "bench".into(), chat_id: "a".into(), text: "done".into() };
            let message = r#"{"role":"assistant","content":"done"}"#;
            store.finish_turn(turn.id, Some(message), Outcome::Done, Some(answer)).await?;
        }
        Ok(())
    }

    async fn measure(&self, first: usize) -> Result<f64> {
        let (cpu, clock, mut bytes) = (cpu_ms()?, Instant::now(), 0);
        for number in first..first + MEASURED {
            self.turn(number).await?;
            bytes += self.request.load(Ordering::Relaxed);
        }
        let each = |sum: f64| sum / MEASURED as f64;
        let (cpu, megabytes) = (each(cpu_ms()? - cpu), each(bytes as f64) / 1e6);
        let clock = each(clock.elapsed().as_secs_f64() * 1e3);
        let bar = 2.0 + 2.0 * megabytes;
        println!("turn {first:>5}: {cpu:.2} ms CPU, {clock:.2} ms, request {megabytes:.2} MB (bar {bar:.2} ms CPU)");
        Ok(cpu)
    }
}

fn agent(
    sandbox: &Sandbox,
    store: &Store,
    provider: &Arc<ScriptedProvider>,
    settings: &AgentSettings,
) -> Result<Agent> {
    Ok(Agent::new(AgentOptions {
        sandbox: sandbox.clone(),
        store: store.clone(),
        models: Arc::new(OneModel::new(provider.clone(), "instant")),
        desk: None,
        settings: settings.clone(),
    })?)
}

/// CPU time of this process so far, in milliseconds.
fn cpu_ms() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit_once(')').ok_or("/proc/self/stat has no name")?.1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks * 1e3 / TICKS)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    for window in [20_000, 200_000, 1_000_000] {
        let mut bench = Bench::new(window).await?;
        for number in 0..10 {
            bench.turn(number).await?;
        }
        let early = bench.measure(10).await?;
        bench.written(10 + MEASURED..5_000).await?;
        bench.start_anew()?;
        let late = bench.measure(5_000).await?;
        println!("window of {window} bytes: turn 5,000 costs {:.2} times turn 10\n", late / early);
    }
    Ok(())
}
