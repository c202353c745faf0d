//! Builds the tools that are part of the program and embeds them, compressed.

use sha2::{Digest, Sha256};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The name of each component and its folder in `tools/`.
const COMPONENTS: [(&str, &str); 4] =
    [("file", "file"), ("greet", "tour/greet"), ("greet-next", "tour/greet-next"), ("runaway", "tour/runaway")];

fn main() -> Result<(), Box<dyn Error>> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut table = String::from("const COMPONENTS: &[BuiltIn] = &[\n");
    for (name, folder) in COMPONENTS {
        let wasm = match chiton_build::build(&chiton_build::Guest::at(tools.join(folder))) {
            Ok(wasm) => wasm,
            Err(error) => {
                println!("cargo::error={error}");
                std::process::exit(1);
            }
        };
        chiton_build::rerun_if_changed(&wasm);
        let bytes = std::fs::read(&wasm)?;
        let packed = out.join(format!("{name}.wasm.zst"));
        std::fs::write(&packed, zstd::encode_all(&bytes[..], 19)?)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        writeln!(
            table,
            "BuiltIn {{ name: {name:?}, digest: Digest({digest:?}), size: {}, packed: include_bytes!({packed:?}) }},",
            bytes.len()
        )?;
    }
    table.push_str("];\n");
    std::fs::write(out.join("components.rs"), table)?;
    Ok(())
}
