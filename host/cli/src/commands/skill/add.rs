//! Bringing skills here, asking the owner, and publishing.

use super::super::print_json;
use super::{decide_on, print_dialog};
use crate::arguments::AddSkill;
use crate::bundled;
use crate::dialog::Dialog;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::request::{Decision, Request};
use crate::settings::{Settings, current_directory};
use crate::terminal::progress;
use chiton_registry::{Content, Credentials, Options, Place, Publication, Remote, Source, fetch};
use chiton_skills::lock::Lock;
use chiton_skills::signature::{Signature, verify};
use chiton_skills::{File, Files, Package};
use chiton_store::SkillState;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// The environment variable with `HOST USER:TOKEN` for one registry.
const LOGIN: &str = "CHITON_REGISTRY_LOGIN";

/// A skill that was brought here, and where it is from.
struct Brought {
    package: Package,
    source: String,
}

/// Adds one skill, or those of a lock file.
pub async fn run(wanted: AddSkill, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let mut all = Vec::new();
    match (&wanted.source, &wanted.lock) {
        (Some(source), _) => all.push(bring(source, &wanted.allow_host).await?),
        (None, Some(file)) => {
            let lock = Lock::parse(&std::fs::read_to_string(file).map_err(|error| {
                Failure::new(Exit::NotFound, format!("the lock file {} cannot be read: {error}", file.display()))
            })?)?;
            for locked in lock.skills {
                let brought = bring(&locked.source, &wanted.allow_host).await?;
                if brought.package.digest() != locked.digest {
                    let message = format!(
                        "{} has other files of '{}' now than the lock file says; nothing was added",
                        locked.source, &*locked.name
                    );
                    return Err(Failure::new(Exit::Refused, message));
                }
                all.push(brought);
            }
        }
        (None, None) => return Err(Failure::new(Exit::Usage, "name a source or a lock file")),
    }
    let door = Door::open(settings).await?;
    let mut added = Ok(());
    for brought in all {
        added = add(&door, brought, &wanted, json).await;
        if added.is_err() {
            break;
        }
    }
    door.close().await;
    added
}

async fn add(door: &Door, brought: Brought, wanted: &AddSkill, json: bool) -> Result<(), Failure> {
    let staged = Staged::new(&brought.package)?;
    let request = Request::AddSkill { folder: staged.0.clone(), source: brought.source, downgrade: wanted.downgrade };
    let value = progress::while_slow("checking and compiling", door.done(request)).await?;
    let dialog: Dialog = serde_json::from_value(value.clone()).map_err(|error| Failure::new(Exit::Failure, error))?;
    if !json {
        print_dialog(&dialog)?;
    }
    if dialog.state == SkillState::Active {
        return match json {
            true => print_json(&value),
            false => {
                super::print_line(&format!("{} runs already, or needs no new word; nothing is asked.", dialog.title()))
            }
        };
    }
    let decision = match (wanted.approve, json) {
        (true, _) => Some(Decision::Always),
        (false, true) => None,
        (false, false) => ask(&dialog)?,
    };
    match decision {
        Some(decision) => decide_on(door, &dialog, decision, json).await,
        None if json => print_json(&value),
        None => super::print_line(&format!("It waits. To let it run: chiton skill approve {}", dialog.number)),
    }
}

/// Asks the owner, if there is one at a terminal.
fn ask(dialog: &Dialog) -> Result<Option<Decision>, Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() || !std::io::stdout().is_terminal() {
        return Ok(None);
    }
    let update = dialog.runs.is_some();
    let choices = if update { "[a]lways, [n]o, [l]ater" } else { "[a]lways, this [s]ession, [o]nce, [n]o, [l]ater" };
    loop {
        print_question(&format!("Let {} run? {choices}: ", dialog.title()))?;
        let mut line = String::new();
        if input.lock().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim().to_lowercase().as_str() {
            "a" | "always" | "y" | "yes" => return Ok(Some(Decision::Always)),
            "s" | "session" if !update => {
                return Ok(Some(Decision::Session { session: super::TERMINAL.to_owned() }));
            }
            "o" | "once" if !update => return Ok(Some(Decision::Once { session: super::TERMINAL.to_owned() })),
            "n" | "no" => return Ok(Some(Decision::Refuse)),
            "l" | "later" | "" => return Ok(None),
            _ => {}
        }
    }
}

