//! What authors of skills need: make, build, check, try, run while writing, sign.

use super::super::{print_json, print_line};
use super::add::{hint, of_component};
use crate::dialog::Dialog;
use crate::door::Door;
use crate::examples::{self, Outcome};
use crate::exit::{Exit, Failure};
use crate::project;
use crate::request::{Reply, Request};
use crate::settings::{Settings, current_directory};
use crate::skills;
use crate::terminal::progress;
use crate::terminal::style::Style;
use crate::watch::Watch;
use chiton_skills::{Manifest, Package, signature};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most bytes of a file that is checked.
const MOST_BYTES: u64 = 64 << 20;
/// Quiet time after the last change of a source before it is built.
const QUIET: Duration = Duration::from_millis(60);

/// Makes a new skill.
pub fn new(name: &str, language: &str, component: bool, folder: Option<PathBuf>) -> Result<(), Failure> {
    let home = crate::settings::open_home()?;
    let folder = current_directory()?.join(folder.unwrap_or_else(|| PathBuf::from(name)));
    let wanted = project::New { name, language, component, folder: &folder, home: home.root() };
    let made = project::new(&wanted)?;
    print_line(&format!("made {}", made.display()))?;
    let build = if sources(&made)?.is_some() { "chiton skill build && " } else { "" };
    print_line(&format!("next: cd {} && {build}chiton skill test && chiton skill dev", made.display()))
}

/// Builds the component of a skill.
pub fn build(folder: &Path) -> Result<(), Failure> {
    let built = project::build(&current_directory()?.join(folder))?;
    print_line(&format!("built {} in {:.1} s", built.component.display(), built.duration.as_secs_f64()))
}

/// Warns of a component that is older than what it is built from.
pub fn warn_of_old(folder: &Path) {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let manifest = std::fs::read_to_string(folder.join(chiton_skills::MANIFEST)).ok();
    let Some(Manifest { component: Some(component), build: Some(build), .. }) =
        manifest.and_then(|text| Manifest::parse(&text).ok())
    else {
        return;
    };
    let built = changed(&folder.join(&*component));
    let newer = |place: &PathBuf| built.is_some() && changed(place) > built;
    let inside = |place: PathBuf| {
        let inner = std::fs::read_dir(&place).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.filter(|path| path.is_file()).chain(place.is_file().then_some(place.clone())).collect::<Vec<_>>()
    };
    let sources = build.watch.iter().flat_map(|place| inside(folder.join(&**place)));
    if let Some(newer) = sources.into_iter().find(newer) {
        eprintln!("warning: {} is newer than {}; `chiton skill build` builds it", newer.display(), &*component);
    }
}

fn whole(folder: &Path) -> Result<PathBuf, Failure> {
    let folder = current_directory()?.join(folder);
    folder.canonicalize().map_err(|error| {
        Failure::new(Exit::NotFound, format!("the folder {} cannot be read: {error}", folder.display()))
    })
}

/// Says what would be refused, and why.
pub async fn check(place: &Path, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let place = whole(place)?;
    warn_of_old(&place);
    let package = match place.is_dir() {
        true => Package::read(&place)?,
        false => {
            let size = std::fs::metadata(&place)?.len();
            if size > MOST_BYTES {
                return Err(Failure::new(
                    Exit::Refused,
                    format!("it has {size} bytes; at most {MOST_BYTES} are accepted"),
                ));
            }
            let (bytes, name) = (std::fs::read(&place)?, hint(&place.to_string_lossy()));
            match bytes.starts_with(b"\0asm") {
                true => of_component(&name, bytes)?,
                false => Package::unpack(&name, &bytes)?,
            }
        }
    };
    crate::host::refuse_built_in(package.name())?;
    let sandbox = crate::tools::sandbox(&settings, crate::tools::no_audit())?;
    let component =
        progress::while_slow("checking and compiling", skills::inspect(&sandbox, &settings, &package)).await?;
    let dialog = Dialog::of(&settings, &package, component.as_deref(), &place.display().to_string());
    if json {
        return print_json(&serde_json::json!(dialog));
    }
    super::print_dialog(&dialog)?;
    print_line("It can be added: nothing in its files or its code is refused.")
}

/// Runs the examples.
pub async fn test(folder: &Path, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let folder = whole(folder)?;
    warn_of_old(&folder);
    let package = Package::read(&folder)?;
    let outcomes = progress::while_slow("checking and compiling", tried(&settings, &package, &folder)).await?;
    if json {
        print_json(&serde_json::json!(outcomes))?;
    } else {
        outcomes.iter().try_for_each(print_outcome)?;
    }
    let wrong = outcomes.iter().filter(|outcome| outcome.wrong.is_some()).count();
    match (outcomes.len(), wrong) {
        (0, _) => Err(Failure::new(Exit::Usage, "it declares no examples; add [[examples]] to its skill.toml")),
        (all, 0) if !json => print_line(&format!("{all} of {all} examples hold")),
        (_, 0) => Ok(()),
        (all, wrong) => Err(Failure::new(Exit::Failure, format!("{wrong} of {all} examples do not hold"))),
    }
}

