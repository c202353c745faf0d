//! The built-in tool `message`: text and files to this chat or another.

mod media;

use chiton_sdk::bindings::chiton::tool::messaging::{self, Delivery};
use chiton_sdk::prelude::*;

/// Sends a message to a chat now, with files if you like. Not needed to answer: your answer goes to this chat by
/// itself. Use it to send files, to say something before the work is done, or to write to another chat that the owner
/// allowed.
#[tool(effects(sends_messages, reads_files))]
fn message(arguments: Message) -> ToolResult {
    let chat = arguments.chat()?;
    if arguments.content.trim().is_empty() && arguments.media.is_empty() {
        return Err(Failure::InvalidArguments("the message is empty; give content, or media to send".to_owned()));
    }
    let attachments = media::read(&arguments.media)?;
    let delivery = messaging::send(chat.as_deref(), &arguments.content, &attachments)?;
    Ok(answer(delivery, chat.as_deref(), attachments.len()))
}

#[arguments]
struct Message {
    /// What to say.
    content: String,
    /// Channel of another chat, such as 'telegram'; needs chat_id. Leave both out for this chat.
    channel: Option<String>,
    /// The other chat, as its channel names it.
    chat_id: Option<String>,
    /// Paths of files to send along: at most 5, and 10 MiB together.
    #[serde(default)]
    media: Vec<String>,
}

impl Message {
    /// `channel:chat`, or none for the chat of this call.
    fn chat(&self) -> Result<Option<String>, Failure> {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        match (given(&self.channel), given(&self.chat_id)) {
            (None, None) => Ok(None),
            (Some(channel), Some(chat)) => Ok(Some(format!("{channel}:{chat}"))),
            (Some(_), None) => {
                Err(Failure::InvalidArguments("channel needs chat_id; leave both out to write to this chat".to_owned()))
            }
            (None, Some(_)) => Err(Failure::InvalidArguments(
                "chat_id needs channel, such as 'telegram'; leave both out to write to this chat".to_owned(),
            )),
        }
    }
}

fn answer(delivery: Delivery, chat: Option<&str>, files: usize) -> String {
    let what = match files {
        0 => "The message".to_owned(),
        1 => "The message with 1 file".to_owned(),
        files => format!("The message with {files} files"),
    };
    let chat = chat.unwrap_or("this chat");
    match delivery {
        Delivery::Delivered => format!("{what} was delivered to {chat}."),
        Delivery::Waiting => format!(
            "{what} to {chat} is not delivered yet: it is kept and sent when the channel can be reached. Do not send it again."
        ),
    }
}

chiton_sdk::export!(message);

#[cfg(test)]
mod tests {
    use super::*;
    use chiton_sdk::{Effects, generated};

    #[test]
    fn agt_07_the_tool_may_send_and_read_and_nothing_else() {
        let tool = generated::definition::<message>();
        let effects = Effects::SENDS_MESSAGES | Effects::READS_FILES;
        assert_eq!((tool.name.as_str(), tool.effects), ("message", effects));
        assert!(tool.parameters.contains(r#""required":["content"]"#), "{}", tool.parameters);
    }

    fn chat(channel: Option<&str>, chat_id: Option<&str>) -> Result<Option<String>, Failure> {
        let (channel, chat_id) = (channel.map(str::to_owned), chat_id.map(str::to_owned));
        Message { content: "hello".into(), channel, chat_id, media: Vec::new() }.chat()
    }

    #[test]
    fn another_chat_is_named_by_channel_and_id_together() {
        assert_eq!(chat(None, Some(" ")).unwrap(), None);
        assert_eq!(chat(Some("telegram"), Some("123")).unwrap(), Some("telegram:123".into()));
        for half in [chat(Some("telegram"), None), chat(None, Some("123"))] {
            assert!(matches!(half, Err(Failure::InvalidArguments(why)) if why.contains("leave both out")));
        }
    }

    #[test]
    fn the_answer_tells_a_delivered_message_from_one_that_waits() {
        let delivered = answer(Delivery::Delivered, None, 0);
        assert_eq!(delivered, "The message was delivered to this chat.");
        let waiting = answer(Delivery::Waiting, Some("telegram:123"), 2);
        assert!(waiting.starts_with("The message with 2 files to telegram:123 is not delivered yet"), "{waiting}");
    }
}
