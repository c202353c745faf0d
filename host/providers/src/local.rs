//! Finds model servers on this machine and says whose they are.

/// An OpenAI-compatible server that answers on a loopback port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalServer {
    /// The program that usually uses this port: a name in the table of vendors.
    pub vendor: &'static str,
    /// Its API, such as `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The models it offers.
    pub models: Vec<String>,
    /// The uid that owns the listening socket; none where the system does not tell.
    pub owner_uid: Option<u32>,
}

/// Asks the usual loopback ports (Ollama, llama.cpp, vLLM, LM Studio) for their models, all at once, for at most a second.
pub async fn find_local_servers() -> Vec<LocalServer> {
    find_servers_on(&[
        ("ollama", 11434),
        ("llamacpp", 8080),
        ("vllm", 8000),
        ("lmstudio", 1234),
    ])
    .await
}

/// The same for the given ports.
pub async fn find_servers_on(_ports: &[(&'static str, u16)]) -> Vec<LocalServer> {
    Vec::new()
}

/// The uid that owns the socket listening on `127.0.0.1:port`; none when nobody listens or the system does not tell.
pub fn listener_uid(_port: u16) -> Option<u32> {
    None
}