fn print_question(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// A package on its way to the host, in a folder of its own that is gone afterwards.
struct Staged(PathBuf);

impl Staged {
    fn new(package: &Package) -> Result<Self, Failure> {
        let home = crate::settings::open_home()?;
        let place = home.scratch().join(format!("skill-{}", uuid::Uuid::now_v7())).join(package.name());
        std::fs::create_dir_all(place.parent().unwrap_or(&place))?;
        package.store(&place)?;
        Ok(Self(place))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        std::fs::remove_dir_all(self.0.parent().unwrap_or(&self.0)).ok();
    }
}

/// Brings a skill from where the owner says.
async fn bring(text: &str, hosts: &[String]) -> Result<Brought, Failure> {
    let source: Source = text.parse()?;
    let base = current_directory()?;
    Ok(match &source {
        Source::Bundled(name) => match bundled::named(name) {
            Some(skill) => Brought { package: of_bundled(skill)?, source: name.clone() },
            // A folder of that name may be meant.
            None if base.join(name).is_dir() => from_folder(&base.join(name))?,
            None => return Err(unknown(name)),
        },
        Source::Folder(path) => from_folder(&base.join(path))?,
        Source::Archive(path) => {
            let path = base.join(path);
            let bytes = std::fs::read(&path).map_err(|error| {
                Failure::new(Exit::NotFound, format!("the archive {} cannot be read: {error}", path.display()))
            })?;
            Brought {
                package: Package::unpack(&hint(&path.to_string_lossy()), &bytes)?,
                source: path.display().to_string(),
            }
        }
        Source::Remote(remote) => {
            let bar = progress::transfer(text);
            let fetched =
                fetch(remote, &options(&remote.place, hosts)?, &|done, total| progress::moved(&bar, done, total)).await;
            bar.finish_and_clear();
            let fetched = fetched?;
            let package = match fetched.content {
                Content::Package(bytes) => Package::unpack(&hint(text), &bytes)?,
                Content::Component(bytes) => of_component(&hint(text), bytes.to_vec())?,
            };
            Brought { package, source: fetched.origin.to_string() }
        }
    })
}

fn from_folder(path: &Path) -> Result<Brought, Failure> {
    let path = path.canonicalize().map_err(|error| {
        Failure::new(Exit::NotFound, format!("the folder {} cannot be read: {error}", path.display()))
    })?;
    super::author::warn_of_old(&path);
    Ok(Brought { package: Package::read(&path)?, source: path.display().to_string() })
}

/// A bundled skill as a package.
pub fn of_bundled(skill: &bundled::Bundled) -> Result<Package, Failure> {
    let file = |(place, bytes)| (place, File { bytes, executable: false });
    Ok(Package::new(skill.name, skill.files()?.into_iter().map(file).collect())?)
}

/// A component alone, which asks for nothing.
pub fn of_component(name: &str, bytes: Vec<u8>) -> Result<Package, Failure> {
    let manifest = format!("name = \"{name}\"\nversion = \"0.0.0\"\ncomponent = \"{name}.wasm\"\n");
    let file = |bytes| File { bytes, executable: false };
    let files: Files =
        [(chiton_skills::MANIFEST.to_owned(), file(manifest.into_bytes())), (format!("{name}.wasm"), file(bytes))]
            .into();
    Ok(Package::new(name, files)?)
}

/// A name after the last part of a path or an address.
pub fn hint(text: &str) -> String {
    let last = text.rsplit('/').find(|part| !part.is_empty()).unwrap_or(text);
    let name = last.split(['@', ':', '#']).next().unwrap_or(last);
    let name =
        [".tar.gz", ".tgz", ".tar", ".zip", ".wasm"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.to_lowercase().replace(['_', ' ', '.'], "-")
}

fn unknown(name: &str) -> Failure {
    let names: Vec<&str> = bundled::all().iter().map(|skill| skill.name).collect();
    let near = crate::config::nearest(name, names.iter().copied());
    let advice = match near {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("bundled are: {}; a folder is written with a slash, such as ./{name}", names.join(", ")),
    };
    Failure::new(Exit::NotFound, format!("there is no bundled skill '{name}'; {advice}"))
}

/// What is sent to a place beside the request: a login only where it is meant for.
fn options(place: &Place, hosts: &[String]) -> Result<Options, Failure> {
    let url = match place {
        Place::Oci(reference) => &reference.registry,
        Place::Index { url, .. } | Place::Archive(url) => url,
    };
    let login = std::env::var(LOGIN).unwrap_or_default();
    let meant = login.split_once(' ').filter(|(host, _)| *host == url.authority());
    let credentials = meant.map(|(_, login)| login.parse::<Credentials>()).transpose()?;
    Ok(Options { credentials, hosts: hosts.to_vec(), ..Options::default() })
}

/// Puts the skill in `folder` into a registry.
pub async fn publish(folder: &Path, reference: &str, hosts: &[String], replace: bool) -> Result<(), Failure> {
    let package = Package::read(&current_directory()?.join(folder))?;
    let Some(manifest) = package.manifest() else {
        return Err(Failure::new(Exit::Usage, "only a skill with a skill.toml has a version to publish; write one"));
    };
    let Source::Remote(Remote { place: Place::Oci(to), .. }) = reference.parse()? else {
        return Err(Failure::new(Exit::Usage, format!("'{reference}' is no registry; write oci://HOST/NAME")));
    };
    if let Signature::None = verify(&package)? {
        eprintln!("warning: '{}' is not signed; `chiton skill sign` signs it", package.name());
    }
    let archive = package.to_archive()?;
    let version = manifest.version.to_string();
    let publication = Publication {
        digest: chiton_sandbox::Digest::of(&archive),
        archive: archive.into(),
        name: package.name(),
        version: &version,
        replace,
    };
    let bar = progress::transfer(reference);
    let sent = chiton_registry::publish(publication, &to, &options(&Place::Oci(to.clone()), hosts)?, &|done, total| {
        progress::moved(&bar, done, total)
    })
    .await;
    bar.finish_and_clear();
    super::print_line(&format!("published {} {version} as {}", package.name(), sent?))
}
