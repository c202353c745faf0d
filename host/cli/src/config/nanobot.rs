//! Keys of NanoBot's configuration that Chiton does not have.

/// Dotted keys; `*` stands for any name.
const KEYS: &[&str] = &[
    "modelPresets.*.reasoningEffort",
    "agents.defaults.maxConcurrentSubagents",
    "agents.defaults.providerRetryMode",
    "agents.defaults.toolHintMaxLength",
    "agents.defaults.reasoningEffort",
    "agents.defaults.timezoneMode",
    "agents.defaults.botName",
    "agents.defaults.botIcon",
    "agents.defaults.unifiedSession",
    "agents.defaults.idleCompactCheckIntervalSeconds",
    "agents.defaults.dream",
    "agents.defaults.memoryWindow",
    "channels",
    "transcription",
    "api",
    "gateway.host",
    "gateway.port",
    "gateway.restartMode",
    "providers.*.apiType",
    "providers.*.extraQuery",
    "providers.*.proxy",
    "providers.*.thinkingStyle",
    "tools.maxSessionMessagesPerMinute",
    "tools.restrictToWorkspace",
    "tools.webuiAllowLocalServiceAccess",
    "tools.webuiAllowRemotePackageInstall",
    "tools.mcpServers",
    "tools.ssrfWhitelist",
    "tools.*.enable",
    "tools.*.enabled",
    "tools.web.proxy",
    "tools.web.userAgent",
    "tools.web.search",
    "tools.web.fetch",
    "tools.exec.timeout",
    "tools.exec.pathPrepend",
    "tools.exec.pathAppend",
    "tools.exec.sandbox",
    "tools.exec.sandboxRoBinds",
    "tools.exec.sandboxRwBinds",
    "tools.exec.allowedEnvKeys",
    "tools.exec.allowPatterns",
    "tools.exec.denyPatterns",
    "tools.cliApps",
    "tools.imageGeneration",
    "tools.my.allowSet",
];

/// Whether `path` (dotted, camelCase) is a setting that only NanoBot has.
pub fn knows(path: &str) -> bool {
    KEYS.iter().any(|key| {
        let (mut ours, mut theirs) = (path.split('.'), key.split('.'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if b == "*" || a == b => {}
                _ => return false,
            }
        }
    })
}
