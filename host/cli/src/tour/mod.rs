//! The tour: what a stranger without a model sees. The model is a script; the agent, the sandbox,
//! the components, the files and the refusals are real.

mod page;
mod script;

use crate::builtin::{self, BuiltIn};
use crate::exit::{Exit, Failure};
use crate::ports;
use crate::programs;
use crate::settings::Settings;
use crate::terminal::stream::Stream;
use crate::terminal::style::{Style, one_line};
use crate::terminal::{progress, view};
use crate::tools;
use chiton_agent::{Agent, AgentOptions, AgentSettings, TurnEvent};
use chiton_providers::{OneModel, ScriptedProvider};
use chiton_sandbox::{AuditRecord, Component, Grants, Limits, Ports, Sandbox, SessionRights, Verdict};
use chiton_schedule::{Scheduler, SchedulerOptions, SystemClock};
use chiton_store::{NewMessage, Store};
use script::{FILE, Scene, Step};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The channel of the tour's one chat.
const CHANNEL: &str = "tour";
/// The pause after each word of the scripted model where somebody is watching.
const PACE: Duration = Duration::from_millis(18);
/// What the tour's hostile component may use.
const RUNAWAY: (Duration, u64) = (Duration::from_millis(500), 32 << 20);

/// What has been seen while the tour ran.
#[derive(Default)]
struct Seen {
    scene: AtomicUsize,
    calls: AtomicUsize,
    denials: AtomicUsize,
    /// How long the swap took.
    swap: OnceLock<Duration>,
}

/// Plays the tour on standard output, in a folder of its own that is removed afterwards. Fails if
/// anything ends otherwise than the script says.
pub async fn play(settings: &Settings) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("chiton-tour-").tempdir()?;
    let workspace = folder.path().join("workspace");
    std::fs::create_dir(&workspace)?;
    std::fs::write(workspace.join(FILE.0), FILE.1)?;
    let page = page::serve(script::PAGE).await?;
    let seen = Arc::new(Seen::default());
    let counted = seen.clone();
    let audit = Arc::new(move |record: AuditRecord| counted.count(&record));
    let sandbox = tools::sandbox(settings, audit)?;
    let stage = Stage { folder: folder.path(), workspace: &workspace, sandbox: sandbox.clone() };
    let parts = stage.publish(&page);
    let (greet, next) = progress::while_slow("compiling the tools, once", parts).await?;
    for wrong in programs::publish(&sandbox, settings) {
        eprintln!("warning: {wrong}");
    }
    let warming = async {
        for program in ["seq", "grep", "sh"] {
            sandbox.warm_program(program).await?;
        }
        Ok::<_, Failure>(())
    };
    progress::while_slow("compiling the programs of the shell, once", warming).await?;

    let scenes = Arc::new(script::scenes(&page));
    let model = Arc::new(demo_model(scenes.clone(), seen.clone(), sandbox.clone(), next.clone()));
    let bot = stage.start(model.clone())?;
    introduce(&workspace);
    for (index, scene) in scenes.iter().enumerate() {
        seen.scene.store(index, Ordering::SeqCst);
        println!("\n{}", Style::Bold.paint(format!("{}. {}", index + 1, scene.title)));
        println!("{} {}", Style::Dim.paint("you ›"), scene.ask);
        let swap = || swapped(&greet, &next, &seen);
        show(&bot.agent, scene, index, &swap).await?;
    }
    bot.stop().await;
    remind(stage.start(model)?).await?;
    conclude(&seen);
    Ok(())
}

/// Where the tour takes place.
struct Stage<'a> {
    folder: &'a Path,
    workspace: &'a Path,
    sandbox: Sandbox,
}

/// The bot of the tour, from one start to one stop.
struct Bot {
    agent: Agent,
    ending: CancellationToken,
}

