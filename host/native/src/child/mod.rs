//! The child of the host that builds the walls around itself and runs one program.
//!
//! Three processes: the *keeper* (the child itself) leaves the namespaces and waits; the *init* is the first process of
//! the new process namespace, builds the remaining walls and waits for the *program*. When the init ends, the kernel ends
//! every process of the namespace, whatever it did to get away. The init ends when the program has ended, when the keeper
//! dies, or when the host closes the socket.

mod confine;
mod files;
mod system;
mod users;

use crate::policy::{Answer, DESCRIPTORS, Policy};
use crate::{Wall, WallState, Walls};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, set_dumpable_behavior, set_parent_process_death_signal, setsid, wait, waitpid,
};
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::io::{IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use users::Users;

/// The first descriptor behind the standard streams.
const FIRST_FREE: u32 = 3;

/// Why no program runs. Becomes an [`Answer`].
enum Stop {
    Missing(Wall, String),
    Moved(std::path::PathBuf),
    Failed(String),
}

impl Stop {
    /// For `map_err`: an error with the step at which it happened.
    fn at<E: std::fmt::Display>(step: &str) -> impl Fn(E) -> Self + '_ {
        move |error| Self::Failed(format!("{step}: {error}"))
    }
}

/// The walls as they are built.
struct Built {
    missing: Vec<(Wall, String)>,
    may_be_missing: Vec<Wall>,
    landlock_abi: i32,
}

impl Built {
    /// Notes whether a wall stands. A required one that does not is the end.
    fn wall<E: std::fmt::Display>(&mut self, wall: Wall, built: Result<(), E>) -> Result<bool, Stop> {
        let Err(error) = built else { return Ok(true) };
        let reason = error.to_string();
        if !self.may_be_missing.contains(&wall) {
            return Err(Stop::Missing(wall, reason));
        }
        self.missing.push((wall, reason));
        Ok(false)
    }

    fn stands(&self, wall: Wall) -> bool {
        self.missing.iter().all(|(missing, _)| *missing != wall)
    }

    fn report(&self) -> Walls {
        let reason = |wall| self.missing.iter().find(|(missing, _)| *missing == wall).map(|(_, reason)| reason.clone());
        let states = Wall::ALL.map(|wall| WallState { wall, missing: reason(wall) }).to_vec();
        Walls { states, landlock_abi: self.landlock_abi }
    }
}

/// What the host handed over.
struct Handed {
    policy: Policy,
    program: OwnedFd,
    streams: [OwnedFd; 3],
}

/// The whole life of the child: takes the policy from the socket on standard input, builds the walls, runs the program.
/// To be called before anything else in a process that has one thread.
pub fn native_child() -> ExitCode {
    let socket = system::close_from(FIRST_FREE, false)
        .and_then(|()| rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST_FREE as i32));
    let Ok(socket) = socket else { return ExitCode::FAILURE };
    let mut socket = UnixStream::from(socket);
    let refusal = match keep(&mut socket) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Stop::Missing(wall, reason)) => Answer::Missing(wall, reason),
        Err(Stop::Moved(path)) => Answer::Moved(path),
        Err(Stop::Failed(reason)) => Answer::Failed(reason),
    };
    answer(&mut socket, &refusal);
    ExitCode::FAILURE
}

/// The keeper: leaves the namespaces, starts the init, and waits. Its forks return from here too.
fn keep(socket: &mut UnixStream) -> Result<(), Stop> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    if threads != 1 {
        return Err(Stop::Failed(format!("the child has {threads} threads instead of one")));
    }
    let handed = receive(socket).map_err(Stop::at("policy"))?;
    let may_be_missing = handed.policy.may_be_missing.clone();
    let mut built = Built { missing: Vec::new(), may_be_missing, landlock_abi: 0 };
    // Fails only if it leads a session already; then it has no terminal either.
    let _ = setsid();
    let users = Users::leave(&handed.policy, &mut built)?;
    leave_namespaces(&mut built)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Stop::at("dumpable"))?;
    match system::fork().map_err(Stop::at("fork"))? {
        Some(init) => {
            drop((handed, users));
            wait_for_init(socket, init).map_err(Stop::at("wait"))
        }
        None => init(socket, handed, &users, built),
    }
}

fn receive(socket: &UnixStream) -> std::io::Result<Handed> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors: Vec<OwnedFd> = Vec::with_capacity(DESCRIPTORS);
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let Ok([policy, program, input, output, errors]) = <[OwnedFd; DESCRIPTORS]>::try_from(descriptors) else {
        return Err(std::io::Error::other("the host did not send all descriptors"));
    };
    let mut text = Vec::new();
    std::fs::File::from(policy).read_to_end(&mut text)?;
    let policy = serde_json::from_slice(&text)?;
    Ok(Handed { policy, program, streams: [input, output, errors] })
}

