//! Puts our `lstat`, `stat` and `readlink` before those of libc; `src/above.rs` says why.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "wasi") {
        for symbol in ["lstat", "stat", "readlink"] {
            println!("cargo:rustc-link-arg-bins=--wrap={symbol}");
        }
    }
}