impl Stage<'_> {
    /// Makes the tools callable, and gives the greeting tool and the one that replaces it.
    async fn publish(&self, page: &str) -> Result<(Arc<Component>, Arc<Component>), Failure> {
        let grant = |text: String| {
            let mut grants = Grants { limits: Some(builtin::ceiling()), ..Grants::default() };
            grants.add(&text, self.workspace).map(|()| grants)
        };
        let folder = format!("files={}:write", self.workspace.display());
        let limits = Limits { time: RUNAWAY.0, memory: RUNAWAY.1, ..Limits::default() };
        let given = [
            ("file", grant(folder.clone())?),
            ("exec", grant(folder)?),
            ("web", grant(format!("network=private:{page}"))?),
            ("cron", grant("schedule=this-chat".to_owned())?),
            ("spawn", grant("agents=spawn".to_owned())?),
            ("greet", Grants::default()),
            ("runaway", Grants { limits: Some(limits), ..Grants::default() }),
        ];
        let (mut greet, next) = (None, load(&self.sandbox, "greet-next").await?);
        for (name, grants) in given {
            let component = load(&self.sandbox, name).await?;
            if name == "greet" {
                greet = Some(component.clone());
            }
            self.sandbox.publish(name, component, grants)?;
        }
        Ok((greet.ok_or_else(missing)?, next))
    }

    /// Starts the bot on what the last one left in the database.
    fn start(&self, model: Arc<ScriptedProvider>) -> Result<Bot, Failure> {
        let store = Store::open(self.folder.join("tour.db"))?;
        let agent = Agent::new(AgentOptions {
            sandbox: self.sandbox.clone(),
            store: store.clone(),
            models: Arc::new(OneModel::new(model, "demo")),
            desk: None,
            settings: AgentSettings::new(self.workspace),
        })?;
        let scheduler = Scheduler::new(SchedulerOptions {
            store,
            zone: chiton_agent::zone(None),
            clock: Arc::new(SystemClock),
            limits: chiton_schedule::Limits::default(),
        });
        let mut ports = Ports::clone(&self.sandbox.ports());
        ports.schedule = Some(Arc::new(ports::Schedule(scheduler.clone())));
        ports.agents = Some(Arc::new(agent.clone()));
        self.sandbox.set_ports(ports);
        let (ending, woken) = (CancellationToken::new(), Arc::new(ports::Woken(agent.clone())));
        let until = ending.clone();
        tokio::spawn(async move { scheduler.run(woken, until).await });
        Ok(Bot { agent, ending })
    }
}

impl Bot {
    async fn stop(self) {
        self.ending.cancel();
        self.agent.shutdown().await;
    }
}

/// Waits for the reminder that the bot before this one was asked for.
async fn remind(bot: Bot) -> Result<(), Failure> {
    println!("{}", Style::Notice.paint("⟳ stopped, and started again from its database"));
    let mut outbox = bot.agent.outbox_changes();
    let begun = Instant::now();
    let reminded = async {
        loop {
            let answers = bot.agent.store().pending_outbox(CHANNEL).await?;
            if answers.iter().any(|answer| answer.text == script::REMINDER) {
                return Ok::<_, Failure>(());
            }
            if outbox.changed().await.is_err() {
                return Err(wrong("cron", "the bot ended"));
            }
        }
    };
    let reminded = tokio::time::timeout(script::REMINDER_AFTER * 10, reminded).await;
    reminded.map_err(|_| wrong("cron", "the reminder did not come"))??;
    println!("{} {}", Style::Good.paint("⏰"), script::REMINDER);
    println!("{}", Style::Dim.paint(format!("  after {:.1} s", begun.elapsed().as_secs_f32())));
    bot.stop().await;
    Ok(())
}

async fn load(sandbox: &Sandbox, name: &str) -> Result<Arc<Component>, Failure> {
    Ok(BuiltIn::named(name).ok_or_else(missing)?.load(sandbox).await?)
}

fn missing() -> Failure {
    Failure::new(Exit::Failure, "a part of the tour is missing")
}

/// A model that follows the script and replaces the greeting tool where the script says so.
fn demo_model(scenes: Arc<Vec<Scene>>, seen: Arc<Seen>, sandbox: Sandbox, next: Arc<Component>) -> ScriptedProvider {
    let pace = if std::io::stdout().is_terminal() { PACE } else { Duration::ZERO };
    let model = ScriptedProvider::new("demo", move |request| {
        let index = seen.scene.load(Ordering::SeqCst);
        let done = script::results_so_far(request);
        if let Some(reply) = script::aside(request, done, &format!("demo-{index}-{done}")) {
            return reply;
        }
        let scene = &scenes[index];
        if scene.steps.get(done).is_some_and(|step| step.after_swap) {
            let started = Instant::now();
            // A refused swap shows in the next answer, which the script checks.
            if sandbox.publish("greet", next.clone(), Grants::default()).is_ok() {
                seen.swap.get_or_init(|| started.elapsed());
            }
        }
        script::reply(scene, done, format!("demo-{index}-{done}"))
    });
    model.with_pace(pace)
}

