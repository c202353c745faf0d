//! `chiton chat` in a terminal, which `script` plays.
#![cfg(test)]

mod support;

use chiton_tests::fake_openai::{FakeOpenAi, Reply, Script};
use serde_json::json;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::Home;

/// A chat in a terminal: what was shown so far, and a keyboard.
struct Chat {
    child: Child,
    keyboard: ChildStdin,
    shown: Arc<Mutex<String>>,
    seen: usize,
}

impl Chat {
    fn start(home: &Home, arguments: &str) -> Self {
        let chiton = assert_cmd::cargo::cargo_bin!("chiton");
        let mut command = std::process::Command::new("script");
        let prepared = home.chiton(&[]);
        command
            .args(["-qefc", &format!("stty cols 100 rows 40; exec {} {arguments}", chiton.display()), "/dev/null"])
            .env_clear()
            .envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .current_dir(home.work());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let shown = Arc::new(Mutex::new(String::new()));
        let drawn = shown.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                drawn.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { child, keyboard, shown, seen: 0 }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until `words` are shown, after what was waited for before.
    fn see(&mut self, words: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if let Some(place) = shown[self.seen..].find(words) {
                self.seen += place + words.len();
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "'{words}' is not in: {}", &shown[self.seen..]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn ends(mut self) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_conversation_from_the_greeting_to_the_end() {
    let home = Home::new();
    let model = FakeOpenAi::start_blocking(
        Script::new()
            .then(Reply { reasoning: "hm".into(), ..Reply::text("Some **bold** words.") })
            .then(Reply::call("read_file", json!({"path": "/etc/passwd"})))
            .then(Reply::text("No."))
            .then(Reply { delay_ms: 500, ..Reply::text("word ".repeat(200).trim()) })
            .then(Reply::text("Still here.")),
    );
    home.use_model(&model.base_url());
    let mut chat = Chat::start(&home, "chat --workspace .");
    chat.see("mine/fake");
    chat.see("Ctrl-D leaves");
    chat.see("› ");
    chat.press("hello\r");
    chat.see("\u{1b}[1mbold\u{1b}[22m words.");
    chat.see("› ");
    chat.press("read it\r");
    chat.see("✗");
    chat.see("/etc/passwd");
    chat.see("files=/etc:read");
    chat.see("No.");
    chat.press("talk\r");
    chat.see("word word");
    chat.press("\u{3}");
    chat.see("cancelled");
    chat.press("and now?\r");
    chat.see("Still here.");
    chat.press("/tols\r");
    chat.see("did you mean");
    chat.press("/tools\r");
    chat.see("write_file");
    chat.press("\u{4}");
    chat.ends();
    assert_eq!(support::mode(&home.root().join("chat-history")), 0o600);
}

#[test]
fn a_changed_component_is_told_and_does_not_run() {
    let home = Home::new();
    let model = FakeOpenAi::start_blocking(Script::new().always(Reply::text("ok")));
    home.use_model(&model.base_url());
    let file = home.file("hello.wasm", &chiton_hostile::tool("hello"));
    home.run(&["tool", "approve", "hello.wasm"]).good();
    let mut chat = Chat::start(&home, "chat");
    chat.see("› ");
    chat.press("one\r");
    chat.see("ok");
    std::fs::write(&file, chiton_hostile::tool("other")).unwrap();
    // It is told at the prompt, without anything being typed.
    chat.see("the approved version of 'hello' keeps running");
    chat.press("two\r");
    chat.see("ok");
    home.run(&["tool", "approve", "hello.wasm"]).good();
    home.call("other", json!({}), &[]).good();
    chat.press("/exit\r");
    chat.ends();
}

#[test]
fn the_first_start_offers_a_provider_tries_it_and_keeps_it() {
    let home = Home::new();
    let model = FakeOpenAi::start_blocking(Script::new().with_key("sk-canary-7f3a").always(Reply::text("ready")));
    let mut chat = Chat::start(&home, "chat");
    chat.see("No model is configured yet.");
    chat.see("enter a provider and its key");
    let shown = chat.shown.lock().unwrap().clone();
    let line = shown.lines().find(|line| line.contains("enter a provider")).unwrap().to_owned();
    let number = line.split_whitespace().next().unwrap().to_owned();
    let enter = |chat: &mut Chat, key: &str| {
        chat.see("or Enter to leave: ");
        chat.press(&format!("{number}\r"));
        chat.see("Provider: ");
        chat.press("mine\r");
        chat.see("Address of its API");
        chat.press(&format!("{}\r", model.base_url()));
        chat.see("Key (not shown");
        std::thread::sleep(Duration::from_millis(300));
        chat.press(&format!("{key}\r"));
    };
    enter(&mut chat, "sk-wrong");
    chat.see("Model (number or name): ");
    chat.press("fake\r");
    chat.see("refused the API key");
    assert!(!home.root().join("config.json").exists());
    enter(&mut chat, "sk-canary-7f3a");
    chat.see("fake answers.");
    chat.see("mine/fake");
    chat.see("› ");
    chat.press("\u{4}");
    let all = chat.shown.clone();
    chat.ends();
    assert!(!all.lock().unwrap().contains("canary"));
    assert_eq!(support::mode(&home.root().join("config.json")), 0o600);
    assert_eq!(home.run(&["chat", "-m", "x"]).good().stdout, "ready\n");
}
