use super::*;
use std::process::Command;

/// A new project in a folder of its own, and the home that its SDK is in.
fn made(name: &str, template: &Template) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let (folder, home) = (place.path().join(name), place.path().join("home"));
    let Template { language, component, .. } = *template;
    let folder = new(&New { name, language, component, folder: &folder, home: &home }).unwrap();
    (place, folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn refused(name: &str, language: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let (folder, home) = (place.path().join("project"), place.path());
    new(&New { name, language, component: false, folder: &folder, home }).unwrap_err().to_string()
}

/// Builds a project whose `skill.toml` has this text.
fn built(manifest: &str) -> Result<(Built, String), String> {
    let place = tempfile::tempdir().unwrap();
    let whole = format!("name = \"w\"\nversion = \"0.1.0\"\n{manifest}");
    fs::write(place.path().join("skill.toml"), whole).unwrap();
    let built = build(place.path()).map_err(|error| error.to_string())?;
    let text = fs::read_to_string(&built.component).unwrap();
    Ok((built, text))
}

fn build_error(manifest: &str) -> String {
    built(manifest).unwrap_err()
}

#[test]
fn every_template_is_copied_whole() {
    for template in TEMPLATES {
        let (_place, folder) = made("weather-watch", template);
        assert_eq!(files(&folder).len(), template.files.len(), "{}", template.language);
    }
}

#[test]
fn every_project_has_a_manifest_and_words_for_the_model() {
    for template in TEMPLATES {
        let (_place, folder) = made("weather-watch", template);
        let manifest: toml::Table = fs::read_to_string(folder.join("skill.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["name"].as_str(), Some("weather-watch"), "{}", template.language);
        assert!(fs::read_to_string(folder.join("SKILL.md")).unwrap().starts_with("---\nname: weather-watch\n"));
    }
}

#[test]
fn the_name_is_put_everywhere_in_the_form_that_is_needed() {
    for template in TEMPLATES {
        let (_place, folder) = made("weather-watch", template);
        let mut whole = String::new();
        for file in files(&folder) {
            whole += &file.strip_prefix(&folder).unwrap().to_string_lossy();
            whole += &String::from_utf8_lossy(&fs::read(&file).unwrap());
        }
        for placeholder in ["my-skill", "my_skill", "MY_SKILL", "../../"] {
            assert!(!whole.contains(placeholder), "{} in {}", placeholder, template.language);
        }
        assert!(whole.contains("weather-watch"), "{}", template.language);
    }
}

#[test]
fn the_sources_that_a_project_builds_on_lie_in_the_home() {
    let of = |language| TEMPLATES.iter().find(|template| template.language == language).unwrap();
    for (language, source) in
        [("rust", "sdk/rust/src/lib.rs"), ("c", "sdk/c/chiton_tool.h"), ("go", "sdk/go/chiton.go")]
    {
        let (place, folder) = made("weather", of(language));
        let sdk = place.path().join("home/sdk").join(env!("CARGO_PKG_VERSION"));
        let whole: String = files(&folder).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        assert!(whole.contains(&format!("{}/sdk/{language}", sdk.display())), "{language}");
        assert!(sdk.join(source).is_file() && sdk.join("wit/tool.wit").is_file(), "{language}");
        assert!(!sdk.join("sdk").join(language).join("template").exists(), "{language}");
    }
}

#[test]
fn cargo_understands_the_unpacked_sdk() {
    let template = TEMPLATES.iter().find(|template| template.language == "rust").unwrap();
    let (place, _folder) = made("weather", template);
    let sdk = place.path().join("home/sdk").join(env!("CARGO_PKG_VERSION"));
    let manifest: toml::Table = fs::read_to_string(sdk.join("Cargo.toml")).unwrap().parse().unwrap();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let package: toml::Table =
            fs::read_to_string(sdk.join(member.as_str().unwrap()).join("Cargo.toml")).unwrap().parse().unwrap();
        for (name, dependency) in package["dependencies"].as_table().unwrap() {
            let inherited = dependency.get("workspace").is_some();
            assert!(!inherited || manifest["workspace"]["dependencies"].get(name).is_some(), "{name}");
        }
    }
}

#[test]
fn a_folder_that_exists_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("mine"), "precious").unwrap();
    let wanted = New {
        name: "weather",
        language: "c",
        component: false,
        folder: place.path(),
        home: &place.path().join("home"),
    };
    assert!(new(&wanted).unwrap_err().to_string().contains("exists already"));
    assert_eq!(files(place.path()), [place.path().join("mine")]);
}

#[test]
fn a_name_that_would_not_fit_is_refused_before_anything_is_made() {
    for name in ["", "Weather", "wea_ther", "9weather", "-weather", "weather-", "../weather", &"w".repeat(49)] {
        assert!(refused(name, "c").contains("is no name for a skill"), "{name}");
    }
}

#[test]
fn an_unknown_language_is_told_which_there_are() {
    let error = refused("weather", "cobol");
    assert!(error.starts_with("there is no template for the language 'cobol'; take one of c, go, "), "{error}");
}

#[test]
fn a_build_runs_the_command_in_the_folder_and_puts_the_output_in_its_place() {
    let manifest = "component = \"weather.wasm\"\n[build]\ncommand = [\"sh\", \"-c\", \"mkdir out && echo made > out/w\"]\noutput = \"out/w\"";
    let (built, text) = built(manifest).unwrap();
    assert_eq!((built.component.file_name().unwrap(), text.as_str()), ("weather.wasm".as_ref(), "made\n"));
    assert!(!built.component.with_extension("new").exists() && !built.duration.is_zero());
}

#[test]
fn a_build_may_make_the_component_where_it_belongs() {
    let manifest =
        "component = \"w.wasm\"\n[build]\ncommand = [\"sh\", \"-c\", \"echo made > w.wasm\"]\noutput = \"w.wasm\"";
    assert_eq!(built(manifest).unwrap().1, "made\n");
}

#[test]
fn what_cannot_be_built_says_why_and_what_to_do() {
    let with = |build: &str| build_error(&format!("component = \"w.wasm\"\n[build]\n{build}"));
    assert!(build_error("").contains("a script runs as it is"));
    assert!(build_error("[build]\ncommand = [\"true\"]").contains("add a line such as: component"));
    assert!(build_error("wach = 1").contains("unknown"));
    assert!(build(Path::new("/nonexistent")).unwrap_err().to_string().contains("chiton skill new"));
    assert!(with("command = []").contains("name the program that builds it"));
    assert!(with("command = [\"true\"]\noutput = \"../w\"").contains(".."));
    assert!(with("command = [\"no-such-compiler\"]").contains("install it, or correct `command`"));
    assert!(with("command = [\"false\"]").starts_with("the build failed (exit status: 1): false"));
    assert!(with("command = [\"true\"]\noutput = \"w\"").contains("made no"));
}

#[test]
fn a_missing_program_of_a_known_toolchain_comes_with_the_way_to_get_it() {
    for (program, advice) in [("componentize-py", "pip install componentize-py"), ("npx", "nodejs.org")] {
        if Command::new(program).arg("--version").output().is_err() {
            let error = build_error(&format!("component = \"w.wasm\"\n[build]\ncommand = [\"{program}\"]"));
            assert!(error.contains(advice), "{error}");
        }
    }
}

#[test]
fn a_missing_target_of_rust_comes_with_the_command_that_adds_it() {
    let manifest =
        "component = \"w.wasm\"\n[build]\ncommand = [\"cargo\", \"build\", \"--target\", \"wasm32-nowhere\"]";
    assert!(build_error(manifest).contains("rustup target add wasm32-nowhere"));
}
