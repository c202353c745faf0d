//! What the kernel refuses the program: capabilities, files and sockets by Landlock, system calls by seccomp, and
//! amounts by resource limits.

use super::{Built, Stop, files};
use crate::Wall;
use crate::policy::{Policy, ProcessLimits};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::os::fd::{AsFd, OwnedFd};

/// The newest Landlock that is asked for; an older kernel gives what it has.
const LANDLOCK: ABI = ABI::V9;
/// Landlock's first ABI with rules on TCP, and with scopes.
const LANDLOCK_NETWORK: i32 = 4;
const LANDLOCK_SCOPES: i32 = 6;
/// The dynamic loaders, which the kernel executes for a program.
const LOADERS: [&str; 6] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib64/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];
/// Open files of each process.
const OPEN_FILES: u64 = 256;
/// How far behind other processes the program stands.
const NICENESS: i32 = 5;
/// Highest capability number that is tried; the kernel refuses those it does not know.
const LAST_CAPABILITY: u32 = 63;

/// Gives up every capability for good.
pub(super) fn drop_capabilities() -> Result<(), Errno> {
    for number in 0..=LAST_CAPABILITY {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // The first that this kernel does not know; or there is no capability left to drop capabilities with.
            Err(Errno::INVAL | Errno::PERM) => break,
            Err(error) => return Err(error),
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    rustix::thread::set_no_new_privs(true)
}

/// Only the granted files, only the pinned program, no TCP, no signals to others.
pub(super) fn landlock(policy: &Policy, program: &OwnedFd, built: &mut Built) -> Result<(), Stop> {
    let own_tree = built.stands(Wall::Files);
    match restrict(policy, program, own_tree) {
        Ok(LandlockStatus::Available { effective_abi, .. }) => built.landlock_abi = effective_abi as i32,
        Ok(status) => drop(built.wall(Wall::Landlock, Err(format!("{status:?}")))?),
        Err(error) => drop(built.wall(Wall::Landlock, Err(error))?),
    }
    for (wall, abi) in [(Wall::LandlockNetwork, LANDLOCK_NETWORK), (Wall::LandlockScopes, LANDLOCK_SCOPES)] {
        if built.landlock_abi < abi {
            built
                .wall(wall, Err(format!("the kernel's Landlock has ABI {}, it came with {abi}", built.landlock_abi)))?;
        }
    }
    Ok(())
}

fn restrict(policy: &Policy, program: &OwnedFd, own_tree: bool) -> Result<LandlockStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let devices_and_sockets = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::IoctlDev;
    let write = read | (AccessFs::from_write(LANDLOCK) & !devices_and_sockets);
    let execute = AccessFs::ReadFile | AccessFs::Execute;

    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?;
    rules = rules.add_rule(PathBeneath::new(program.as_fd(), execute))?;
    for path in files::SYSTEM {
        rules = allow(rules, path, read)?;
    }
    for path in files::DEVICES {
        rules = allow(rules, path, AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    for path in LOADERS {
        rules = allow(rules, path, execute)?;
    }
    if own_tree {
        rules = allow(rules, "/etc", read)?;
        rules = allow(rules, files::TEMPORARY, write)?;
    }
    for directory in &policy.directories {
        rules = allow(rules, &directory.path, if directory.writable { write } else { read })?;
    }
    Ok(rules.restrict_self()?.landlock)
}

/// Allows a path if it is there. Files get the rights that files can have.
fn allow(
    rules: RulesetCreated,
    path: impl AsRef<std::path::Path>,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let path = path.as_ref();
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK) };
    rules.add_rule(PathBeneath::new(opened, access))
}

/// Sets the limits of the process and of what it starts.
pub(super) fn limit(limits: &ProcessLimits) -> Result<(), Errno> {
    let amounts = [
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::As, limits.memory),
        (Resource::Nproc, limits.processes),
        (Resource::Fsize, limits.file),
        (Resource::Nofile, OPEN_FILES),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    for (resource, amount) in amounts {
        setrlimit(resource, Rlimit { current: Some(amount), maximum: Some(amount) })?;
    }
    rustix::process::nice(NICENESS).map(drop)
}

/// System calls that are refused whatever their arguments. No plain program needs them, and kernels had their holes there.
const REFUSED: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise,
    libc::SYS_perf_event_open,
    // Sockets: `socketpair` makes no way out, `socket` could.
    libc::SYS_socket,
    // Namespaces, mounts, roots.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Keys, code in the kernel, asynchronous system calls.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
    // Memory of other nodes, and files that Landlock does not see.
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
];

/// System calls that take their arguments from memory, which a filter cannot read. Programs fall back to older ones.
const UNKNOWN: &[i64] = &[libc::SYS_clone3, libc::SYS_openat2];

/// `fchmodat2`, which not every libc has a name for.
const FCHMODAT2: i64 = 452;

/// System calls that are refused if any of these bits is set in this argument.
const REFUSED_BITS: &[(i64, u8, u64)] = &[
    (libc::SYS_clone, 0, NEW_NAMESPACES),
    // A set-uid file of the owner would lend other users the owner's rights.
    (libc::SYS_fchmod, 1, SET_ID),
    (libc::SYS_fchmodat, 2, SET_ID),
    (FCHMODAT2, 2, SET_ID),
    (libc::SYS_openat, 3, SET_ID),
    (libc::SYS_mknodat, 2, SET_ID),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1, SET_ID),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 2, SET_ID),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1, SET_ID),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1, SET_ID),
];
const SET_ID: u64 = 0o6000;
const NEW_NAMESPACES: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u64;

/// `ioctl` requests that are refused: they put text into a terminal's input.
const REFUSED_REQUESTS: &[u64] = &[libc::TIOCSTI, libc::TIOCLINUX];

/// Installs the filters for this process and what it starts.
pub(super) fn seccomp() -> Result<(), Box<dyn std::error::Error>> {
    let arch = std::env::consts::ARCH.try_into()?;
    let whole = |numbers: &[i64]| numbers.iter().map(|number| (*number, Vec::new())).collect::<Vec<_>>();
    let mut refused = whole(REFUSED);
    for (number, argument, bits) in REFUSED_BITS {
        let one_bit = (0..u64::BITS).map(|shift| 1 << shift).filter(|bit| bits & bit != 0);
        let rules: Result<Vec<_>, _> = one_bit.map(|bit| rule(*argument, SeccompCmpOp::MaskedEq(bit), bit)).collect();
        refused.push((*number, rules?));
    }
    let requests: Result<Vec<_>, _> =
        REFUSED_REQUESTS.iter().map(|request| rule(1, SeccompCmpOp::Eq, *request)).collect();
    refused.push((libc::SYS_ioctl, requests?));

    for (rules, errno) in [(refused, libc::EPERM), (whole(UNKNOWN), libc::ENOSYS)] {
        let action = SeccompAction::Errno(errno as u32);
        let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, action, arch)?;
        let mut program = foreign_numbers();
        program.extend(BpfProgram::try_from(filter)?);
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    // The kernel looks at the lower half of these arguments only.
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])
}

/// Refuses the numbers of the x32 interface: the same system calls under other numbers.
fn foreign_numbers() -> BpfProgram {
    const X32: u32 = 0x4000_0000;
    let instruction = |code: u32, jt, jf, k| seccompiler::sock_filter { code: code as u16, jt, jf, k };
    vec![
        instruction(
            libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
            0,
            0,
            std::mem::offset_of!(libc::seccomp_data, nr) as u32,
        ),
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ]
}