/// Leaves each namespace of the host for an empty one.
fn leave_namespaces(built: &mut Built) -> Result<(), Stop> {
    let namespaces = [
        (Wall::Files, UnshareFlags::NEWNS),
        (Wall::Processes, UnshareFlags::NEWPID),
        (Wall::Network, UnshareFlags::NEWNET),
        (Wall::Ipc, UnshareFlags::NEWIPC),
    ];
    for (wall, flag) in namespaces {
        built.wall(wall, system::unshare(flag))?;
    }
    // The host's name and control groups are no secret; hiding them is a courtesy.
    let _ = system::unshare(UnshareFlags::NEWUTS).and_then(|()| rustix::system::sethostname(b"chiton"));
    let _ = system::unshare(UnshareFlags::NEWCGROUP);
    Ok(())
}

/// Waits for the end of the init, or of the host's interest in it.
fn wait_for_init(socket: &UnixStream, init: Pid) -> Result<(), Errno> {
    let ended = pidfd_open(init, PidfdFlags::empty())?;
    let mut watched = [PollFd::new(&ended, PollFlags::IN), PollFd::new(socket, PollFlags::IN)];
    while let Err(error) = poll(&mut watched, None) {
        if error != Errno::INTR {
            return Err(error);
        }
    }
    if watched[0].revents().is_empty() {
        kill_process(init, Signal::KILL)?;
    }
    // The init is not gone before every process of its namespace is.
    while let Err(Errno::INTR) = waitpid(Some(init), WaitOptions::empty()) {}
    Ok(())
}

/// The first process of the new process namespace: builds the other walls, starts the program, waits for it.
fn init(socket: &mut UnixStream, handed: Handed, users: &Users, mut built: Built) -> Result<(), Stop> {
    die_with_parent()?;
    if hung_up(socket) {
        return Ok(());
    }
    let directories = files::open_granted(&handed.policy)?;
    users.enter(&handed.policy, directories, &mut built)?;
    confine::drop_capabilities().map_err(Stop::at("capabilities"))?;
    // Changing the user clears it.
    die_with_parent()?;
    confine::landlock(&handed.policy, &handed.program, &mut built)?;
    if handed.policy.probe {
        built.wall(Wall::Seccomp, confine::seccomp())?;
        answer(socket, &Answer::Walls(built.report()));
        return Ok(());
    }
    // Without a process namespace, orphans at least come back to this process.
    set_child_subreaper(Some(rustix::process::getpid())).map_err(Stop::at("subreaper"))?;
    match system::fork().map_err(Stop::at("fork"))? {
        None => Err(become_program(handed, built)),
        Some(program) => {
            drop(handed);
            let status = wait_for_program(program).map_err(Stop::at("wait"))?;
            // The walls that the program needed are in place for the whole group, so it ends as a group.
            let _ = kill_process_group(program, Signal::KILL);
            // A refusal in the program's own process has already been answered.
            match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => answer(socket, &Answer::Ended(code)),
                (None, Some(signal)) => answer(socket, &Answer::Signalled(signal)),
                (None, None) => return Err(Stop::Failed("it ended in no known way".to_owned())),
            }
            Ok(())
        }
    }
}

/// Waits for the program, and meanwhile for every orphan that the kernel hands to this process.
fn wait_for_program(program: Pid) -> Result<WaitStatus, Errno> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => return Ok(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The last steps, in the process that becomes the program. Returns only if they fail.
fn become_program(handed: Handed, mut built: Built) -> Stop {
    let steps = || -> Result<Errno, Stop> {
        let Handed { policy, program, streams } = handed;
        let strings = |strings: Vec<String>| strings.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
        let argv = strings(policy.argv).map_err(Stop::at("arguments"))?;
        let environment = policy.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let environment = strings(environment).map_err(Stop::at("environment"))?;
        setsid().map_err(Stop::at("session"))?;
        die_with_parent()?;
        std::env::set_current_dir(&policy.cwd).map_err(Stop::at("the working directory"))?;
        let [input, output, errors] = &streams;
        rustix::stdio::dup2_stdin(input)
            .and_then(|()| rustix::stdio::dup2_stdout(output))
            .and_then(|()| rustix::stdio::dup2_stderr(errors))
            .and_then(|()| system::close_from(FIRST_FREE, true))
            .map_err(Stop::at("streams"))?;
        system::reset_signals();
        confine::limit(&policy.limits).map_err(Stop::at("limits"))?;
        built.wall(Wall::Seccomp, confine::seccomp())?;
        Ok(system::execute(&program, &argv, &environment))
    };
    steps().map_or_else(|stop| stop, |error| Stop::Failed(format!("it cannot be executed: {error}")))
}

fn die_with_parent() -> Result<(), Stop> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Stop::at("parent death signal"))
}

/// Whether the host has closed its end.
fn hung_up(socket: &UnixStream) -> bool {
    let mut watched = [PollFd::new(socket, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Sends one line. The host reads the first one only, and nobody is left to hear of an error.
fn answer(socket: &mut UnixStream, answer: &Answer) {
    if let Ok(mut line) = serde_json::to_vec(answer) {
        line.push(b'\n');
        let _ = socket.write_all(&line);
    }
}
