//! The layout of a skill in an OCI registry.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Content;

/// The kind of artifact that [`publish`](crate::publish()) makes.
pub const ARTIFACT_TYPE: &str = "application/vnd.chiton.skill.v0";
/// The layer of a package.
pub const PACKAGE_LAYER: &str = "application/vnd.chiton.skill.v0.tar+gzip";
/// The layer of a bare component, as `wkg oci push` makes it.
pub const COMPONENT_LAYER: &str = "application/wasm";
/// The annotation that names a skill, and the file that a layer becomes.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The annotation of a skill's version.
pub const VERSION: &str = "org.opencontainers.image.version";

/// The manifests that are asked for: of one artifact, and of a list.
pub(crate) const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"];
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const EMPTY: Bytes = Bytes::from_static(b"{}");

/// What some bytes are.
pub(crate) type Kind = fn(Bytes) -> Content;

/// What the bytes of a layer are.
const LAYERS: [(&str, Kind); 2] = [(PACKAGE_LAYER, Content::Package), (COMPONENT_LAYER, Content::Component)];

pub(crate) type Annotations = BTreeMap<String, String>;

/// A manifest, or a list of manifests. Other fields are allowed by the specification and of no meaning here.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    artifact_type: String,
    config: Option<Descriptor>,
    #[serde(default)]
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing)]
    pub(crate) manifests: Vec<Descriptor>,
    // Some publishers write null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Annotations>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

impl Descriptor {
    fn of(media_type: &str, bytes: &Bytes) -> Self {
        let digest = format!("sha256:{}", chiton_sandbox::Digest::of(bytes));
        Self { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, annotations: None }
    }
}

impl Manifest {
    /// The manifest of a package.
    pub(crate) fn of_package(name: &str, version: &str, archive: &Bytes) -> Self {
        let titled = |title: String| Annotations::from([(TITLE.to_owned(), title)]);
        let mut layer = Descriptor::of(PACKAGE_LAYER, archive);
        layer.annotations = Some(titled(format!("{name}-{version}.tar.gz")));
        let mut annotations = titled(name.to_owned());
        annotations.insert(VERSION.to_owned(), version.to_owned());
        Self {
            schema_version: 2,
            media_type: MANIFESTS[0].to_owned(),
            artifact_type: ARTIFACT_TYPE.to_owned(),
            config: Some(Descriptor::of(EMPTY_CONFIG, &EMPTY)),
            layers: vec![layer],
            manifests: Vec::new(),
            annotations: Some(annotations),
        }
    }

    /// The one layer of a skill with what its bytes are, or what is there instead.
    pub(crate) fn layer(&self) -> Result<(&Descriptor, Kind), String> {
        let [layer] = self.layers.as_slice() else {
            return Err(format!("{} layers and {} manifests", self.layers.len(), self.manifests.len()));
        };
        let kind = LAYERS.iter().find(|(media_type, _)| *media_type == layer.media_type);
        kind.map(|(_, kind)| (layer, *kind)).ok_or_else(|| format!("a layer of type {}", layer.media_type))
    }
}
