"""Serves each recorded stream on loopback to the official SDK of its vendor and compares what the SDK read.

`openai-*.sse` and `anthropic-*.sse` are read by the SDKs; `gemini-*.sse` by the Rust tests only, which compare with
the same JSON files.
"""

import http.server
import json
import pathlib
import sys
import threading

import anthropic
import openai

FOLDER = pathlib.Path(__file__).parent
FINISH = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}


class Stream(http.server.BaseHTTPRequestHandler):
    """Answers every request with the stream of the server."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(self.server.stream)))
        self.end_headers()
        self.wfile.write(self.server.stream)

    def log_message(self, *_):
        pass


def read_openai(address):
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="k", max_retries=0)
    question = [{"role": "user", "content": "hi"}]
    got = {"text": "", "reasoning": "", "thinking_blocks": [], "tool_calls": [], "finish": None, "usage": None}
    with client.chat.completions.create(
        model="m", messages=question, stream=True, stream_options={"include_usage": True}
    ) as chunks:
        for chunk in chunks:
            if chunk.usage:
                details = chunk.usage.prompt_tokens_details
                got["usage"] = {
                    "input": chunk.usage.prompt_tokens,
                    "cached": details.cached_tokens,
                    "output": chunk.usage.completion_tokens,
                }
            for choice in chunk.choices:
                got["text"] += choice.delta.content or ""
                got["finish"] = choice.finish_reason or got["finish"]
                for piece in choice.delta.tool_calls or []:
                    if piece.index == len(got["tool_calls"]):
                        got["tool_calls"].append({"id": piece.id, "name": piece.function.name, "arguments": ""})
                    got["tool_calls"][piece.index]["arguments"] += piece.function.arguments or ""
    for call in got["tool_calls"]:
        call["arguments"] = json.loads(call["arguments"])
    return got


def read_anthropic(address):
    client = anthropic.Anthropic(base_url=address, api_key="k", max_retries=0)
    question = [{"role": "user", "content": "hi"}]
    with client.messages.stream(model="m", max_tokens=10, messages=question) as stream:
        message = stream.get_final_message()
    of = lambda kind: [block for block in message.content if block.type == kind]
    thoughts = [block for block in message.content if block.type in ("thinking", "redacted_thinking")]
    usage = message.usage
    cached = usage.cache_read_input_tokens
    return {
        "text": "".join(block.text for block in of("text")),
        "reasoning": "".join(block.thinking for block in of("thinking")),
        "thinking_blocks": [block.to_dict() for block in thoughts],
        "tool_calls": [{"id": call.id, "name": call.name, "arguments": call.input} for call in of("tool_use")],
        "finish": FINISH.get(message.stop_reason, message.stop_reason),
        "usage": {
            "input": usage.input_tokens + cached + usage.cache_creation_input_tokens,
            "cached": cached,
            "output": usage.output_tokens,
        },
    }


def read(path, address):
    """What the SDK makes of a stream; of an error its message."""
    try:
        return read_openai(address) if path.name.startswith("openai-") else read_anthropic(address)
    except (openai.APIError, anthropic.APIError) as error:
        body = error.body or {}
        return {"error": body.get("error", body).get("message", str(error))}


def main():
    wrong = 0
    for path in sorted(FOLDER.glob("openai-*.sse")) + sorted(FOLDER.glob("anthropic-*.sse")):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
        server.stream = path.read_bytes()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        got = read(path, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        server.server_close()
        expected = json.loads(path.with_suffix(".json").read_text())
        wrong += got != expected
        print(f"{path.name}: {'as expected' if got == expected else f'expected {expected}, but the SDK read {got}'}")
    versions = f"openai {openai.__version__}, anthropic {anthropic.__version__}"
    print(f"{versions}: {'all streams are read as expected' if not wrong else f'{wrong} streams differ'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
