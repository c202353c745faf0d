//! EXE-05: git in a repository that wants to run programs.

use crate::house::House;
use chiton_native::Wall;
use std::process::Command;

/// The canary that a started program would leave.
const PWNED: &str = "pwned";

/// git on this machine, outside any wall, for preparing repositories.
fn prepare(house: &House, arguments: &[&str]) {
    let status = Command::new("/usr/bin/git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(house.workspace())
        .env_clear()
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&status.stderr));
}

fn repository() -> House {
    repository_in(House::new())
}

fn repository_in(house: House) -> House {
    prepare(&house, &["init", "-q"]);
    house.write("a.txt", "one\n");
    prepare(&house, &["add", "."]);
    prepare(&house, &["commit", "-qm", "first"]);
    house
}

#[tokio::test]
async fn plain_git_works_in_a_clean_repository() {
    let house = repository();
    let status = house.allowed("git status", &["git", "status", "--short", "--branch"]).await;
    assert_eq!((status.code(), status.out().as_str()), (0, "## main\n"), "{}", status.err());
    house.write("a.txt", "two\n");
    let status = house.allowed("git status", &["git", "status", "--short"]).await;
    assert_eq!(status.out(), " M a.txt\n", "{}", status.err());
    let log = house.allowed("git log", &["git", "log", "--format=%s by %an", "-1"]).await;
    assert_eq!(log.out(), "first by T\n", "{}", log.err());
    let diff = house.allowed("git diff", &["git", "diff"]).await;
    assert!(diff.out().contains("-one\n+two\n"), "{diff:?}");
    let show = house.allowed("git show", &["git", "show", "--stat", "HEAD"]).await;
    assert!(show.out().contains("a.txt | 1 +"), "{show:?}");
    let blame = house.allowed("git blame", &["git", "blame", "-s", "HEAD", "--", "a.txt"]).await;
    assert!(blame.out().contains("one"), "{blame:?}");
    let grep = house.allowed("git grep", &["git", "grep", "-n", "two"]).await;
    assert_eq!(grep.out(), "a.txt:1:two\n", "{}", grep.err());
}

#[tokio::test]
async fn git_writes_where_it_may_write() {
    let house = repository();
    house.write("b.txt", "b\n");
    assert_eq!(house.allowed("git add", &["git", "add", "b.txt"]).await.code(), 0);
    let commit =
        house.allowed("git commit", &["git", "commit", "-q", "-m", "/second\n\nwith; `words` $(of) shells"]).await;
    assert_eq!(commit.code(), 0, "{}", commit.err());
    let log = house.allowed("git log", &["git", "log", "--format=%s"]).await;
    assert_eq!(log.out(), "/second\nfirst\n");
}

/// A repository of which every setting, driver and hook would leave the canary. Its script is the one thing in it that
/// works: [`the_hostile_repository_is_hostile`] proves it.
fn hostile_repository() -> House {
    hostile_repository_in(House::new())
}

fn hostile_repository_in(house: House) -> House {
    let house = repository_in(house);
    let script =
        house.write("evil.sh", &format!("#!/bin/sh\ntouch '{}'\ncat\n", house.workspace().join(PWNED).display()));
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // A line for a shell: it needs no file of the workspace, which cannot be executed anyway.
    let evil = format!("touch '{}'; cat", house.workspace().join(PWNED).display());
    let settings = [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "core.alternateRefsCommand",
        "diff.external",
        "pager.status",
        "pager.log",
        "pager.diff",
        "pager.branch",
        "gpg.program",
        "credential.helper",
        "interactive.diffFilter",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "merge.evil.driver",
        "sequence.editor",
        "uploadpack.packObjectsHook",
        "alias.evil",
    ];
    for setting in settings {
        prepare(&house, &["config", setting, &evil]);
    }
    prepare(&house, &["config", "core.hooksPath", &house.workspace().join("hooks").display().to_string()]);
    for flag in ["commit.gpgSign", "tag.gpgSign", "log.showSignature"] {
        prepare(&house, &["config", flag, "true"]);
    }
    for hook in [
        "pre-commit",
        "post-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-index-change",
        "post-checkout",
        "reference-transaction",
    ] {
        for place in ["hooks", ".git/hooks"] {
            let path = house.write(&format!("{place}/{hook}"), "");
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&script, path).unwrap();
        }
    }
    house.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil\n");
    house.write(".git/info/attributes", "*.txt filter=evil diff=evil merge=evil\n");
    let _ = std::fs::remove_file(house.workspace().join(PWNED));
    house.write("a.txt", "changed\n");
    house
}

#[test]
fn the_hostile_repository_is_hostile() {
    for command in [["status", "--short"], ["diff", "--stat"], ["commit", "-mx"]] {
        let house = hostile_repository();
        let _ = Command::new("/usr/bin/git").args(command).current_dir(house.workspace()).output().unwrap();
        assert!(house.workspace().join(PWNED).exists(), "git {command:?} outside the walls");
    }
}

