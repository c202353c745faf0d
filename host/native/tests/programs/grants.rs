//! What the owner can grant, and what a grant covers: EXE-01, EXE-02, EXE-03, EXE-05 (arguments), EXE-06, EXE-07, EXE-13.

use crate::house::House;
use chiton_native::{Directory, GrantError, NativeError, Pinned, ProgramGrant, Search, select};
use tokio_util::sync::CancellationToken;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn refused(text: &str) -> GrantError {
    ProgramGrant::parse(text).expect_err(text)
}

#[test]
fn a_grant_is_a_name_or_a_name_with_more_words() {
    for text in ["ls", "git status", "git log --format=%h", "wc -l", "sha256sum"] {
        assert_eq!(ProgramGrant::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn exe_01_a_grant_has_no_word_of_a_shell() {
    let texts = [
        "git status; id",
        "git status && id",
        "git status || id",
        "ls | sh",
        "ls &",
        "ls\nid",
        "ls\r\nid",
        "ls $(id)",
        "ls `id`",
        "ls <(id)",
        "ls > x",
        "ls < x",
        "ls {a,b}",
        "ls *",
        "ls ?",
        "ls [a]",
        "ls ~",
        "ls $HOME",
        "ls 'a b'",
        "ls \"a\"",
        "ls \\a",
        "!ls",
        "ls #x",
        "ls\tx",
    ];
    for text in texts {
        assert!(matches!(refused(text), GrantError::Character { .. }), "{text}");
    }
}

#[tokio::test]
async fn exe_01_shell_words_in_arguments_are_only_words() {
    let house = House::new();
    let word = "; touch pwned && $(touch pwned) `touch pwned` | tee pwned > pwned";
    let outcome = house.hostile(&["argv", word]).await;
    assert_eq!(outcome.out().lines().last(), Some(word));
    assert!(!house.workspace().join("pwned").exists());
}

#[test]
fn exe_01_a_shell_line_in_one_word_is_not_covered() {
    let grant = ProgramGrant::parse("git status").unwrap();
    for argv in [vec!["git status; id".to_owned()], words("git status;id"), words("git; status")] {
        assert!(!grant.covers(&argv), "{argv:?}");
    }
    assert!(grant.covers(&words("git status --short")));
}

#[test]
fn exe_02_whole_words_are_compared_byte_by_byte() {
    let pinned = [House::approve("git status"), House::approve("ls")];
    let others = [
        "git statusx",
        "gits status",
        "git Status",
        "Git status",
        "git st\u{430}tus",
        "git status\u{a0}",
        "git sta\u{200b}tus",
        "lsof",
        "ls\u{a0}-l",
        "catfish",
        "git  status",
        "/usr/bin/git status",
        "./ls",
    ];
    for text in others {
        assert!(matches!(select(&pinned, &words(text)), Err(NativeError::Denied { .. })), "{text}");
    }
    assert_eq!(select(&pinned, &words("git status -s")).unwrap().grant.to_string(), "git status");
    assert_eq!(select(&pinned, &words("ls -l")).unwrap().grant.to_string(), "ls");
}

#[test]
fn a_refusal_names_the_grant_that_is_missing() {
    let Err(error) = select(&[House::approve("git status")], &words("git log -1")) else { panic!("covered") };
    assert!(error.to_string().ends_with("the missing grant is `programs=git log`"), "{error}");
    let Err(error) = select(&[], &words("wc -l notes.txt")) else { panic!("covered") };
    assert!(error.to_string().contains("`programs=wc`"), "{error}");
}

#[test]
fn exe_02_a_refusal_shows_hostile_words_escaped() {
    let Err(error) = select(&[], &words("ls \u{1b}]8;;\u{7}\u{202e}")) else { panic!("covered") };
    assert!(error.to_string().is_ascii() && !error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn exe_03_a_setting_before_the_name_is_no_program() {
    for text in ["PATH=/tmp ls", "LD_PRELOAD=x.so ls", "GIT_DIR=x git status", "PAGER=sh git log", "BASH_ENV=x ls"] {
        assert!(matches!(refused(text), GrantError::Name(_)), "{text}");
        assert!(select(&[House::approve("ls"), House::approve("git status")], &words(text)).is_err(), "{text}");
    }
}

#[tokio::test]
async fn exe_05_options_of_git_that_start_programs_or_leave_the_files_are_refused() {
    let house = House::new();
    let cases = [
        ("git diff", "git diff --ext-diff"),
        ("git diff", "git diff --ext"),
        ("git diff", "git diff --textconv"),
        ("git diff", "git diff --textc"),
        ("git diff", "git diff --output=x"),
        ("git diff", "git diff --outp x"),
        ("git diff", "git diff -- --output=x"),
        ("git log", "git log --show-signature"),
        ("git grep", "git grep --open-files-in-pager=vi x"),
        ("git grep", "git grep --op x"),
        ("git grep", "git grep -Ovi x"),
        ("git grep", "git grep -nOvi x"),
        ("git status", "git status --git-dir=/x"),
        ("git status", "git status --work-tree=/x"),
        ("git init", "git init --template=x"),
        ("git init", "git init --separate-git-dir x"),
    ];
    for (grant, command) in cases {
        let command: Vec<&str> = command.split(' ').collect();
        let outcome = house.allowed(grant, &command).await;
        assert!(matches!(outcome.result, Err(NativeError::Refused(_))), "{command:?}: {:?}", outcome.result);
    }
    // What merely looks like them works; there is no repository here, which is git's own answer.
    for command in [["git", "diff", "--text"], ["git", "rev-parse", "--git-dir"], ["git", "grep", "-e--output"]] {
        let outcome = house.allowed(&command[..2].join(" "), &command).await;
        assert!(outcome.result.is_ok() && outcome.code() != 0, "{command:?}: {:?}", outcome.result);
    }
}

#[test]
fn exe_05_global_options_of_git_cannot_stand_before_the_subcommand() {
    let pinned = [House::approve("git status")];
    for text in
        ["git -c core.pager=id status", "git --exec-path=x status", "git -C / status", "git --git-dir=/x status"]
    {
        assert!(matches!(select(&pinned, &words(text)), Err(NativeError::Denied { .. })), "{text}");
    }
    for text in [
        "git",
        "git -c",
        "git -C",
        "git --exec-path",
        "git config",
        "git difftool",
        "git submodule",
        "git push",
        "git rebase",
        "git x",
    ] {
        assert!(matches!(refused(text), GrantError::Subcommand { .. }), "{text}");
    }
}

#[test]
fn exe_06_wrappers_interpreters_and_editors_cannot_be_granted() {
    let names = "env nohup timeout xargs find tar awk gawk vim vim.tiny vi view ssh python python3 python3.11 perl perl5.36 bash sh dash sudo \
                 docker gcc-13 x86_64-linux-gnu-gcc Rscript lua5.4 m4 ld.so make nice watch busybox less strace setsid start-stop-daemon";
    for name in names.split_whitespace() {
        assert!(matches!(refused(name), GrantError::Wrapper { .. }), "{name}");
        assert!(matches!(refused(&format!("{name} -c")), GrantError::Wrapper { .. }), "{name}");
    }
    for name in ["ls", "cat", "wc", "sha256sum", "date", "jq", "rg", "pandoc", "ffmpeg", "pdftotext"] {
        assert!(ProgramGrant::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn exe_06_another_name_of_an_interpreter_is_still_one() {
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/usr/bin/perl", place.path().join("harmless")).unwrap();
    let search = Search::of(vec![place.path().to_owned()]);
    let pinned = Pinned::resolve(ProgramGrant::parse("harmless").unwrap(), &search, &[]);
    assert!(matches!(pinned, Err(GrantError::Wrapper { .. })), "{pinned:?}");
}

#[tokio::test]
async fn exe_07_paths_outside_the_grants_are_refused_by_name() {
    let house = House::new();
    house.write("notes.txt", "text");
    let secret = house.root.path().join("secret").display().to_string();
    let outside = [
        "/etc/passwd",
        "../secret",
        "sub/../../secret",
        secret.as_str(),
        "--file=/etc/passwd",
        "-f/etc/passwd",
        "-f../secret",
        "/",
        "//etc/passwd",
    ];
    let cat = House::approve("cat");
    for argument in outside {
        for argv in [vec!["cat", argument], vec!["cat", "--", argument]] {
            let outcome = house.run(&cat, &argv).await;
            assert!(outcome.denied().starts_with("files="), "{argv:?}");
        }
    }
    for argument in ["-", "/proc/self/environ", "/dev/sda", "/dev/stdin", "--file=/proc/1/mem", "../../../../../../sys"]
    {
        let outcome = house.run(&cat, &["cat", "--", argument]).await;
        assert!(matches!(outcome.result, Err(NativeError::Refused(_))), "{argument}: {:?}", outcome.result);
    }

    let inside = house.workspace().join("notes.txt").display().to_string();
    for argument in ["notes.txt", "./notes.txt", "sub/../notes.txt", inside.as_str(), "--", "/dev/null"] {
        let outcome = house.run(&cat, &["cat", argument, "notes.txt"]).await;
        assert!(outcome.out().ends_with("text"), "{argument}: {outcome:?}");
    }
}

#[tokio::test]
async fn exe_07_input_that_is_given_can_be_named() {
    let mut house = House::new();
    house.input = Some(b"from the pipe".to_vec());
    let outcome = house.allowed("cat", &["cat", "-"]).await;
    assert_eq!(outcome.out(), "from the pipe");
}

#[tokio::test]
async fn exe_13_commands_of_the_wrong_shape_are_refused() {
    let house = House::new();
    let cat = House::approve("cat");
    let huge = "x".repeat(3 << 20);
    let many = vec!["cat"; 5000];
    let shapes: [&[&str]; 4] = [&[], &["cat", "a\0b"], &["cat", &huge], &many];
    for argv in shapes {
        let outcome = house.run(&cat, argv).await;
        assert!(matches!(outcome.result, Err(NativeError::Refused(_))), "{:?}", outcome.result);
    }
}

#[tokio::test]
async fn exe_13_the_first_word_is_the_granted_name() {
    let house = House::new();
    let cat = House::approve("cat");
    for name in ["", "-sh", "/bin/cat", "sh"] {
        assert!(house.run(&cat, &[name, "notes.txt"]).await.denied().starts_with("programs="), "{name}");
    }
    assert_eq!(house.hostile(&["argv"]).await.out().lines().next(), Some("chiton-native-hostile"));
}

#[tokio::test]
async fn exe_07_the_working_directory_has_to_be_granted() {
    let house = House::new();
    let directories = [house.directory()];
    let outcome =
        house.run_in(&House::approve("ls"), &["ls"], &directories, house.root.path(), &CancellationToken::new()).await;
    assert!(outcome.denied().starts_with("files="), "{:?}", outcome.result);
}

#[test]
fn exe_07_doors_to_the_machine_are_no_directories_for_programs() {
    for path in ["/", "/proc", "/proc/self", "/sys", "/dev", "/dev/shm"] {
        assert!(matches!(Directory::open(path.as_ref(), false), Err(NativeError::Refused(_))), "{path}");
    }
    for path in ["/usr", "/usr/bin", "/usr/lib", "/etc"] {
        assert!(matches!(Directory::open(path.as_ref(), true), Err(NativeError::Refused(_))), "{path}");
        assert!(Directory::open(path.as_ref(), false).is_ok(), "{path}");
    }
}
