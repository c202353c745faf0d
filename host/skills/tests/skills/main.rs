//! What a skill from a stranger can and cannot be, before anything of it runs.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod difference;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod lock;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod signature;

use chiton_skills::{File, Files, Package, PackageError, Rule};

/// A manifest with its first lines, and more.
fn manifest(more: &str) -> String {
    format!("name = \"weather\"\nversion = \"0.1.0\"\n{more}")
}

fn files(all: &[(&str, &str)]) -> Files {
    let file = |(place, text): &(&str, &str)| {
        ((*place).to_owned(), File { bytes: text.as_bytes().to_vec(), executable: false })
    };
    all.iter().map(file).collect()
}

fn package(all: &[(&str, &str)]) -> Package {
    Package::new("weather", files(all)).expect("it is a skill")
}

/// The rule that is broken.
fn rule<T: std::fmt::Debug>(result: Result<T, PackageError>) -> Rule {
    match result {
        Err(PackageError::Refused { rule, .. }) => rule,
        other => panic!("{other:?}"),
    }
}
