//! The tour: what a stranger without a model sees. The model is a script; the agent, the sandbox,
//! the components, the files and the refusals are real.

mod script;

use crate::builtin::BuiltIn;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::terminal::stream::Stream;
use crate::terminal::style::{Style, one_line};
use crate::terminal::{progress, view};
use crate::tools;
use chiton_agent::{Agent, AgentOptions, AgentSettings, TurnEvent};
use chiton_providers::ScriptedProvider;
use chiton_sandbox::{Access, AuditRecord, Component, FileGrant, Grants, Limits, Sandbox, SessionRights, Verdict};
use chiton_store::{NewMessage, Store};
use script::{FILE, Scene, Step};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

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
    let seen = Arc::new(Seen::default());
    let counted = seen.clone();
    let audit = Arc::new(move |record: AuditRecord| counted.count(&record));
    let sandbox = tools::sandbox(settings, audit)?;
    let components = load(&sandbox);
    let [file, greet, next, runaway] = progress::while_slow("compiling the tools, once", components).await?;
    sandbox.publish(
        "file",
        file,
        Grants {
            files: vec![FileGrant::directory(&workspace, Access::Write).map_err(Failure::because(Exit::State))?],
            limits: None,
        },
    )?;
    sandbox.publish("greet", greet.clone(), Grants::default())?;
    sandbox.publish(
        "runaway",
        runaway,
        Grants { files: Vec::new(), limits: Some(Limits { time: RUNAWAY.0, memory: RUNAWAY.1, ..Limits::default() }) },
    )?;

    let scenes = Arc::new(script::scenes());
    let provider = demo_model(scenes.clone(), seen.clone(), sandbox.clone(), next.clone());
    let agent = Agent::new(AgentOptions {
        sandbox: sandbox.clone(),
        store: Store::open(folder.path().join("tour.db"))?,
        provider: Arc::new(provider),
        settings: AgentSettings::new(&workspace, "demo"),
    });
    introduce(&workspace);
    for (index, scene) in scenes.iter().enumerate() {
        seen.scene.store(index, Ordering::SeqCst);
        println!("\n{}", Style::Bold.paint(format!("{}. {}", index + 1, scene.title)));
        println!("{} {}", Style::Dim.paint("you ›"), scene.ask);
        let swap = || swapped(&greet, &next, &seen);
        show(&agent, scene, index, &swap).await?;
    }
    agent.shutdown().await;
    conclude(&seen);
    Ok(())
}

async fn load(sandbox: &Sandbox) -> Result<[Arc<Component>; 4], Failure> {
    let mut components = Vec::new();
    for name in ["file", "greet", "greet-next", "runaway"] {
        let built_in =
            BuiltIn::named(name).ok_or_else(|| Failure::new(Exit::Failure, "a part of the tour is missing"))?;
        components.push(built_in.load(sandbox).await?);
    }
    components.try_into().map_err(|_| Failure::new(Exit::Failure, "a part of the tour is missing"))
}

/// A model that follows the script and replaces the greeting tool where the script says so.
fn demo_model(scenes: Arc<Vec<Scene>>, seen: Arc<Seen>, sandbox: Sandbox, next: Arc<Component>) -> ScriptedProvider {
    let pace = if std::io::stdout().is_terminal() { PACE } else { Duration::ZERO };
    let model = ScriptedProvider::new("demo", move |request| {
        let index = seen.scene.load(Ordering::SeqCst);
        let done = script::results_so_far(request);
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

fn introduce(workspace: &std::path::Path) {
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
        channel: "tour".to_owned(),
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
                if verdict == Verdict::Allowed && matches!(name.as_str(), "greet" | "runaway") {
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
