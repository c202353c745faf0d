//! Puts tool calls together from the pieces servers send, however they are numbered.

use crate::chat::{MalformedArguments, ToolCall};
use rand::RngExt;
use serde_json::{Map, Value, json};

/// More calls than this in one reply are an error.
pub const CALL_LIMIT: usize = 128;
const RAW_SHOWN: usize = 2_000;
const ID_LIMIT: usize = 4_096;

#[derive(Debug, Default)]
struct PartialCall {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// What Gemini and others want back with the call, such as a thought signature.
    extra_content: Option<Value>,
}

/// The calls of one reply while they arrive.
#[derive(Debug, Default)]
pub struct CallPieces {
    calls: Vec<PartialCall>,
}

/// More than [`CALL_LIMIT`] calls.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyCalls;

impl CallPieces {
    /// Has no call begun?
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// How many calls have begun?
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Takes one element of a `tool_calls` array; `position` is its place in that array.
    pub fn push(&mut self, piece: &Value, position: usize, of: usize) -> Result<(), TooManyCalls> {
        let function = &piece["function"];
        let index = number(&piece["index"]);
        let id = piece["id"].as_str().unwrap_or_default();
        let name = function["name"].as_str().unwrap_or_default();
        let at = match self.place(index, id, name, if of > 1 { Some(position) } else { None }) {
            Some(at) => at,
            None if self.calls.len() == CALL_LIMIT => return Err(TooManyCalls),
            None => {
                self.calls.push(PartialCall { index, ..PartialCall::default() });
                self.calls.len() - 1
            }
        };
        self.calls[at].take(id, name, &function["arguments"], piece.get("extra_content"));
        Ok(())
    }

    /// Which call a piece continues: by index, else by id, else by position. An index is a label, never a size.
    fn place(&self, index: Option<u64>, id: &str, name: &str, position: Option<usize>) -> Option<usize> {
        let begins = |at: usize| {
            // Servers that number every call 0 are told apart by a new id with a name after complete arguments.
            let call = &self.calls[at];
            !id.is_empty()
                && !call.id.is_empty()
                && call.id != id
                && !name.is_empty()
                && (call.arguments.is_empty() || call.is_whole())
        };
        if index.is_some() {
            let at = self.calls.iter().rposition(|call| call.index == index)?;
            return (!begins(at)).then_some(at);
        }
        if !id.is_empty() {
            if let Some(at) = self.calls.iter().rposition(|call| call.id == id) {
                // A whole call under an id that was used already is another call.
                return (name.is_empty() || !self.calls[at].is_whole()).then_some(at);
            }
            return self.calls.iter().rposition(|call| call.id.is_empty() && name.is_empty());
        }
        if let Some(position) = position {
            return (position < self.calls.len()).then_some(position);
        }
        let last = self.calls.len().checked_sub(1)?;
        (name.is_empty() || self.calls[last].name.is_empty()).then_some(last)
    }

    /// The calls, each with an id that is new, and their wire form for the history. `used` tells whether the
    /// conversation has an id already; `cut` says that the limit of tokens ended the reply.
    pub fn finish(self, used: impl Fn(&str) -> bool, cut: bool) -> (Vec<ToolCall>, Vec<Value>) {
        let (mut calls, mut wire): (Vec<ToolCall>, Vec<Value>) = Default::default();
        let last = self.calls.len().saturating_sub(1);
        for (at, call) in self.calls.into_iter().enumerate() {
            let taken = |id: &str| calls.iter().any(|call: &ToolCall| call.id == id) || used(id);
            let id = if usable(&call.id) && !taken(&call.id) { call.id } else { fresh_id() };
            let arguments = match parse_arguments(&call.arguments) {
                Ok(_) if cut && at == last && call.arguments.trim().is_empty() => {
                    Err(malformed("", "the limit of tokens cut the reply before them".into()))
                }
                other => other,
            };
            let complete = ToolCall { id, name: call.name, arguments };
            wire.push(wire_call(&complete, call.extra_content));
            calls.push(complete);
        }
        (calls, wire)
    }

    /// Adds calls that were read from text.
    pub fn add_inline(&mut self, calls: Vec<(String, Map<String, Value>)>) -> Result<(), TooManyCalls> {
        for (name, arguments) in calls {
            if self.calls.len() == CALL_LIMIT {
                return Err(TooManyCalls);
            }
            self.calls.push(PartialCall {
                name,
                arguments: Value::Object(arguments).to_string(),
                ..PartialCall::default()
            });
        }
        Ok(())
    }
}

impl PartialCall {
    fn take(&mut self, id: &str, name: &str, arguments: &Value, extra_content: Option<&Value>) {
        // Some servers repeat name and id in every piece, so the first one counts.
        if self.id.is_empty() {
            self.id = id.into();
        }
        if self.name.is_empty() {
            self.name = name.into();
        }
        match arguments {
            Value::Null => {}
            Value::String(piece) => self.arguments.push_str(piece),
            whole => self.arguments = whole.to_string(),
        }
        if let Some(extra) = extra_content.filter(|extra| !extra.is_null()) {
            self.extra_content = Some(extra.clone());
        }
    }

