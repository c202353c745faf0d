//! `chiton skill dev`: what is saved runs.

use crate::support::Home;
use crate::{SCRIPT, Skill, say, states};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// `chiton skill dev`, ended when dropped.
struct Developing {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Developing {
    fn start(home: &Home, folder: &Path) -> Self {
        let mut command = home.chiton(&["skill", "dev", folder.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line with these words.
    fn until(&mut self, words: &str) -> String {
        self.lines.by_ref().map(Result::unwrap).find(|line| line.contains(words)).unwrap()
    }
}

impl Drop for Developing {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_skill_that_is_written_is_exchanged_as_soon_as_its_file_changes() {
    let home = Home::with_engine();
    let skill = Skill::new(&home, "speaker");
    let mut developing = Developing::start(&home, &skill.folder);
    developing.until("speaker runs (say)");
    assert!(say(&home).good().stdout.contains("one hello"));
    developing.until("say: done");
    skill.script(&SCRIPT.replace("one", "two"));
    developing.until("speaker runs (say)");
    assert!(say(&home).good().stdout.contains("two hello"));
    skill.script("no script (");
    developing.until("what ran goes on");
    assert!(say(&home).good().stdout.contains("two hello"));
    skill.script(&SCRIPT.replace("one", "three"));
    skill.manifest("speaker", "0.1.0", "[limits]\nmemory = \"512 MiB\"\n");
    developing.until("its limits are higher than those that it began with");
    assert!(say(&home).good().stdout.contains("two hello"));
    drop(developing);
    say(&home).bad(10, "there is no tool 'say'");
    assert!(states(&home).is_empty());
}

#[test]
fn a_component_that_is_written_is_built_and_exchanged_as_soon_as_its_source_changes() {
    let home = Home::with_engine();
    let folder = home.work().join("built");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = "name = \"built\"\nversion = \"0.1.0\"\ncomponent = \"built.wasm\"\n[build]\n\
        command = [\"cp\", \"src/code\", \"built.wasm\"]\noutput = \"built.wasm\"\nwatch = [\"src/code\"]\n";
    std::fs::write(folder.join("skill.toml"), manifest).unwrap();
    std::fs::write(folder.join("built.wasm"), chiton_hostile::tool("old")).unwrap();
    std::fs::write(folder.join("src/code"), chiton_hostile::tool("one")).unwrap();
    let mut developing = Developing::start(&home, &folder);
    developing.until("built runs (one)");
    for name in ["two", "three", "four"] {
        std::fs::write(folder.join("src/code"), chiton_hostile::tool(name)).unwrap();
        developing.until(&format!("built runs ({name})"));
        home.call(name, json!({}), &[]).good();
    }
    // As many editors save: a new file takes the place of the old.
    for name in ["six", "seven"] {
        std::fs::write(folder.join("saved"), chiton_hostile::tool(name)).unwrap();
        std::fs::rename(folder.join("saved"), folder.join("src/code")).unwrap();
        developing.until(&format!("built runs ({name})"));
    }
    drop(developing);
    std::fs::write(folder.join("src/code"), chiton_hostile::tool("five")).unwrap();
    let told = home.run(&["skill", "check", folder.to_str().unwrap()]).good();
    assert!(told.stderr.contains("`chiton skill build` builds it"), "{told:#?}");
    std::fs::write(folder.join("skill.toml"), manifest.replace("watch", "wach")).unwrap();
    home.run(&["skill", "build", folder.to_str().unwrap()]).bad(2, "did you mean 'watch'");
}