#[tokio::test]
async fn exe_05_a_hostile_repository_starts_nothing() {
    let house = hostile_repository();
    let commands = [
        "git status",
        "git status --short",
        "git diff",
        "git diff --stat",
        "git diff HEAD",
        "git log -p",
        "git log",
        "git show",
        "git blame a.txt",
        "git grep one",
        "git branch",
        "git ls-files",
        "git describe --always",
        "git add a.txt",
        "git add -p a.txt",
        "git commit -am x",
        "git commit --amend -v",
        "git tag -a v1 -m x",
        "git tag -s v2 -m x",
        "git checkout -- a.txt",
        "git switch -c other",
        "git stash",
        "git stash show -p",
        "git restore a.txt",
        "git reset --hard",
        "git cat-file --filters HEAD:a.txt",
        "git rev-list HEAD",
        "git shortlog HEAD",
    ];
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let outcome = house.allowed(&words[..2].join(" "), &words).await;
        assert!(outcome.result.is_ok(), "{command}: {:?}", outcome.result);
        assert!(!house.workspace().join(PWNED).exists(), "{command}: {}", outcome.err());
        house.write("a.txt", &format!("changed for {command}\n"));
    }
}

/// Landlock would hide a setting that the rules forgot, so the rules are also tried without it.
#[tokio::test]
async fn exe_05_the_rules_alone_stop_every_helper_but_filters() {
    let house = hostile_repository_in(House::lacking("landlock", &[Wall::Landlock]));
    let attributes = "*.txt diff=evil merge=evil\n";
    house.write(".gitattributes", attributes);
    house.write(".git/info/attributes", attributes);
    let commands = [
        "git status",
        "git diff",
        "git diff HEAD",
        "git log -p",
        "git show",
        "git blame a.txt",
        "git branch -v",
        "git add -p a.txt",
        "git commit -am x",
        "git commit --amend",
        "git tag -a v1 -m x",
        "git checkout -- a.txt",
        "git stash",
        "git reset --hard",
    ];
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let outcome = house.allowed(&words[..2].join(" "), &words).await;
        assert!(outcome.result.is_ok(), "{command}: {:?}", outcome.result);
        assert!(!house.workspace().join(PWNED).exists(), "{command}: {}", outcome.err());
        house.write("a.txt", &format!("changed for {command}\n"));
    }
    // The canary does sing: filters have names of the repository's choice, so only Landlock stops them.
    house.write(".gitattributes", "*.txt filter=evil\n");
    assert_eq!(house.allowed("git add", &["git", "add", "a.txt"]).await.code(), 0);
    assert!(house.workspace().join(PWNED).exists());
}

#[tokio::test]
async fn exe_05_reading_a_hostile_repository_still_works() {
    let house = hostile_repository();
    let status = house.allowed("git status", &["git", "status", "--short", "--untracked-files=no"]).await;
    assert_eq!((status.code(), status.out().as_str()), (0, " M a.txt\n"), "{}", status.err());
    let log = house.allowed("git log", &["git", "log", "--format=%s"]).await;
    assert_eq!((log.code(), log.out().as_str()), (0, "first\n"), "{}", log.err());
    let diff = house.allowed("git diff", &["git", "diff", "a.txt"]).await;
    assert!(diff.code() == 0 && diff.out().contains("-one\n+changed\n"), "{diff:?}");
}

#[tokio::test]
async fn exe_05_a_repository_that_points_elsewhere_finds_nothing_there() {
    let house = repository();
    let outside = house.root.path().canonicalize().unwrap();
    prepare(&house, &["config", "core.worktree", outside.to_str().unwrap()]);
    let status = house.allowed("git status", &["git", "status", "--short"]).await;
    assert!(!status.out().contains("secret") && !status.err().contains("canary"), "{status:?}");
    prepare(&house, &["config", "--unset", "core.worktree"]);
    prepare(&house, &["config", "include.path", outside.join("secret").to_str().unwrap()]);
    let status = house.allowed("git status", &["git", "status", "--short"]).await;
    assert!(!status.out().contains("canary") && !status.err().contains("canary"), "{status:?}");
    let diff = house.allowed("git diff", &["git", "diff", "--no-index", "a.txt", "../secret"]).await;
    assert!(diff.denied().starts_with("files="));
}

#[tokio::test]
async fn git_works_in_a_directory_granted_for_reading() {
    let mut house = repository();
    house.writable = false;
    house.write("a.txt", "two\n");
    let status = house.allowed("git status", &["git", "status", "--short"]).await;
    assert_eq!(status.out(), " M a.txt\n", "{}", status.err());
    let add = house.allowed("git add", &["git", "add", "a.txt"]).await;
    assert_ne!(add.code(), 0);
}