impl Seen {
    fn count(&self, record: &AuditRecord) {
        let counter = match record.verdict {
            Verdict::Denied => &self.denials,
            _ if record.operation == "call" => &self.calls,
            _ => return,
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

fn introduce(workspace: &Path) {
    println!("{}", Style::Bold.paint("Chiton: a tour of the sandbox"));
    println!(
        "{}",
        Style::Dim.paint(format!(
            "No AI is used: the model 'demo' follows a script. All else is real: its tools are WASI\n\
             components, each call in a fresh instance, at work in\n{}.",
            workspace.display()
        ))
    );
}

fn conclude(seen: &Seen) {
    println!(
        "\n{} {} calls and {} denials are in the audit trail of this tour.",
        Style::Good.paint("The tour is over."),
        seen.calls.load(Ordering::SeqCst),
        seen.denials.load(Ordering::SeqCst)
    );
    println!("To use a model: `chiton chat` in a terminal asks for one. To call a tool without a model:");
    println!("  chiton tool call list_dir '{{\"path\": \".\"}}' --grant files=.:read");
}

fn swapped(before: &Component, after: &Component, seen: &Seen) -> String {
    let took = seen.swap.get().copied().unwrap_or_default();
    format!(
        "greet: {} replaced by {} in {:.2} ms, with the bot running",
        before.digest().short(),
        after.digest().short(),
        took.as_secs_f64() * 1_000.0
    )
}

/// Runs one scene through the agent and shows it.
async fn show(agent: &Agent, scene: &Scene, index: usize, swapped: &dyn Fn() -> String) -> Result<(), Failure> {
    let message = NewMessage {
        channel: CHANNEL.to_owned(),
        account: String::new(),
        external_id: format!("scene-{index}"),
        chat_id: "demo".to_owned(),
        sender: "you".to_owned(),
        text: scene.ask.to_owned(),
        metadata: None,
    };
    let mut turn =
        agent.submit(message, SessionRights::of("tour:demo")).await.map_err(Failure::because(Exit::State))?.events;
    let mut steps = scene.steps.iter();
    let mut label = String::new();
    let mut answer = Stream::new();
    while let Some(event) = turn.recv().await {
        match event {
            TurnEvent::ToolStarted { name, arguments, .. } => label = view::label(&name, &arguments),
            TurnEvent::ToolFinished { name, verdict, duration_ms, summary, .. } => {
                let step = steps.next();
                if step.is_some_and(|step| step.after_swap) {
                    println!("{}", Style::Notice.paint(format!("⇄ {}", swapped())));
                }
                println!("{}", view::finished(&label, verdict, duration_ms, &summary));
                if verdict == Verdict::Allowed
                    && matches!(name.as_str(), "greet" | "runaway" | "exec" | "spawn" | "cron")
                {
                    println!("  {}", Style::Dim.paint(one_line(&summary, 100)));
                }
                check(step, &name, verdict, &summary)?;
            }
            TurnEvent::Text { delta } => answer.push(&delta)?,
            TurnEvent::Finished { .. } => answer.finish()?,
            TurnEvent::Failed { error, .. } => return Err(Failure::new(Exit::Failure, error)),
            _ => {}
        }
    }
    match steps.next() {
        None => Ok(()),
        Some(step) => Err(wrong(step.tool, "it was not called")),
    }
}

/// A tour that shows something else than what it claims would be worse than none.
fn check(step: Option<&Step>, name: &str, verdict: Verdict, summary: &str) -> Result<(), Failure> {
    let Some(step) = step else {
        return Err(wrong(name, "it was called once too often"));
    };
    if step.tool != name || step.verdict != verdict || !summary.contains(step.says) {
        return Err(wrong(name, summary));
    }
    Ok(())
}

fn wrong(tool: &str, what: &str) -> Failure {
    Failure::new(
        Exit::Failure,
        format!("the tour did not go as it should at '{tool}' ({what}); this is a defect of Chiton, please report it"),
    )
}
