//! What well-known models cost where they are at home. Others are unknown until the owner tells.

use crate::Price;

/// Titles, and US dollars for a million tokens: read, read from the cache, written. From the vendors' own price lists:
/// docs.claude.com/en/docs/about-claude/pricing, platform.openai.com/docs/pricing, ai.google.dev/gemini-api/docs/pricing
/// (prompts of up to 200,000 tokens), api-docs.deepseek.com/quick_start/pricing.
#[rustfmt::skip]
const KNOWN: &[(&str, f64, f64, f64)] = &[
    ("anthropic/claude-opus-4-5", 5.0, 0.5, 25.0),
    ("anthropic/claude-sonnet-4-5", 3.0, 0.3, 15.0),
    ("anthropic/claude-haiku-4-5", 1.0, 0.1, 5.0),
    ("openai/gpt-5", 1.25, 0.125, 10.0),
    ("openai/gpt-5-mini", 0.25, 0.025, 2.0),
    ("openai/gpt-4o", 2.5, 1.25, 10.0),
    ("openai/gpt-4o-mini", 0.15, 0.075, 0.6),
    ("gemini/gemini-2.5-flash", 0.3, 0.03, 2.5),
    ("deepseek/deepseek-chat", 0.28, 0.028, 0.42),
    ("deepseek/deepseek-reasoner", 0.28, 0.028, 0.42),
];

impl Price {
    /// The price of `PROVIDER/MODEL` if the model is a well-known one, whatever date its name ends with.
    pub fn known(title: &str) -> Option<Self> {
        let of = |known: &str| {
            let rest = title.strip_prefix(known)?;
            rest.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()).then_some(())
        };
        let (_, input, cached, output) = *KNOWN.iter().find(|(known, ..)| of(known).is_some())?;
        Some(Self { input, cached, output })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_model_has_its_price_with_and_without_a_date_and_its_relatives_have_none() {
        assert_eq!(Price::known("anthropic/claude-sonnet-4-5-20250929").unwrap().output, 15.0);
        assert_eq!(Price::known("openai/gpt-5-mini").unwrap().output, 2.0);
        for unknown in ["openai/gpt-5.1", "openai/gpt-5-pro", "openrouter/openai/gpt-5", "ollama/llama3"] {
            assert_eq!(Price::known(unknown), None, "{unknown}");
        }
    }
}
