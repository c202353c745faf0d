"""The official SDK reads the fake's normal answers: so the fake is true to the API.

Run by tests/tests/openai_sdk.rs, which starts the fake with the matching script and names it in FAKE_OPENAI_URL.
"""

import json
import os
import unittest

import openai

TOOLS = [{"type": "function", "function": {"name": "read_file", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}}]


def client(key="right"):
    return openai.OpenAI(base_url=os.environ["FAKE_OPENAI_URL"], api_key=key, max_retries=0, timeout=20)


def user(text):
    return [{"role": "user", "content": text}]


class FakeIsTrue(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def stream(self, text, **more):
        return self.client.chat.completions.create(model="m", messages=user(text), stream=True, **more)

    def test_models_are_listed(self):
        self.assertEqual([model.id for model in self.client.models.list()], ["m"])

    def test_a_stream_gives_text_a_reason_to_stop_and_usage(self):
        chunks = list(self.stream("say hello", stream_options={"include_usage": True}))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        self.assertEqual(text, "Hello, wörld")
        self.assertEqual([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1], "stop")
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual((chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens), (12, 3))
        self.assertTrue(all(chunk.object == "chat.completion.chunk" and chunk.model == "m" for chunk in chunks))

    def test_usage_is_sent_only_when_asked_for(self):
        self.assertTrue(all(chunk.usage is None for chunk in self.stream("say hello")))

    def test_the_sdk_gathers_streamed_calls_and_their_results_are_accepted(self):
        with self.client.chat.completions.stream(model="m", messages=user("read two"), tools=TOOLS) as stream:
            completion = stream.get_final_completion()
        message = completion.choices[0].message
        self.assertEqual(completion.choices[0].finish_reason, "tool_calls")
        self.assertEqual([json.loads(call.function.arguments)["path"] for call in message.tool_calls], ["a", "b"])
        history = user("read two") + [message.model_dump(include={"role", "content", "tool_calls"})]
        for call in message.tool_calls:
            history.append({"role": "tool", "tool_call_id": call.id, "content": "result"})
        answer = self.client.chat.completions.create(model="m", messages=history, tools=TOOLS)
        self.assertEqual(answer.choices[0].message.content, "done")

    def test_one_body_is_given_when_no_stream_is_asked_for(self):
        completion = self.client.chat.completions.create(model="m", messages=user("say hello"))
        self.assertEqual(completion.object, "chat.completion")
        self.assertEqual((completion.choices[0].message.content, completion.usage.total_tokens), ("Hello, wörld", 15))

    def test_a_conversation_that_openai_refuses_is_refused(self):
        with self.assertRaises(openai.BadRequestError):
            self.client.chat.completions.create(model="m", messages=[{"role": "tool", "tool_call_id": "x", "content": ""}])

    def test_refusals_are_the_errors_they_should_be(self):
        with self.assertRaises(openai.RateLimitError) as caught:
            self.stream("limit me")
        self.assertEqual(caught.exception.response.headers["retry-after"], "7")
        with self.assertRaises(openai.InternalServerError):
            self.stream("break")
        with client("wrong") as other, self.assertRaises(openai.AuthenticationError):
            other.models.list()

    def test_a_dropped_socket_is_an_error_in_the_middle_of_the_stream(self):
        received = []
        with self.assertRaises(Exception) as caught:
            for chunk in self.stream("drop"):
                received.append(chunk)
        self.assertTrue(received)
        self.assertIsInstance(caught.exception, (openai.APIError, OSError) + network_errors())


def network_errors():
    """The SDK lets the errors of its HTTP library through while it reads a stream."""
    for name in ("httpx2", "httpx"):
        try:
            return (__import__(name).TransportError,)
        except ImportError:
            continue
    return ()


if __name__ == "__main__":
    unittest.main()
