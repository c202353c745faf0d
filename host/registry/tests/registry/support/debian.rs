//! Debian's `docker-registry` on a free port of this machine.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use chiton_registry::Reference;
use tempfile::TempDir;

use super::reference;

/// The hash of [`DebianRegistry::CREDENTIALS`].
const HTPASSWD: &str = "author:$2b$04$8CNovGZoPv4QHPs/W.Sb8uKkcUvokDV6cV94qg534oEvOpK/pIATu\n";

/// A running registry; it and its data end with the test.
pub struct DebianRegistry {
    child: Child,
    pub host: String,
    data: TempDir,
}

impl DebianRegistry {
    /// Those whom [`Self::locked`] knows.
    pub const CREDENTIALS: &str = "author:a-token-of-the-test";

    /// Open to everybody.
    pub fn open() -> Self {
        Self::start("")
    }

    /// Open to [`Self::CREDENTIALS`] only.
    pub fn locked() -> Self {
        Self::start("auth:\n  htpasswd:\n    realm: tests\n    path: DATA/htpasswd\n")
    }

    fn start(auth: &str) -> Self {
        let data = TempDir::new().unwrap();
        let place = data.path().display();
        let auth = auth.replace("DATA", &place.to_string());
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {place}\nhttp:\n  addr: 127.0.0.1:0\n{auth}"
        );
        fs::write(data.path().join("htpasswd"), HTPASSWD).unwrap();
        fs::write(data.path().join("config.yml"), config).unwrap();
        let mut child = Command::new(program())
            .args(["serve", "config.yml"])
            .current_dir(data.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = log.find(|line| line.contains("listening on ")).expect("docker-registry did not start");
        let host = line.split("listening on ").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        // A full pipe would stop it.
        thread::spawn(move || log.for_each(drop));
        Self { child, host, data }
    }

    pub fn reference(&self, name: &str) -> Reference {
        reference(&format!("oci://{}/{name}", self.host))
    }

    /// The file in which the registry keeps the blob of a digest.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.data.path().join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }
}

impl Drop for DebianRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/docker-registry/usr/bin/docker-registry");
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|folder| folder.join("docker-registry"));
    if unpacked.is_file() { Some(unpacked) } else { places.find(|place| place.is_file()) }
        .expect("docker-registry is missing: run `make docker-registry` (host/registry/tests/docker-registry.sh)")
}
