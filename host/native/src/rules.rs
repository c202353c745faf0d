//! What is known about single programs, as data: which never run, and which arguments of the others are refused.

use crate::GrantError;

/// Why a kind of program cannot be granted.
const SHELL: &str = "it runs any text it is given; the in-guest shell does that without a native process";
const INTERPRETER: &str = "it runs any code it is given; the in-guest engines do that without a native process";
const WRAPPER: &str = "it starts other programs";
const EDITOR: &str = "it needs a terminal and starts other programs";
const REMOTE: &str = "it needs the network, which native programs do not have, and starts other programs";
const PRIVILEGE: &str = "it changes rights or users";
const MACHINE: &str = "it changes the machine";
const BUILD: &str = "it runs commands from files";

/// Programs that cannot be granted. A name with a version at its end (`python3.11`, `lua5.4`) is the same program.
const NEVER: [(&str, &str); 8] = [
    (SHELL, "ash bash busybox csh dash elvish fish ksh mksh nu pwsh rbash sh tcsh toybox xonsh zsh"),
    (
        INTERPRETER,
        "awk bun dc deno erl expect gawk gdb ghci groovy gs guile irb java jjs jshell julia latex lldb \
         lua luajit m mawk mysql nawk node nodejs ocaml octave original-awk pdftex perl php psql pypy python \
         r racket rscript ruby scala sed sqlite tclsh tex wasmtime wish",
    ),
    (
        WRAPPER,
        "at batch bsdtar busctl bwrap capsh choom chpst chronic chroot chrt cpio cpulimit crontab dbus-launch \
         dbus-run-session dumb-init entr env fakeroot find firejail flock fzf git-shell i386 ifne ionice \
         ld.so linux linux32 linux64 logrotate ltrace man nice nohup nsenter numactl parallel pax perf \
         prlimit run-parts runcon runuser script scriptreplay setarch setpriv setsid sort split \
         start-stop-daemon stdbuf strace systemd-run tar taskset tcpdump time timeout tini unbuffer unshare unzip \
         valgrind watch x86_64 xargs xdg-open zip",
    ),
    (
        EDITOR,
        "ed emacs emacsclient ex helix hx jed joe less lesspipe mc micro more most mutt nano nvim pg pico \
         rvim screen tmux vi view vim vimdiff vimtutor",
    ),
    (
        REMOTE,
        "curl ftp lftp mosh nc ncat netcat openssl rclone rsync scp sftp slogin socat ssh ssh-agent \
         ssh-keygen sshfs telnet wget",
    ),
    (PRIVILEGE, "chfn chsh doas gpasswd login machinectl newgrp passwd pkexec sg su sudo sudoedit"),
    (
        MACHINE,
        "apk apt apt-get aptitude crun ctr dnf docker dpkg flatpak journalctl kubectl lxc mount nerdctl nix \
         pacman podman rpm runc service snap systemctl umount yum zypper",
    ),
    (
        BUILD,
        "ansible ansible-playbook ant bazel cargo cc clang cmake composer cpan easy_install g++ gcc gem gmake \
         go gradle just ld make meson mvn ninja npm npx pip pipx pnpm rake rustc terraform tsc uv uvx yarn",
    ),
];

/// What is known about the arguments of one program.
pub(crate) struct Rules {
    /// The program's name.
    program: &'static str,
    /// Its subcommands that can be granted; a grant names one.
    subcommands: &'static [Subcommand],
    /// Long options that are refused, also shortened as far as `--` and one letter.
    refused: &'static [&'static str],
    /// Options whose value is text, never a path.
    text: &'static [&'static str],
    /// Added to the environment.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Settings passed in the environment (`GIT_CONFIG_COUNT`), which overrule every configuration file.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

/// One subcommand.
struct Subcommand {
    name: &'static str,
    /// Arguments put right after the subcommand.
    inserted: &'static [&'static str],
    /// Single letters that are refused, also within `-abc`.
    letters: &'static str,
    /// Letters that take the rest of `-abc` as their value.
    values: &'static str,
    /// Long options that are fine although they could be a refused one, shortened or not.
    fine: &'static [&'static str],
}

const fn subcommand(name: &'static str) -> Subcommand {
    Subcommand { name, inserted: &[], letters: "", values: "", fine: &["--text"] }
}

/// A subcommand that shows differences: drivers that the repository names must not run.
const fn differences(name: &'static str) -> Subcommand {
    Subcommand { inserted: &["--no-ext-diff", "--no-textconv"], letters: "O", values: "GSIlUXnLM", ..subcommand(name) }
}

