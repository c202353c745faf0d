//! A program with the habits of an attacker, one for each first argument. It prints what it got; the tests judge.

#![allow(clippy::unwrap_used, reason = "it may crash whenever it likes")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "it does unsafe things on purpose, with plain numbers")]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    habits::run(&words);
}

#[cfg(target_os = "linux")]
mod habits {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::Command;
    use std::time::Duration;

    pub fn run(words: &[&str]) {
        match words {
            ["argv", ..] => std::env::args().for_each(|word| println!("{word}")),
            ["environment"] => std::env::vars().for_each(|(name, value)| println!("{name}={value}")),
            ["descriptors"] => descriptors(),
            ["read", path] => told("read", std::fs::read_to_string(path)),
            ["write", path] => told("write", std::fs::write(path, "written")),
            ["list", path] => told("list", std::fs::read_dir(path).map(|entries| entries.count())),
            ["execute", path, rest @ ..] => told("execute", Command::new(path).args(rest).output().map(|o| o.status)),
            ["escape", path] => escape(path),
            ["fork-bomb"] => fork_bomb(),
            ["allocate", bytes] => allocate(bytes.parse().unwrap()),
            ["flood"] => while std::io::stdout().write_all(&[b'x'; 65536]).is_ok() {},
            ["drip"] => drip(),
            ["bytes"] => std::io::stdout().write_all(b"\x1b]8;;x\x07\xff\x00\x1b[2J").unwrap(),
            ["terminal"] => terminal(),
            ["input"] => told("input", std::io::read_to_string(std::io::stdin())),
            ["network", tcp, unix] => network(tcp, unix),
            ["calls", file] => calls(file),
            ["disk", path] => told("disk", disk(path)),
            ["kill", pid] => told("kill", zero(unsafe { libc::kill(pid.parse().unwrap(), libc::SIGKILL) }.into())),
            ["identity"] => identity(),
            ["core"] => core(),
            ["sleep"] => std::thread::sleep(Duration::from_secs(60)),
            ["code", code] => std::process::exit(code.parse().unwrap()),
            ["without", call, program] => without(call, program),
            other => println!("no habit {other:?}"),
        }
    }

    fn told<T: std::fmt::Debug>(what: &str, result: std::io::Result<T>) {
        match result {
            Ok(value) => println!("{what}: got {value:?}"),
            Err(error) => println!("{what}: {error}"),
        }
    }

    fn zero(result: libc::c_long) -> std::io::Result<()> {
        if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    }

    fn descriptors() {
        let open = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1;
        println!("{:?}", (0..4096).filter(open).collect::<Vec<i32>>());
    }

    /// Leaves the process group and the session, ignores every signal, and lives on, which shows in a file.
    fn escape(path: &str) {
        for round in 0..3 {
            if unsafe { libc::fork() } != 0 {
                if round == 0 {
                    std::thread::sleep(Duration::from_millis(300));
                    println!("left");
                }
                return;
            }
            unsafe { libc::setsid() };
        }
        for number in 1..64 {
            unsafe { libc::signal(number, libc::SIG_IGN) };
        }
        for stream in 0..3 {
            unsafe { libc::close(stream) };
        }
        for beat in 0..600 {
            let _ = std::fs::write(path, format!("{beat}"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn fork_bomb() {
        let mut children = 0;
        loop {
            match unsafe { libc::fork() } {
                -1 => break,
                0 => std::thread::sleep(Duration::from_secs(60)),
                _ => children += 1,
            }
            if children >= 5000 {
                break;
            }
        }
        println!("children: {children}");
    }

    fn allocate(bytes: usize) {
        let mut memory: Vec<u8> = Vec::new();
        told("allocate", memory.try_reserve_exact(bytes).map_err(std::io::Error::other));
    }

    fn drip() {
        loop {
            let _ = std::io::stdout().write_all(b".").and_then(|()| std::io::stdout().flush());
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn terminal() {
        told("controlling terminal", std::fs::File::open("/dev/tty").map(drop));
        let terminals: Vec<i32> = (0..3).filter(|fd| unsafe { libc::isatty(*fd) } == 1).collect();
        println!("terminals: {terminals:?}");
        let letter = b'x';
        told("push", zero(unsafe { libc::ioctl(0, libc::TIOCSTI, &raw const letter) }.into()));
        let mut text = String::new();
        told("input", std::io::stdin().read_to_string(&mut text));
    }

    fn network(tcp: &str, unix: &str) {
        told("tcp", TcpStream::connect(tcp).map(drop));
        told("udp", UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", tcp)));
        told("unix", UnixStream::connect(unix).map(drop));
        told("raw", zero(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0) }.into()));
    }

    fn calls(file: &str) {
        let path = std::ffi::CString::new(file).unwrap();
        let call = |number: libc::c_long, one: libc::c_long| zero(unsafe { libc::syscall(number, one, 0, 0, 0, 0) });
        told("ptrace", call(libc::SYS_ptrace, libc::PTRACE_TRACEME.into()));
        told("unshare", call(libc::SYS_unshare, libc::CLONE_NEWUSER.into()));
        told("clone", call(libc::SYS_clone, (libc::CLONE_NEWUSER | libc::SIGCHLD).into()));
        told("keyctl", call(libc::SYS_keyctl, 0));
        told("bpf", call(libc::SYS_bpf, 0));
        told("io_uring", call(libc::SYS_io_uring_setup, 1));
        told("mount", call(libc::SYS_mount, 0));
        told("memfd", zero(unsafe { libc::memfd_create(c"x".as_ptr(), 0) }.into()));
        told("set-uid", zero(unsafe { libc::chmod(path.as_ptr(), 0o4755) }.into()));
        told("chmod", zero(unsafe { libc::chmod(path.as_ptr(), 0o755) }.into()));
        told("setuid", zero(unsafe { libc::setuid(0) }.into()));
        #[cfg(target_arch = "x86_64")]
        told("x32", call(0x4000_0000 + libc::SYS_getpid, 0));
    }

    fn disk(path: &str) -> std::io::Result<u64> {
        // Its signal would end the program before it can tell.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        let mut file = std::fs::File::create(path)?;
        let mut written = 0;
        loop {
            match file.write(&[0; 1 << 20]) {
                Ok(bytes) => written += bytes as u64,
                Err(_) => return Ok(written),
            }
        }
    }

    fn identity() {
        let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
        println!("pid {} parent {} uid {uid} gid {gid}", std::process::id(), unsafe { libc::getppid() });
    }

    fn core() {
        let mut limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
        unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) };
        println!("core: {} {}", limit.rlim_cur, limit.rlim_max);
        std::process::abort();
    }

    /// Becomes `program` on a kernel that lacks a system call.
    fn without(call: &str, program: &str) {
        use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
        use std::os::unix::process::CommandExt as _;
        let number = match call {
            "unshare" => libc::SYS_unshare,
            "landlock" => libc::SYS_landlock_create_ruleset,
            "seccomp" => libc::SYS_seccomp,
            _ => libc::SYS_mount_setattr,
        };
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let action = SeccompAction::Errno(libc::ENOSYS as u32);
        let filter =
            SeccompFilter::new([(number, vec![])].into_iter().collect(), SeccompAction::Allow, action, arch).unwrap();
        apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
        panic!("{}", Command::new(program).exec());
    }
}
