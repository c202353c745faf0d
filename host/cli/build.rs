//! Builds the tools, programs and skills that are part of Chiton and embeds them, compressed; and embeds the templates
//! of projects.

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

/// The folders in `skills/`; one with a `Cargo.toml` holds the source of its component.
const SKILLS: [&str; 8] =
    ["calendar", "data", "github", "pdf-text", "skill-creator", "summarize-page", "units", "weather"];
/// What is in such a folder only for whoever builds it.
const SOURCES: [&str; 3] = ["Cargo.toml", "src", "target"];

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
    let skills = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills");
    for (name, folder) in TOOLS {
        table.push_str(&pack.add(name, &tools.join(folder), &[])?);
    }
    for folder in PROGRAMS {
        let folder_path = tools.join("programs").join(folder);
        table.push_str(&pack.add(folder, &folder_path, &names(&folder_path)?)?);
    }
    table.push_str("];\n");
    std::fs::write(out.join("components.rs"), table)?;
    let mut table = "const SKILLS: &[Bundled] = &[\n".to_owned();
    for name in SKILLS {
        table.push_str(&pack.add_skill(name, &skills.join(name))?);
    }
    table.push_str("];\n");
    std::fs::write(out.join("skills.rs"), table)?;
    pack.encoder.finish()?;
    embed::embed(&tools.join(".."), &out)
}

/// The names that start the program in `folder`.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let file = folder.join("program.toml");
    println!("cargo::rerun-if-changed={}", file.display());
    let described: toml::Table = std::fs::read_to_string(file)?.parse()?;
    let names = described.get("names").and_then(toml::Value::as_array).ok_or("program.toml has no names")?;
    Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// The files of a skill below `inside`, sorted, without sources.
fn files_in(folder: &Path, inside: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join(inside))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = inside.join(&name);
        if SOURCES.iter().any(|source| name == *source) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(files_in(folder, &path)?);
        } else {
            files.push(path.to_str().ok_or("a file of a skill has no UTF-8 name")?.to_owned());
        }
    }
    files.retain(|file| !file.ends_with(".wasm"));
    files.sort();
    Ok(files)
}

/// The component built from the source in `folder`.
fn built(folder: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let wasm = match chiton_build::build(&chiton_build::Guest::at(folder)) {
        Ok(wasm) => wasm,
        Err(error) => {
            println!("cargo::error={error}");
            std::process::exit(1);
        }
    };
    chiton_build::rerun_if_changed(&wasm);
    Ok(std::fs::read(&wasm)?)
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

    /// Adds bytes, and gives where they are and how many.
    fn put(&mut self, bytes: &[u8]) -> Result<(usize, usize), Box<dyn Error>> {
        self.encoder.write_all(bytes)?;
        self.size += bytes.len();
        Ok((self.size - bytes.len(), bytes.len()))
    }

    /// Adds the files of one skill, its component built and its sources left out, and gives its row of the table.
    fn add_skill(&mut self, name: &str, folder: &Path) -> Result<String, Box<dyn Error>> {
        println!("cargo::rerun-if-changed={}", folder.display());
        let described = std::fs::read_to_string(folder.join("SKILL.md"))?;
        let description = described.lines().find_map(|line| line.strip_prefix("description: "));
        let description = description.ok_or_else(|| format!("skills/{name}/SKILL.md has no description"))?;
        let mut files = Vec::new();
        for file in files_in(folder, Path::new(""))? {
            files.push((file.clone(), self.put(&std::fs::read(folder.join(file))?)?));
        }
        if folder.join("Cargo.toml").is_file() {
            let manifest: toml::Table = std::fs::read_to_string(folder.join("skill.toml"))?.parse()?;
            let component = manifest.get("component").and_then(toml::Value::as_str);
            let component = component.ok_or_else(|| format!("skills/{name}/skill.toml names no component"))?;
            files.push((component.to_owned(), self.put(&built(folder)?)?));
        }
        Ok(format!("Bundled {{ name: {name:?}, description: {description:?}, files: &{files:?} }},\n"))
    }

    /// Builds one component, adds it, and gives its row of the table.
    fn add(&mut self, name: &str, folder: &Path, names: &[String]) -> Result<String, Box<dyn Error>> {
        let bytes = built(folder)?;
        let (offset, size) = self.put(&bytes)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        Ok(format!(
            "BuiltIn {{ name: {name:?}, names: &{names:?}, digest: Digest({digest:?}), offset: {offset}, size: {size} }},\n"
        ))
    }
}
