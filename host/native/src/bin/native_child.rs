//! The child for programs that cannot re-execute themselves, such as tests.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    chiton_native::native_child()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