/// Programs with rules of their own.
static RULES: [Rules; 1] = [Rules {
    program: "git",
    subcommands: &[
        subcommand("add"),
        Subcommand { inserted: &["--no-textconv"], ..subcommand("blame") },
        subcommand("branch"),
        subcommand("cat-file"),
        subcommand("check-ignore"),
        subcommand("checkout"),
        subcommand("commit"),
        subcommand("count-objects"),
        subcommand("describe"),
        differences("diff"),
        subcommand("for-each-ref"),
        Subcommand { letters: "O", values: "ABCmefd", ..subcommand("grep") },
        subcommand("init"),
        differences("log"),
        subcommand("ls-files"),
        subcommand("ls-tree"),
        subcommand("merge-base"),
        subcommand("mv"),
        subcommand("name-rev"),
        subcommand("reset"),
        subcommand("restore"),
        subcommand("rev-list"),
        Subcommand { fine: &["--git-dir"], ..subcommand("rev-parse") },
        subcommand("rm"),
        subcommand("shortlog"),
        differences("show"),
        subcommand("show-ref"),
        subcommand("stash"),
        subcommand("status"),
        subcommand("switch"),
        subcommand("tag"),
        subcommand("version"),
    ],
    refused: &[
        "--exec",
        "--exec-path",
        "--ext-diff",
        "--git-dir",
        "--gpg-sign",
        "--open-files-in-pager",
        "--output",
        "--output-directory",
        "--receive-pack",
        "--separate-git-dir",
        "--show-signature",
        "--template",
        "--textconv",
        "--upload-pack",
        "--work-tree",
    ],
    text: &[
        "-m",
        "--message",
        "--grep",
        "--author",
        "--committer",
        "--format",
        "--pretty",
        "--since",
        "--until",
        "--after",
        "--before",
        "--date",
        "-S",
        "-G",
        "-e",
        "--trailer",
        "--sort",
        "--contains",
    ],
    environment: &[
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_PAGER", "cat"),
        ("GIT_EDITOR", ":"),
        ("GIT_SEQUENCE_EDITOR", ":"),
        ("GIT_ALLOW_PROTOCOL", ""),
        // The author of commits, unless the repository names one.
        ("EMAIL", "chiton@localhost"),
    ],
    // Every setting of git that names a program and has a fixed name. Those with a name of the repository's choice
    // (filter.X.clean, diff.X.textconv, merge.X.driver) meet the inserted options, and Landlock in the end.
    settings: &[
        ("core.fsmonitor", "false"),
        ("core.hooksPath", "/dev/null"),
        ("core.pager", "cat"),
        ("core.editor", ":"),
        ("core.sshCommand", "false"),
        ("core.gitProxy", "none"),
        ("core.askPass", ""),
        ("core.attributesFile", "/dev/null"),
        ("core.excludesFile", "/dev/null"),
        ("core.alternateRefsCommand", "false"),
        ("credential.helper", ""),
        ("protocol.allow", "never"),
        ("commit.gpgSign", "false"),
        ("tag.gpgSign", "false"),
        ("log.showSignature", "false"),
        ("gpg.program", "false"),
        ("gpg.ssh.defaultKeyCommand", ""),
        ("interactive.diffFilter", "cat"),
        ("sequence.editor", ":"),
        ("submodule.recurse", "false"),
        ("diff.submodule", "short"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        // Packs are mapped in pieces, so that the address space limit does not end large repositories.
        ("core.packedGitWindowSize", "16m"),
        ("core.packedGitLimit", "128m"),
    ],
}];

/// The rules of a program, if it has any.
pub(crate) fn of(program: &str) -> Option<&'static Rules> {
    RULES.iter().find(|rules| rules.program == program)
}

/// Why a program of this name is never granted.
pub(crate) fn never(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let unversioned = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit() || "._-".contains(c)).to_owned();
    // `vim.tiny`, `x86_64-linux-gnu-gcc`: the part before a dot or after the last dash tells what it is.
    let before_dot = lower.split('.').next().unwrap_or_default();
    let after_dash = lower.rsplit('-').next().unwrap_or_default();
    let is = [lower.clone(), unversioned(&lower), unversioned(before_dot), unversioned(after_dash)];
    let listed = |names: &str| names.split(' ').any(|name| is.iter().any(|is| is == name));
    NEVER.iter().find(|(_, names)| listed(names)).map(|(reason, _)| *reason)
}

/// Checks the words of a grant against the tables.
pub(crate) fn check_grant(words: &[String]) -> Result<(), GrantError> {
    let name = &words[0];
    if let Some(reason) = never(name) {
        return Err(GrantError::Wrapper { name: name.clone(), reason });
    }
    let Some(rules) = of(name) else { return Ok(()) };
    let allowed = || rules.subcommands.iter().map(|known| known.name).collect();
    match words.get(1) {
        Some(word) if rules.subcommands.iter().any(|known| known.name == *word) => Ok(()),
        _ => Err(GrantError::Subcommand { name: name.clone(), allowed: allowed() }),
    }
}

impl Rules {
    fn subcommand(&self, argv: &[String]) -> Option<&Subcommand> {
        self.subcommands.iter().find(|known| argv.get(1).is_some_and(|word| *word == known.name))
    }

    /// The option of `argv` that is refused, if there is one.
    pub(crate) fn refused_option<'a>(&self, argv: &'a [String]) -> Option<&'a str> {
        let subcommand = self.subcommand(argv)?;
        // What follows `--` is no option, but a program may see that differently; and the order of words is the model's.
        argv.iter().skip(2).map(String::as_str).find(|argument| match argument.strip_prefix("--") {
            Some(long) => !long.is_empty() && self.refuses_long(subcommand, argument),
            None => argument.strip_prefix('-').is_some_and(|letters| subcommand.refuses_letters(letters)),
        })
    }

    fn refuses_long(&self, subcommand: &Subcommand, argument: &str) -> bool {
        let option = argument.split_once('=').map_or(argument, |(option, _)| option);
        self.refused.iter().any(|refused| refused.starts_with(option)) && !subcommand.fine.contains(&option)
    }

    /// Whether the value of an option is text.
    pub(crate) fn takes_text(&self, option: &str) -> bool {
        self.text.contains(&option)
    }

    /// `argv` with the words that the rules put in.
    pub(crate) fn completed(&self, argv: &[String]) -> Vec<String> {
        let inserted = self.subcommand(argv).map_or(&[][..], |known| known.inserted);
        let (head, tail) = argv.split_at(argv.len().min(2));
        head.iter().cloned().chain(inserted.iter().map(|word| (*word).to_owned())).chain(tail.iter().cloned()).collect()
    }
}

impl Subcommand {
    fn refuses_letters(&self, letters: &str) -> bool {
        letters.chars().take_while(|letter| !self.values.contains(*letter)).any(|letter| self.letters.contains(letter))
    }
}
