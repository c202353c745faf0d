//! The table of vendors: where each is, which variable holds its key, and what is odd about it.

/// One known vendor of models.
#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    /// The name under `providers` in the configuration.
    pub name: &'static str,
    /// Where its OpenAI-compatible API is; empty for `custom`, whose address the owner gives.
    pub base_url: &'static str,
    /// The environment variable that usually holds its key; empty when it needs none.
    pub key_env: &'static str,
    /// Beginnings of model names that mean this vendor when none is named.
    pub model_prefixes: &'static [&'static str],
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
    };
    const LOCAL: Self = Self {
        text_tool_calls: true,
        ..Self::HOSTED
    };
}

impl Default for Quirks {
    fn default() -> Self {
        Self::LOCAL
    }
}

const fn hosted(
    name: &'static str,
    base_url: &'static str,
    key_env: &'static str,
    model_prefixes: &'static [&'static str],
) -> Vendor {
    Vendor {
        name,
        base_url,
        key_env,
        model_prefixes,
        quirks: Quirks::HOSTED,
    }
}

const fn local(name: &'static str, base_url: &'static str) -> Vendor {
    Vendor {
        name,
        base_url,
        key_env: "",
        model_prefixes: &[],
        quirks: Quirks::LOCAL,
    }
}

/// Every vendor known by name.
pub const VENDORS: &[Vendor] = &[
    Vendor {
        quirks: Quirks {
            max_tokens_field: "max_completion_tokens",
            history: HistoryRules::KnownFields,
            ..Quirks::HOSTED
        },
        ..hosted(
            "openai",
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            &["gpt-", "o1", "o3", "o4", "chatgpt-"],
        )
    },
    hosted(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        &[],
    ),
    Vendor {
        quirks: Quirks {
            replay_reasoning: true,
            ..Quirks::HOSTED
        },
        ..hosted(
            "deepseek",
            "https://api.deepseek.com/v1",
            "DEEPSEEK_API_KEY",
            &["deepseek-"],
        )
    },
    Vendor {
        quirks: Quirks {
            history: HistoryRules::KnownFields,
            ..Quirks::HOSTED
        },
        ..hosted(
            "groq",
            "https://api.groq.com/openai/v1",
            "GROQ_API_KEY",
            &[],
        )
    },
    Vendor {
        quirks: Quirks {
            history: HistoryRules::NineCharacterIds,
            ..Quirks::HOSTED
        },
        ..hosted(
            "mistral",
            "https://api.mistral.ai/v1",
            "MISTRAL_API_KEY",
            &[
                "mistral-",
                "ministral-",
                "magistral-",
                "codestral-",
                "devstral-",
                "pixtral-",
                "open-mistral-",
            ],
        )
    },
    hosted("xai", "https://api.x.ai/v1", "XAI_API_KEY", &["grok-"]),
    Vendor {
        quirks: Quirks {
            replay_reasoning: true,
            ..Quirks::HOSTED
        },
        ..hosted(
            "moonshot",
            "https://api.moonshot.ai/v1",
            "MOONSHOT_API_KEY",
            &["moonshot-", "kimi-"],
        )
    },
    Vendor {
        quirks: Quirks {
            replay_reasoning: true,
            ..Quirks::HOSTED
        },
        ..hosted(
            "zhipu",
            "https://open.bigmodel.cn/api/paas/v4",
            "ZAI_API_KEY",
            &["glm-"],
        )
    },
    hosted(
        "dashscope",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        &["qwen-", "qwen3-", "qwq-"],
    ),
    hosted(
        "minimax",
        "https://api.minimax.io/v1",
        "MINIMAX_API_KEY",
        &["minimax-"],
    ),
    hosted(
        "aihubmix",
        "https://aihubmix.com/v1",
        "AIHUBMIX_API_KEY",
        &[],
    ),
    Vendor {
        quirks: Quirks {
            reasoning_as_content: true,
            ..Quirks::HOSTED
        },
        ..hosted(
            "stepfun",
            "https://api.stepfun.com/v1",
            "STEPFUN_API_KEY",
            &["step-"],
        )
    },
    hosted(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        &["gemini-"],
    ),
    local("ollama", "http://127.0.0.1:11434/v1"),
    local("llamacpp", "http://127.0.0.1:8080/v1"),
    local("vllm", "http://127.0.0.1:8000/v1"),
    local("lmstudio", "http://127.0.0.1:1234/v1"),
    local("custom", ""),
];

impl Vendor {
    /// The row named `name`.
    pub fn named(name: &str) -> Option<&'static Vendor> {
        VENDORS.iter().find(|vendor| vendor.name == name)
    }

    /// The vendor a model's name points to: `VENDOR/MODEL` first, then the beginnings of names.
    pub fn of_model(model: &str) -> Option<&'static Vendor> {
        let model = model.to_ascii_lowercase();
        if let Some((first, _)) = model.split_once('/') {
            return Self::named(first);
        }
        VENDORS.iter().find(|vendor| {
            vendor
                .model_prefixes
                .iter()
                .any(|prefix| model.starts_with(prefix))
        })
    }
}
