//! `chiton skill`

mod add;
mod author;
mod view;

use super::{print, print_json, print_line, tell};
use crate::arguments::Skill;
use crate::dialog::{Dialog, number};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::request::{Decision, Request};
use crate::settings::{Settings, current_directory};
use crate::terminal::progress;
use chiton_store::{SkillRow, SkillState};
use serde_json::Value;

/// The session of a terminal, unless another is named.
const TERMINAL: &str = "terminal:default";

/// Makes, adds, approves, shows and removes skills.
pub async fn run(command: Skill, json: bool) -> Result<(), Failure> {
    match command {
        Skill::List => view::list(json).await,
        Skill::Show { name } => view::show(&name, json).await,
        Skill::Diff { name } => view::diff(&name, json).await,
        Skill::Add(wanted) => add::run(wanted, json).await,
        Skill::Approve { name, grant, nothing, once, session } => {
            let base = current_directory()?;
            let given = grant.iter().map(|grant| crate::rows::placed(grant, &base)).collect::<Result<Vec<_>, _>>()?;
            let grants = (nothing || !given.is_empty()).then_some(given);
            let decision = match session {
                Some(session) => Decision::Session { session },
                None if once => Decision::Once { session: TERMINAL.to_owned() },
                None => Decision::Always,
            };
            decide(&name, decision, grants, json).await
        }
        Skill::Refuse { name } => decide(&name, Decision::Refuse, None, json).await,
        Skill::Revoke { name } => {
            tell(Request::RevokeSkill { name: name.clone() }, json, |_| format!("revoked {name}")).await
        }
        Skill::Remove { name } => {
            let removed = |done: &Value| match done["stays"].as_str() {
                Some(folder) => format!("removed {name}; it comes back as long as you leave its folder {folder} there"),
                None => format!("removed {name}"),
            };
            tell(Request::RemoveSkill { name: name.clone() }, json, removed).await
        }
        Skill::Rollback { name, version } => {
            tell(Request::RollBackSkill { name, version }, json, |done| format!("went back: {}", told(done))).await
        }
        Skill::New { name, language, component, folder } => author::new(&name, &language, component, folder),
        Skill::Build(place) => author::build(&place.folder),
        Skill::Check { place } => author::check(&place, json).await,
        Skill::Test(place) => author::test(&place.folder, json).await,
        Skill::Dev(place) => author::develop(&place.folder).await,
        Skill::Sign { folder, key } => author::sign(&folder.folder, &key),
        Skill::Publish { folder, reference, allow_host, replace } => {
            add::publish(&folder, &reference, &allow_host, replace).await
        }
        Skill::Schema => print_line(&format!("{:#}", chiton_skills::schema())),
    }
}

/// Tells the host the owner's word on the version that waits.
async fn decide(name: &str, decision: Decision, grants: Option<Vec<String>>, json: bool) -> Result<(), Failure> {
    let settings = Settings::load()?;
    let (wanted, (name, digest)) = (name, waiting(&settings, name).await?);
    let door = Door::open(settings).await?;
    if wanted == name && decision != Decision::Refuse {
        // The name alone says nothing of what is approved.
        let shown = door.done(Request::DescribeSkill { name }).await?;
        let dialog: Dialog = serde_json::from_value(shown).map_err(|error| Failure::new(Exit::Failure, error))?;
        print_dialog(&dialog)?;
        door.close().await;
        let quoted = |grant: &String| format!(" --grant '{}'", grant.replace('\'', "'\\''"));
        let chosen: String = grants.iter().flatten().map(quoted).collect();
        let what = if chosen.is_empty() { "exactly this" } else { "it with these grants alone" };
        return print_line(&format!("To let {what} run: chiton skill approve {}{chosen}", dialog.number));
    }
    refuse_passing(&door, &decision).await?;
    let request = Request::DecideSkill { name, digest, decision, grants };
    let result = progress::while_slow("checking and compiling", door.done(request)).await;
    door.close().await;
    let done = result?;
    match json {
        true => print_json(&done),
        false => print_line(&told(&done)),
    }
}

/// Refuses what would be over with this command: a word for one call or session lives in the Chiton that runs.
async fn refuse_passing(door: &Door, decision: &Decision) -> Result<(), Failure> {
    let passing = matches!(decision, Decision::Once { .. } | Decision::Session { .. });
    match passing && door.host().await.is_some() {
        true => Err(Failure::new(
            Exit::Usage,
            "no Chiton runs that could hold this word; start `chiton chat` first, or approve it always",
        )),
        false => Ok(()),
    }
}

/// Tells the host the owner's word on what the owner was shown.
async fn decide_on(door: &Door, dialog: &Dialog, decision: Decision, json: bool) -> Result<(), Failure> {
    let (name, digest) = (dialog.name.clone(), dialog.digest.clone());
    refuse_passing(door, &decision).await?;
    let request = Request::DecideSkill { name, digest, decision, grants: None };
    let done = progress::while_slow("starting it", door.done(request)).await?;
    match json {
        true => print_json(&done),
        false => print_line(&told(&done)),
    }
}

/// The name and the digest of the version that waits, by the skill's name or by what names the version.
async fn waiting(settings: &Settings, wanted: &str) -> Result<(String, String), Failure> {
    let store = super::look(settings)?;
    let rows = match &store {
        Some(store) => store.skills().await?,
        None => Vec::new(),
    };
    let mut waiting = rows.iter().filter(|row| row.state == SkillState::Waiting);
    let meant = waiting.find(|row| row.name == wanted || number(row) == wanted);
    match meant {
        Some(row) => Ok((row.name.clone(), row.digest.clone())),
        None => {
            let runs = |row: &&SkillRow| row.name == wanted && row.state == SkillState::Active;
            let message = match rows.iter().find(runs) {
                Some(_) => format!(
                    "'{wanted}' runs already and no other version of it waits; `chiton grant add {wanted} KIND=VALUE` gives it more"
                ),
                None => format!(
                    "no version of '{wanted}' waits for you; `chiton skill list` shows what does, and `chiton skill add` brings one again"
                ),
            };
            Err(Failure::new(Exit::NotFound, message))
        }
    }
}

/// What was decided, in a line.
fn told(done: &Value) -> String {
    let list = |key: &str| {
        let items = done[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
    };
    let name = done["name"].as_str().unwrap_or_default();
    match done["state"].as_str() {
        Some("refused") => format!("refused {name}"),
        _ => format!("{name} runs; tools: {}; granted: {}", list("tools"), list("grants")),
    }
}

/// Prints what the owner has to decide on.
fn print_dialog(dialog: &Dialog) -> Result<(), Failure> {
    print(dialog.text().as_bytes())
}
