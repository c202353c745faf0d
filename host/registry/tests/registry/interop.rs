//! Together with the `oras` of PyPI: `python3 -m venv target/oras-venv && target/oras-venv/bin/pip install oras`.

use std::{fs, path::Path, process::Command};

use bytes::Bytes;
use chiton_registry::{COMPONENT_LAYER, Content, Options, PACKAGE_LAYER, Publication, publish};
use chiton_sandbox::Digest;
use tempfile::TempDir;

use crate::support::{DebianRegistry, get};

const ARCHIVE: &[u8] = b"these are the bytes of an archive";

fn python(folder: &Path, program: &str) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/oras-venv/bin/python");
    let program = format!("from oras.provider import Registry\nregistry = Registry(insecure=True)\n{program}");
    let done = Command::new(python).args(["-c", &program]).current_dir(folder).status().unwrap();
    assert!(done.success());
}

#[tokio::test]
#[ignore = "needs oras from PyPI, which no other part of Chiton does"]
async fn oras_pulls_what_was_published_as_a_file_with_name_and_version() {
    let (registry, folder) = (DebianRegistry::open(), TempDir::new().unwrap());
    let publication = Publication {
        archive: Bytes::from_static(ARCHIVE),
        digest: Digest::of(ARCHIVE),
        name: "weather",
        version: "0.1.0",
        replace: false,
    };
    publish(publication, &registry.reference("skills/weather"), &Options::default(), &|_, _| ()).await.unwrap();
    python(folder.path(), &format!("registry.pull('{}/skills/weather:0.1.0', outdir='.')", registry.host));
    assert_eq!(fs::read(folder.path().join("weather-0.1.0.tar.gz")).unwrap(), ARCHIVE);
}

#[tokio::test]
#[ignore = "needs oras from PyPI, which no other part of Chiton does"]
async fn what_oras_pushed_is_fetched_as_a_package_or_a_bare_component() {
    let (registry, folder) = (DebianRegistry::open(), TempDir::new().unwrap());
    fs::write(folder.path().join("weather.file"), ARCHIVE).unwrap();
    for (layer, content) in [
        (PACKAGE_LAYER, Content::Package(Bytes::from_static(ARCHIVE))),
        (COMPONENT_LAYER, Content::Component(Bytes::from_static(ARCHIVE))),
    ] {
        let target = format!("{}/weather:0.1.0", registry.host);
        python(folder.path(), &format!("registry.push('{target}', files=['weather.file:{layer}'])"));
        assert_eq!(get(&format!("oci://{target}")).await.unwrap().content, content);
    }
}