    fn is_whole(&self) -> bool {
        self.arguments.trim_end().ends_with('}') && serde_json::from_str::<Map<String, Value>>(&self.arguments).is_ok()
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn parse_arguments(raw: &str) -> Result<Map<String, Value>, MalformedArguments> {
    if raw.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(raw) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        // Some servers encode the object twice.
        Ok(Value::String(inner)) => {
            serde_json::from_str(&inner).map_err(|error| malformed(raw, format!("a string that is no object: {error}")))
        }
        Ok(other) => Err(malformed(raw, format!("it is {}", kind(&other)))),
        Err(error) => Err(malformed(raw, error.to_string())),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "an array",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::Null | Value::String(_) | Value::Object(_) => "something else",
    }
}

fn malformed(raw: &str, reason: String) -> MalformedArguments {
    MalformedArguments { raw: raw[..raw.floor_char_boundary(RAW_SHOWN)].into(), reason }
}

/// The call as wire JSON. Malformed arguments become `{}` and odd names are cleaned: servers refuse a history that holds them.
pub fn wire_call(call: &ToolCall, extra_content: Option<Value>) -> Value {
    let arguments = call.arguments.as_ref().ok().and_then(|map| serde_json::to_string(map).ok());
    let function = json!({ "name": wire_name(&call.name), "arguments": arguments.unwrap_or_else(|| "{}".into()) });
    let mut wire = json!({ "id": call.id, "type": "function", "function": function });
    if let Some(extra) = extra_content {
        wire["extra_content"] = extra;
    }
    wire
}

fn wire_name(name: &str) -> String {
    let clean: String = name
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
        .collect();
    if clean.is_empty() { "unnamed".into() } else { clean }
}

fn usable(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LIMIT
        && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// Nine letters and digits: the one form every server accepts.
fn fresh_id() -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(9).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(pieces: &[Value]) -> (Vec<ToolCall>, Vec<Value>) {
        let mut calls = CallPieces::default();
        for piece in pieces {
            let array = piece.as_array().cloned().unwrap_or_else(|| vec![piece.clone()]);
            for (position, piece) in array.iter().enumerate() {
                calls.push(piece, position, array.len()).unwrap();
            }
        }
        calls.finish(|_| false, false)
    }

    fn arguments(call: &ToolCall) -> String {
        call.arguments
            .as_ref()
            .map_or_else(|error| format!("! {}", error.reason), |map| serde_json::to_string(map).unwrap())
    }

    #[test]
    fn pieces_with_an_index_are_joined_and_calls_may_interleave() {
        let (calls, _) = gather(&[
            json!({"index":0,"id":"a","function":{"name":"x","arguments":"{\"n\""}}),
            json!({"index":1,"id":"b","function":{"name":"y","arguments":""}}),
            json!({"index":0,"function":{"arguments":":1}"}}),
            json!({"index":1,"function":{"arguments":"{\"m\":2}"}}),
        ]);
        assert_eq!(calls.iter().map(arguments).collect::<Vec<_>>(), ["{\"n\":1}", "{\"m\":2}"]);
        assert_eq!((calls[0].id.as_str(), calls[1].name.as_str()), ("a", "y"));
    }

    #[test]
    fn a_huge_or_gapped_index_is_only_a_label() {
        let (calls, _) = gather(&[
            json!({"index":4_294_967_295_u64,"id":"a","function":{"name":"x","arguments":"{}"}}),
            json!({"index":7,"id":"b","function":{"name":"y","arguments":"{}"}}),
        ]);
        assert_eq!(calls.len(), 2);
    }

    #[test]
    fn without_an_index_the_id_decides_and_then_the_order() {
        let (calls, _) = gather(&[
            json!({"id":"a","function":{"name":"x","arguments":"{\"n\":"}}),
            json!({"function":{"arguments":"1"}}),
            json!({"function":{"arguments":"}"}}),
            json!({"id":"b","function":{"name":"y","arguments":"{"}}),
            json!({"id":"b","function":{"arguments":"}"}}),
        ]);
        assert_eq!(calls.iter().map(arguments).collect::<Vec<_>>(), ["{\"n\":1}", "{}"]);
    }

    #[test]
    fn an_index_written_as_text_counts() {
        let (calls, _) = gather(&[
            json!({"index":"0","id":"a","function":{"name":"x","arguments":"{"}}),
            json!({"index":"0","function":{"arguments":"}"}}),
        ]);
        assert_eq!(calls.iter().map(arguments).collect::<Vec<_>>(), ["{}"]);
    }

    #[test]
    fn whole_calls_without_index_and_id_are_told_apart_by_position() {
        let (calls, _) = gather(&[
            json!([{"function":{"name":"x","arguments":{"n":1}}},{"function":{"name":"x","arguments":{"n":2}}}]),
        ]);
        assert_eq!(calls.iter().map(arguments).collect::<Vec<_>>(), ["{\"n\":1}", "{\"n\":2}"]);
        assert_ne!(calls[0].id, calls[1].id);
        assert!(calls.iter().all(|call| call.id.len() == 9 && call.id.bytes().all(|b| b.is_ascii_alphanumeric())));
    }

    #[test]
    fn calls_that_all_have_index_zero_are_told_apart_by_id() {
        let (calls, _) = gather(&[
            json!({"index":0,"id":"a","function":{"name":"x","arguments":"{\"n\":1}"}}),
            json!({"index":0,"id":"b","function":{"name":"x","arguments":"{\"n\":2}"}}),
        ]);
        assert_eq!(calls.iter().map(arguments).collect::<Vec<_>>(), ["{\"n\":1}", "{\"n\":2}"]);
    }

    #[test]
    fn a_name_and_an_id_repeated_in_every_piece_are_taken_once() {
        let (calls, _) = gather(&[
            json!({"index":0,"id":"a","function":{"name":"x","arguments":"{\"n\":"}}),
            json!({"index":0,"id":"a","function":{"name":"x","arguments":"1}"}}),
        ]);
        assert_eq!((calls.len(), calls[0].name.as_str()), (1, "x"));
    }

    #[test]
    fn a_whole_call_under_the_id_of_another_is_a_second_call() {
        let piece = json!({"id":"a","function":{"name":"x","arguments":"{}"}});
        assert_eq!(gather(&[piece.clone(), piece]).0.len(), 2);
    }

    #[test]
    fn an_id_used_twice_is_replaced_by_a_new_one() {
        let (calls, wire) = gather(&[
            json!({"index":0,"id":"call_0","function":{"name":"x","arguments":"{}"}}),
            json!({"index":1,"id":"call_0","function":{"name":"y","arguments":"{}"}}),
        ]);
        assert_eq!(calls[0].id, "call_0");
        assert_eq!(calls[1].id.len(), 9);
        assert_eq!(wire[1]["id"], calls[1].id);

        let mut pieces = CallPieces::default();
        pieces.push(&json!({"index":0,"id":"call_0","function":{"name":"x"}}), 0, 1).unwrap();
        assert_ne!(pieces.finish(|id| id == "call_0", false).0[0].id, "call_0");
    }

    #[test]
    fn empty_null_object_and_doubly_encoded_arguments_are_understood() {
        for (sent, expected) in [
            (json!(""), "{}"),
            (json!(null), "{}"),
            (json!("null"), "{}"),
            (json!({"n":1}), "{\"n\":1}"),
            (json!("\"{\\\"n\\\":1}\""), "{\"n\":1}"),
        ] {
            let (calls, _) = gather(&[json!({"index":0,"id":"a","function":{"name":"x","arguments":sent}})]);
            assert_eq!(arguments(&calls[0]), expected);
        }
    }

    #[test]
    fn unparsable_arguments_become_an_error_result_and_leave_the_history_valid() {
        for sent in ["{\"n\":", "[1]", "3", "hello"] {
            let (calls, wire) = gather(&[json!({"index":0,"id":"a","function":{"name":"x","arguments":sent}})]);
            assert_eq!(calls[0].arguments.as_ref().unwrap_err().raw, sent);
            assert_eq!(wire[0]["function"]["arguments"], "{}");
        }
    }

    #[test]
    fn a_call_cut_by_the_token_limit_before_its_arguments_is_not_run_with_none() {
        let mut pieces = CallPieces::default();
        pieces.push(&json!({"index":0,"id":"a","function":{"name":"x","arguments":""}}), 0, 1).unwrap();
        assert!(pieces.finish(|_| false, true).0[0].arguments.is_err());
    }

    #[test]
    fn a_name_no_server_accepts_is_cleaned_in_the_history_only() {
        let (calls, wire) = gather(&[json!({"index":0,"id":"a","function":{"name":"read file!","arguments":"{}"}})]);
        assert_eq!(calls[0].name, "read file!");
        assert_eq!(wire[0]["function"]["name"], "read_file_");
    }

    #[test]
    fn a_thought_signature_goes_back_with_its_call() {
        let (_, wire) = gather(&[
            json!({"index":0,"id":"a","function":{"name":"x","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}),
        ]);
        assert_eq!(wire[0]["extra_content"]["google"]["thought_signature"], "s");
    }

    #[test]
    fn more_than_128_calls_are_refused_and_128_are_not() {
        let mut pieces = CallPieces::default();
        let push = |pieces: &mut CallPieces, n: usize| {
            pieces.push(&json!({"index":n,"id":format!("c{n}"),"function":{"name":"x"}}), 0, 1)
        };
        assert!((0..CALL_LIMIT).all(|n| push(&mut pieces, n).is_ok()));
        assert_eq!(push(&mut pieces, CALL_LIMIT), Err(TooManyCalls));
    }
}
