//! How a program ends: with all eight bits of its exit code, whoever ends it.

use crate::bindings::chiton::tool::exit_code;

/// The exit code after a panic: what a shell shows for a program ended by SIGABRT.
pub const ABORTED: u8 = 134;

/// The exit code when nobody reads the output any more: what a shell shows for SIGPIPE.
pub const BROKEN_PIPE: u8 = 141;

/// Ends the program now, with nothing flushed; `std::process::exit` flushes and then comes here.
pub fn end(code: u8) -> ! {
    exit_code::end(code);
    unreachable!("the host ends the program in the call above")
}

/// libc's last step of `exit`, and so of `std::process::exit` and of a `main` that returns failure. The linker takes
/// these two instead of the archive member of libc that has both.
#[cfg(target_os = "wasi")]
mod libc {
    // SAFETY: the symbol has libc's signature, and libc's own definition of it is not linked, because this one comes
    // before the archive.
    #[unsafe(no_mangle)]
    extern "C" fn _Exit(code: i32) -> ! {
        // As with exit(3), the low eight bits are the exit code.
        super::end(code as u8)
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    extern "C" fn _exit(code: i32) -> ! {
        _Exit(code)
    }
}

/// Makes a panic end the program with [`ABORTED`] after its message. `print!` panics when nobody reads the output;
/// that one ends silently with [`BROKEN_PIPE`], as it does outside the sandbox.
pub(crate) fn end_on_panic() {
    let print_message = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str().is_some_and(is_broken_pipe) {
            end(BROKEN_PIPE);
        }
        print_message(panic);
        end(ABORTED)
    }));
}

/// Whether a panic message is that of std's `print!` on a closed pipe.
fn is_broken_pipe(message: &str) -> bool {
    message.starts_with("failed printing to stdout") && message.contains("Broken pipe")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_refused_print_counts_as_a_broken_pipe() {
        assert!(super::is_broken_pipe("failed printing to stdout: Broken pipe (os error 64)"));
        assert!(!super::is_broken_pipe("failed printing to stdout: Input/output error"));
        assert!(!super::is_broken_pipe("Broken pipe"));
    }
}
