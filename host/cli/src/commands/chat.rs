//! `chiton chat`

use super::{print_json, setup};
use crate::arguments::Chat;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::host::outbox_of;
use crate::model;
use crate::process;
use crate::request::{Reply, Request};
use crate::rows;
use crate::settings::{Settings, current_directory, existing_directory};
use crate::terminal::echo::Silence;
use crate::terminal::line::{LineEditor, Typed};
use crate::terminal::markdown;
use crate::terminal::progress::{self, COMPILING};
use crate::terminal::stream;
use crate::terminal::style::{self, Style};
use crate::terminal::view::View;
use crate::tour;
use chiton_agent::TurnEvent;
use chiton_sandbox::{Access, FileGrant, Grants};
use rustyline::ExternalPrinter;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// The chat that `chiton chat` talks in.
const CHAT: &str = "default";
/// How often the prompt looks for what came meanwhile.
const ANNOUNCE: Duration = Duration::from_secs(1);
/// The prompt waits so long for the tools, which are compiled at the first start in a home.
const PATIENCE: Duration = Duration::from_millis(500);
/// Programs are compiled ahead when the chat has been open for so long.
const QUIET: Duration = Duration::from_secs(5);
/// Most bytes of a message from standard input.
const MAX_INPUT: u64 = 4 << 20;
/// What the terminal does itself; the bot answers all other commands.
const LEAVE: [&str; 2] = ["/exit", "/quit"];
/// Stands below the bot's own list of commands.
const HELP: &str = "/exit or Ctrl-D leaves. Ctrl-C ends an answer. Alt-Enter or a \\ at the end begins a new line.";

/// Talks with the bot, or asks it once.
pub fn run(runtime: &Runtime, chat: Chat, json: bool) -> Result<(), Failure> {
    let session = Session::new(&chat)?;
    let settings = Settings::load()?;
    let has_model = model::configured(&settings.config)?.is_some();
    let terminal = io::stdin().is_terminal();
    let message = match chat.message {
        Some(text) if text == "-" => Some(read_input()?),
        Some(text) => Some(text),
        None if !terminal && has_model => Some(read_input()?),
        None => None,
    };
    if process::is_root() {
        eprintln!("{}", process::ROOT_WARNING);
    }
    match message {
        Some(_) if !has_model => Err(model::none_configured()),
        Some(message) => runtime.block_on(ask_once(settings, &session, message, json)),
        None if !terminal => runtime.block_on(tour::play(&settings)),
        None if has_model => talk(runtime, settings, &session),
        None => match setup::choose(runtime, settings)? {
            setup::Choice::Model(settings) => talk(runtime, *settings, &session),
            setup::Choice::Tour(settings) => runtime.block_on(tour::play(&settings)),
            setup::Choice::Nothing => Ok(()),
        },
    }
}

fn read_input() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_INPUT).read_to_string(&mut text)?;
    match text.trim() {
        "" => Err(Failure::new(Exit::Usage, "there is no message; give one with -m TEXT or on standard input")),
        _ => Ok(text),
    }
}

/// What holds for the messages of one session.
struct Session {
    grants: Option<Grants>,
}

impl Session {
    /// The rights from the command line: the workspace first, as the working directory.
    fn new(chat: &Chat) -> Result<Self, Failure> {
        let base = current_directory()?;
        let granted = rows::parse_all(&chat.grants.grant, &base)?;
        let Some(workspace) = &chat.workspace else {
            return Ok(Self { grants: granted });
        };
        let workspace =
            FileGrant { path: existing_directory(&base.join(workspace))?, access: Access::Write, quota: None };
        let mut grants = granted.unwrap_or_default();
        grants.files.insert(0, workspace);
        Ok(Self { grants: Some(grants) })
    }

    fn message(&self, text: String) -> Request {
        Request::Chat { chat: CHAT.to_owned(), id: uuid::Uuid::now_v7().to_string(), text, grants: self.grants.clone() }
    }
}

async fn ask_once(settings: Settings, session: &Session, text: String, json: bool) -> Result<(), Failure> {
    let door = Door::open(settings).await?;
    if let Some(host) = door.host().await {
        progress::while_slow(COMPILING, host.sandbox()).await?;
    }
    show_waiting(&door).await?;
    let mut view = (!json).then(View::new);
    let result = turn(&door, session.message(text), view.as_mut()).await;
    view.iter_mut().try_for_each(View::settle)?;
    // An interrupted turn was answered before this one.
    show_waiting(&door).await?;
    door.close().await;
    match result? {
        End::Answered(text) if json => print_json(&json!({"answer": text})),
        End::Answered(_) => Ok(()),
        End::Failed(error) => Err(Failure::new(Exit::Provider, error)),
        End::Cancelled => Err(Failure::new(Exit::Cancelled, "cancelled")),
    }
}

