//! EXE-05: git in a repository that wants to run programs.

use crate::house::House;
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
    let house = House::new();
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
