//! The table of vendors: where each is, which variable holds its key, how it is spoken to, and what is odd about it.

use crate::codec::{Codec, chat::CODEC as CHAT, gemini::CODEC as GEMINI, messages::CODEC as MESSAGES};

/// One known vendor of models.
#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    /// The name under `providers` in the configuration.
    pub name: &'static str,
    /// Where its API is; empty for `custom`, whose address the owner gives.
    pub base_url: &'static str,
    /// The environment variable that usually holds its key; empty when it needs none.
    pub key_env: &'static str,
    /// Beginnings of model names that mean this vendor when none is named.
    pub model_prefixes: &'static [&'static str],
    /// How it is spoken to.
    pub codec: &'static Codec,
    /// What is odd about it.
    pub quirks: Quirks,
}

/// Differences between servers that call themselves compatible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// The field that bounds the reply: `max_tokens` or `max_completion_tokens`.
    pub max_tokens_field: &'static str,
    /// What it accepts in the messages of the history.
    pub history: HistoryRules,
    /// The reasoning of a reply with tool calls must be sent back.
    pub replay_reasoning: bool,
    /// An answer may arrive as reasoning, with no content.
    pub reasoning_as_content: bool,
    /// Tool calls may arrive as `<tool_call>` text.
    pub text_tool_calls: bool,
    /// Beginnings of models that the server itself calls `NAME/MODEL`; of all others only `MODEL` is sent.
    pub own_models: &'static [&'static str],
}

/// What a server accepts in the messages of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryRules {
    /// Everything this crate writes.
    Any,
    /// Only the fields OpenAI documents.
    KnownFields,
    /// Only known fields, and tool call ids of nine letters or digits.
    NineCharacterIds,
}

impl Quirks {
    const HOSTED: Self = Self {
        max_tokens_field: "max_tokens",
        history: HistoryRules::Any,
        replay_reasoning: false,
        reasoning_as_content: false,
        text_tool_calls: false,
        own_models: &[],
    };
    const LOCAL: Self = Self { text_tool_calls: true, ..Self::HOSTED };
    const OPENROUTER: Self = Self { own_models: &[""], ..Self::HOSTED };
    const OPENAI: Self =
        Self { max_tokens_field: "max_completion_tokens", history: HistoryRules::KnownFields, ..Self::HOSTED };
    const GROQ: Self = Self { history: HistoryRules::KnownFields, own_models: &["compound"], ..Self::HOSTED };
    const MISTRAL: Self = Self { history: HistoryRules::NineCharacterIds, ..Self::HOSTED };
    const THINKING: Self = Self { replay_reasoning: true, ..Self::HOSTED };
    const STEPFUN: Self = Self { reasoning_as_content: true, ..Self::HOSTED };
}

impl Default for Quirks {
    fn default() -> Self {
        Self::LOCAL
    }
}

const fn row(
    name: &'static str,
    base_url: &'static str,
    key_env: &'static str,
    model_prefixes: &'static [&'static str],
    codec: &'static Codec,
    quirks: Quirks,
) -> Vendor {
    Vendor { name, base_url, key_env, model_prefixes, codec, quirks }
}

/// Every vendor known by name.
#[rustfmt::skip]
pub const VENDORS: &[Vendor] = &[
    row("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", &["claude-"], MESSAGES, Quirks::HOSTED),
    row("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", &["gpt-", "o1", "o3", "o4", "chatgpt-"], CHAT, Quirks::OPENAI),
    row("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", &[], CHAT, Quirks::OPENROUTER),
    row("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", &["deepseek-"], CHAT, Quirks::THINKING),
    row("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", &[], CHAT, Quirks::GROQ),
    row("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", &["mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-"], CHAT, Quirks::MISTRAL),
    row("xai", "https://api.x.ai/v1", "XAI_API_KEY", &["grok-"], CHAT, Quirks::HOSTED),
    row("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", &["moonshot-", "kimi-"], CHAT, Quirks::THINKING),
    row("zhipu", "https://open.bigmodel.cn/api/paas/v4", "ZAI_API_KEY", &["glm-"], CHAT, Quirks::THINKING),
    row("dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", &["qwen-", "qwen3-", "qwq-"], CHAT, Quirks::HOSTED),
    row("minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY", &["minimax-"], CHAT, Quirks::HOSTED),
    row("stepfun", "https://api.stepfun.com/v1", "STEPFUN_API_KEY", &["step-"], CHAT, Quirks::STEPFUN),
    row("aihubmix", "https://aihubmix.com/v1", "AIHUBMIX_API_KEY", &[], CHAT, Quirks::HOSTED),
    row("gemini", "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY", &["gemini-"], GEMINI, Quirks::HOSTED),
    row("ollama", "http://127.0.0.1:11434/v1", "", &[], CHAT, Quirks::LOCAL),
    row("llamacpp", "http://127.0.0.1:8080/v1", "", &[], CHAT, Quirks::LOCAL),
    row("vllm", "http://127.0.0.1:8000/v1", "", &[], CHAT, Quirks::LOCAL),
    row("lmstudio", "http://127.0.0.1:1234/v1", "", &[], CHAT, Quirks::LOCAL),
    row("custom", "", "", &[], CHAT, Quirks::LOCAL),
];

impl Vendor {
    /// The row named `name`.
    pub fn named(name: &str) -> Option<&'static Vendor> {
        VENDORS.iter().find(|vendor| vendor.name == name)
    }

    /// Does it run on the owner's machine, without a key?
    pub fn is_local(&self) -> bool {
        self.key_env.is_empty() && !self.base_url.is_empty()
    }

    /// The vendor a model's name points to: `VENDOR/MODEL` first, then the beginnings of names.
    pub fn of_model(model: &str) -> Option<&'static Vendor> {
        let model = model.to_ascii_lowercase();
        if let Some((first, _)) = model.split_once('/') {
            return Self::named(first);
        }
        VENDORS.iter().find(|vendor| vendor.model_prefixes.iter().any(|prefix| model.starts_with(prefix)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_its_vendors_name_or_by_its_beginning() {
        let vendor = |model| Vendor::of_model(model).map(|vendor| vendor.name);
        assert_eq!(vendor("deepseek/deepseek-chat"), Some("deepseek"));
        assert_eq!(vendor("Kimi-K2"), Some("moonshot"));
        assert_eq!(vendor("claude-opus-4-5"), Some("anthropic"));
        assert_eq!(vendor("unknown/claude-opus-4-5"), None);
        assert_eq!(vendor("something"), None);
    }

    #[test]
    fn every_vendor_has_its_own_name_and_keys_only_travel_encrypted() {
        for (at, vendor) in VENDORS.iter().enumerate() {
            assert!(VENDORS[..at].iter().all(|other| other.name != vendor.name));
            assert!(vendor.key_env.is_empty() || vendor.base_url.starts_with("https://"));
        }
    }
}