/// How a turn ended.
enum End {
    Answered(String),
    Failed(String),
    Cancelled,
}

/// Sends a message and shows its turn. Ctrl-C cancels the turn; a second one does not wait for its end.
async fn turn(door: &Door, message: Request, mut view: Option<&mut View>) -> Result<End, Failure> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut replies = door.ask(message).await?;
    let mut end = None;
    let mut cancelled = false;
    loop {
        let reply = tokio::select! {
            reply = replies.recv() => reply,
            _ = interrupts.recv() => {
                if cancelled {
                    return Ok(End::Cancelled);
                }
                cancelled = true;
                door.done(Request::Cancel { chat: CHAT.to_owned() }).await?;
                continue;
            }
        };
        match reply {
            Some(Reply::Event(event)) => {
                if let Some(view) = &mut view {
                    view.show(&event)?;
                }
                if let Some(outbox) = outbox_of(&event) {
                    let files = seen(door, outbox).await?;
                    match &view {
                        Some(view) => files.iter().for_each(|line| view.note(line)),
                        None => files.iter().for_each(|line| eprintln!("{line}")),
                    }
                }
                end = end.or(ended(event));
            }
            Some(Reply::Failed { exit, message }) => return Err(Failure { exit, message }),
            Some(Reply::Taken | Reply::Progress(_)) => {}
            Some(Reply::Done(_)) | None => return end.ok_or_else(|| door::ended(&"the turn has no end")),
        }
    }
}

fn ended(event: TurnEvent) -> Option<End> {
    match event {
        TurnEvent::Finished { text, .. } => Some(End::Answered(text)),
        TurnEvent::Failed { error, .. } => Some(End::Failed(error)),
        TurnEvent::Cancelled => Some(End::Cancelled),
        _ => None,
    }
}

/// The conversation in a terminal.
fn talk(runtime: &Runtime, settings: Settings, session: &Session) -> Result<(), Failure> {
    println!("{}", greeting(&settings, session)?);
    let history = settings.home.chat_history();
    let mut editor = LineEditor::open(&history, chiton_agent::command_names().chain([LEAVE[0].to_owned()]).collect())
        .map_err(Failure::because(Exit::Failure))?;
    let door = Arc::new(runtime.block_on(Door::open(settings))?);
    if let Some(host) = runtime.block_on(door.host()) {
        let (started, starting) = tokio::sync::oneshot::channel();
        // What is not ready at once gets ready while the owner types.
        runtime.spawn(async move {
            let failed = host.sandbox().await.err();
            if let Some(Some(failure)) = started.send(failed).err() {
                host.notice(failure.message);
            }
            if let Err(failure) = host.agent().await {
                host.notice(failure.message);
            }
            let compiling = async {
                tokio::time::sleep(QUIET).await;
                host.compile_ahead().await;
            };
            if let (Err(failure), ()) = tokio::join!(host.watch(), compiling) {
                host.notice(failure.message);
            }
        });
        let patience = async { tokio::time::timeout(PATIENCE, starting).await };
        if let Ok(Ok(Some(failure))) = runtime.block_on(progress::while_slow(COMPILING, patience)) {
            return Err(failure);
        }
    }
    let typing = Arc::new(tokio::sync::Mutex::new(()));
    let announcing = match editor.printer() {
        Ok(printer) => Some(runtime.spawn(announce(door.clone(), typing.clone(), printer))),
        // Without it, what comes is shown before the next line.
        Err(_) => None,
    };
    let result = converse(runtime, &door, session, &mut editor, &typing);
    if let Some(announcing) = announcing {
        announcing.abort();
        // It holds the door too until it has ended.
        runtime.block_on(announcing).ok();
    }
    if let Some(door) = Arc::into_inner(door) {
        runtime.block_on(door.close());
    }
    result
}