async fn tried(settings: &Settings, package: &Package, folder: &Path) -> Result<Vec<Outcome>, Failure> {
    let sandbox = crate::tools::sandbox(settings, crate::tools::no_audit())?;
    let component = skills::inspect(&sandbox, settings, package).await?;
    let row = crate::host::waiting(package, component.as_deref(), &package.asked(), folder.display().to_string());
    examples::run(settings, package, row, folder).await
}

fn print_outcome(outcome: &Outcome) -> Result<(), Failure> {
    let Outcome { tool, wrong, milliseconds, used, denied } = outcome;
    let verdict = match wrong {
        None => Style::Good.paint("holds"),
        Some(_) => Style::Bad.paint("fails"),
    };
    print_line(&format!("{verdict}  {tool}  {milliseconds:.1} ms"))?;
    let lines = [
        ("", wrong.iter().collect::<Vec<_>>()),
        ("used ", used.iter().collect()),
        ("denied ", denied.iter().collect()),
    ];
    for (what, lines) in lines {
        lines
            .into_iter()
            .try_for_each(|line| print_line(&format!("       {what}{}", chiton_skills::inert::line(line))))?;
    }
    Ok(())
}

/// Runs a skill from its folder while it is written.
pub async fn develop(folder: &Path) -> Result<(), Failure> {
    let folder = whole(folder)?;
    let builds = sources(&folder)?;
    if builds.is_some() {
        project::build(&folder)?;
    }
    let asked = Package::read(&folder)?.asked();
    if !asked.is_empty() {
        print_line("While it is written, it may:")?;
        asked.iter().try_for_each(|grant| print_line(&format!("  {}\n      {grant}", chiton_skills::words(grant))))?;
    }
    let door = Door::open(Settings::load()?).await?;
    let mut replies = door.ask(Request::DevelopSkill { folder: folder.clone(), grants: asked }).await?;
    let mut building = Building::of(&folder, builds)?;
    // One for all rounds: a signal between two of them would be lost.
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let ended = loop {
        tokio::select! {
            reply = replies.recv() => match reply {
                Some(Reply::Progress(line)) => print_line(&line)?,
                Some(Reply::Failed { exit, message }) => break Err(Failure { exit, message }),
                Some(Reply::Done(_)) | None => break Ok(()),
                Some(_) => {}
            },
            () = building.changed() => match tokio::task::block_in_place(|| project::build(&folder)) {
                Ok(built) => print_line(&format!("built in {:.1} s", built.duration.as_secs_f64()))?,
                Err(failure) => eprintln!("{failure}"),
            },
            _ = &mut interrupted => break Ok(()),
        }
    };
    drop(replies);
    door.close().await;
    ended
}

/// The places of a skill's sources; none if it is not built.
fn sources(folder: &Path) -> Result<Option<Vec<PathBuf>>, Failure> {
    let Ok(text) = std::fs::read_to_string(folder.join(chiton_skills::MANIFEST)) else { return Ok(None) };
    let manifest = Manifest::parse(&text).map_err(chiton_skills::PackageError::from)?;
    Ok(manifest.build.map(|build| build.watch.iter().map(|place| PathBuf::from(&**place)).collect()))
}

/// Watches the sources of a component: each by its folder, since many editors put a new file in the place of the old.
struct Building(Option<(Watch, Vec<PathBuf>)>);

impl Building {
    fn of(folder: &Path, sources: Option<Vec<PathBuf>>) -> Result<Self, Failure> {
        let Some(sources) = sources else { return Ok(Self(None)) };
        let cannot = Failure::because(Exit::Failure);
        let mut watch = Watch::new().map_err(&cannot)?.after(QUIET);
        let sources: Vec<_> = sources.into_iter().map(|source| folder.join(source)).collect();
        for source in &sources {
            let place = if source.is_dir() { source } else { source.parent().unwrap_or(folder) };
            watch.add(place).map_err(&cannot)?;
        }
        Ok(Self(Some((watch, sources))))
    }

    async fn changed(&mut self) {
        let Some((watch, sources)) = &self.0 else { return std::future::pending().await };
        loop {
            let changed = watch.changed().await;
            let meant = |path: &PathBuf| sources.iter().any(|source| path.starts_with(source));
            if changed.iter().any(|path| path.as_os_str().is_empty() || meant(path)) {
                return;
            }
        }
    }
}

/// Signs the skill in `folder`.
pub fn sign(folder: &Path, key: &Path) -> Result<(), Failure> {
    let folder = whole(folder)?;
    let package = Package::read(&folder)?;
    let cannot = |reason: minisign::PError| {
        Failure::new(
            Exit::Usage,
            format!("the key {} cannot be used: {reason}; `minisign -G` makes one", key.display()),
        )
    };
    let secret = minisign::SecretKey::from_file(key, None).map_err(cannot)?;
    let public = minisign::PublicKey::from_secret_key(&secret).map_err(cannot)?;
    let file = public.to_box().map_err(cannot)?.to_string();
    std::fs::write(folder.join(signature::KEY), file)?;
    // The key is one of the files that are signed.
    let package = if package.files().contains_key(signature::KEY) { package } else { Package::read(&folder)? };
    let statement = signature::statement(&package);
    let signed = minisign::sign(None, &secret, statement.as_bytes(), None, Some(package.name())).map_err(cannot)?;
    std::fs::write(folder.join(chiton_skills::SIGNATURE), signed.into_string())?;
    print_line(&format!("signed {} {}", package.name(), package.digest()))
}
