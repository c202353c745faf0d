//! The compiling child for programs that cannot re-execute themselves, such as tests.

fn main() -> std::process::ExitCode {
    chiton_sandbox::compile_child()
}