/// Shows what comes while the owner is at the prompt: reminders, reports of sub-agents, notices.
async fn announce(door: Arc<Door>, typing: Arc<tokio::sync::Mutex<()>>, mut printer: impl ExternalPrinter) {
    loop {
        tokio::time::sleep(ANNOUNCE).await;
        let _at_the_prompt = typing.lock().await;
        if let Ok(lines) = waiting(&door).await
            && !lines.is_empty()
        {
            // A terminal that is gone ends the chat elsewhere.
            let _ = printer.print(lines.join("\n") + "\n");
        }
    }
}

/// One line: the model, the working directory, and how to leave.
fn greeting(settings: &Settings, session: &Session) -> Result<String, Failure> {
    let model = model::configured(&settings.config)?.ok_or_else(model::none_configured)?;
    let directory = session.grants.as_ref().and_then(|grants| grants.files.first()).map(|grant| &grant.path);
    let directory = directory.unwrap_or(&settings.workspace).display().to_string();
    let directory = match std::env::home_dir().and_then(|home| home.to_str().map(str::to_owned)) {
        Some(home) if directory.starts_with(&format!("{home}/")) => directory.replacen(&home, "~", 1),
        _ => directory,
    };
    let dim = |text: &str| Style::Dim.paint(text);
    Ok(format!(
        "{} {} {} {} {}",
        Style::Bold.paint("chiton"),
        dim("·"),
        model.title,
        dim(&format!("· {directory} ·")),
        dim("/help, Ctrl-D leaves")
    ))
}

/// `typing` is free while the owner is at the prompt.
fn converse(
    runtime: &Runtime,
    door: &Door,
    session: &Session,
    editor: &mut LineEditor,
    typing: &tokio::sync::Mutex<()>,
) -> Result<(), Failure> {
    let prompt = Style::Bold.paint("› ");
    let mut busy = typing.blocking_lock();
    loop {
        runtime.block_on(show_waiting(door))?;
        drop(busy);
        let typed = editor.read(&prompt);
        busy = typing.blocking_lock();
        let text = match typed.map_err(Failure::because(Exit::Failure))? {
            Typed::Text(text) => text.trim().to_owned(),
            Typed::Interrupted => {
                eprintln!("{}", Style::Dim.paint("Ctrl-D or /exit leaves"));
                continue;
            }
            Typed::End => return Ok(()),
        };
        match text.as_str() {
            "" => {}
            leave if LEAVE.contains(&leave) => return Ok(()),
            text => {
                let silence = Silence::begin();
                let mut view = View::new();
                let result = runtime.block_on(turn(door, session.message(text.to_owned()), Some(&mut view)));
                view.settle()?;
                drop(silence);
                match result {
                    Ok(End::Answered(_)) if text == "/help" => eprintln!("{}", Style::Dim.paint(HELP)),
                    Ok(End::Answered(_)) => {}
                    Ok(End::Cancelled) => eprintln!("{}", Style::Notice.paint("cancelled")),
                    Ok(End::Failed(message)) => eprintln!("{}", Style::Bad.paint(message)),
                    Err(failure) => eprintln!("{}", Style::Bad.paint(failure)),
                }
            }
        }
    }
}

/// Shows answers and notices that came while nobody looked, on standard error: they are not the
/// answer to what is asked now.
async fn show_waiting(door: &Door) -> Result<(), Failure> {
    for line in waiting(door).await? {
        eprintln!("{line}");
    }
    Ok(())
}

/// The lines of what waits; it counts as seen.
async fn waiting(door: &Door) -> Result<Vec<String>, Failure> {
    let waiting = door.done(Request::Waiting { chat: CHAT.to_owned() }).await?;
    let mut lines = Vec::new();
    for notice in waiting["notices"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(Style::Notice.paint(format!("! {notice}")));
    }
    for answer in waiting["answers"].as_array().into_iter().flatten() {
        let text = chiton_agent::inert(answer["text"].as_str().unwrap_or_default()).into_owned();
        lines.push(Style::Dim.paint("meanwhile:"));
        lines.extend(markdown::lines(&text, stream::size().0.min(100), style::colours()));
        if let Some(outbox) = answer["outbox"].as_i64() {
            lines.extend(seen(door, outbox).await?);
        }
    }
    Ok(lines)
}

/// Says that an answer was shown, and gives a line for every file that came with it.
async fn seen(door: &Door, outbox: i64) -> Result<Vec<String>, Failure> {
    let answer = door.done(Request::Seen { outbox }).await?;
    let files = answer["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(files.map(|path| Style::Dim.paint(format!("file: {path}"))).collect())
}
