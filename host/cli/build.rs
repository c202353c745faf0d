//! Builds the tools and programs that are part of Chiton and embeds them, compressed; and embeds the templates of projects.

#[path = "src/project/embed.rs"]
mod embed;

use sha2::{Digest, Sha256};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of each tool component and its folder in `tools/`.
const TOOLS: [(&str, &str); 11] = [
    ("cron", "cron"),
    ("exec", "exec"),
    ("file", "file"),
    ("memory", "memory"),
    ("message", "message"),
    ("skill", "skill"),
    ("spawn", "spawn"),
    ("web", "web"),
    ("greet", "tour/greet"),
    ("greet-next", "tour/greet-next"),
    ("runaway", "tour/runaway"),
];
/// The folders in `tools/programs/` with programs of the shell; each says its names in `program.toml`.
const PROGRAMS: [&str; 11] = ["archive", "awk", "coreutils", "curl", "diff", "find", "jq", "js", "search", "sed", "sh"];

/// The components hold much of the same code, so that they are packed as one, with a window over all of them.
const PACKED: &str = "components.zst";
/// Bytes of the window, as a power of two.
const WINDOW: u32 = 26;

fn main() -> Result<(), Box<dyn Error>> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut table = format!(
        "const WINDOW: u32 = {WINDOW};\nconst PACKED: &[u8] = include_bytes!({:?});\nconst COMPONENTS: &[BuiltIn] = &[\n",
        out.join(PACKED)
    );
    let mut pack = Pack::new(&out.join(PACKED))?;
    let packages = PROGRAMS.map(|folder| format!("chiton-{folder}"));
    together(&tools.join("programs"), &packages.each_ref().map(String::as_str));
    let packages = TOOLS.map(|(name, folder)| match folder.starts_with("tour/") {
        true => format!("chiton-tour-{name}"),
        false => format!("chiton-tool-{name}"),
    });
    together(&tools.join("file"), &packages.each_ref().map(String::as_str));
    for (name, folder) in TOOLS {
        table.push_str(&pack.add(name, &tools.join(folder), &[])?);
    }
    for folder in PROGRAMS {
        let folder_path = tools.join("programs").join(folder);
        table.push_str(&pack.add(folder, &folder_path, &names(&folder_path)?)?);
    }
    pack.encoder.finish()?;
    table.push_str("];\n");
    std::fs::write(out.join("components.rs"), table)?;
    embed::embed(&tools.join(".."), &out)
}

/// Builds packages beside each other; what is wrong with one of them is told when it is embedded.
fn together(folder: &Path, packages: &[&str]) {
    chiton_build::build_together(&chiton_build::Guest::at(folder), packages).ok();
}

/// The names that start the program in `folder`.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let file = folder.join("program.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    let described: toml::Table = std::fs::read_to_string(file)?.parse()?;
    let names = described.get("names").and_then(toml::Value::as_array).ok_or("program.toml has no names")?;
    Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// All components, one after the other.
struct Pack {
    encoder: zstd::Encoder<'static, std::fs::File>,
    /// Bytes that are in it so far, unpacked.
    size: usize,
}

impl Pack {
    fn new(file: &Path) -> Result<Self, Box<dyn Error>> {
        let mut encoder = zstd::Encoder::new(std::fs::File::create(file)?, 19)?;
        encoder.window_log(WINDOW)?;
        encoder.long_distance_matching(true)?;
        Ok(Self { encoder, size: 0 })
    }

    /// Builds one component, adds it, and gives its row of the table.
    fn add(&mut self, name: &str, folder: &Path, names: &[String]) -> Result<String, Box<dyn Error>> {
        let wasm = match chiton_build::build(&chiton_build::Guest::at(folder)) {
            Ok(wasm) => wasm,
            Err(error) => {
                println!("cargo::error={error}");
                std::process::exit(1);
            }
        };
        chiton_build::rerun_if_changed(&wasm);
        let bytes = std::fs::read(&wasm)?;
        self.encoder.write_all(&bytes)?;
        let (offset, size) = (self.size, bytes.len());
        self.size += size;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        Ok(format!(
            "BuiltIn {{ name: {name:?}, names: &{names:?}, digest: Digest({digest:?}), offset: {offset}, size: {size} }},\n"
        ))
    }
}
