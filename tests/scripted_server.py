"""A real HTTP server that speaks the OpenAI protocol as a script says: shapes of known servers, and misbehaviour."""

import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """What a kind of server takes and gives.

    Attributes:
        likeliest: most log-probabilities a place, 0 where they are ignored.
        schema: whether an answer follows a JSON schema; where not, the wish for one is ignored.
        strict: whether what it does not know is refused rather than ignored.
        limit: name of the most tokens.
        greedy, system: whether a temperature of 0 and a system's message are taken.
        template: whether what the chat template is told is taken.
        counts: whether it counts tokens.
        context: as its list of models tells.
    """

    likeliest: int = 0
    schema: bool = False
    strict: bool = False
    limit: str = "max_tokens"
    greedy: bool = True
    template: bool = False
    system: bool = True
    counts: bool = True
    context: int | None = None


SHAPES = {
    "vllm": Shape(likeliest=20, schema=True, strict=True, template=True, context=4096),
    "llama.cpp": Shape(likeliest=100, schema=True),
    "ollama": Shape(schema=True),
    "transformers": Shape(),
    "few-likeliest": Shape(likeliest=5, strict=True),
    "newest": Shape(limit="max_completion_tokens", greedy=False, strict=True, schema=True),
    "no-system": Shape(likeliest=20, system=False, strict=True),
    "uncounted": Shape(schema=True, counts=False),
}
Brain = Callable[[str], dict[str, float]]


def by_words(question: str) -> dict[str, float]:
    """Say praise of a question with thanks in it, complaint otherwise; surely."""
    return {"praise": 0.8, "complaint": 0.15} if "thank" in question else {"praise": 0.1, "complaint": 0.85}


@dataclass
class Server:
    """A running server and what it saw.

    Attributes:
        brain: probabilities of answers, given the last message; the first schema value that is one of them is taken.
        faults: of requests for answers to real questions, used up one a request: a status, perhaps with what
            ``Retry-After`` says; ``say`` and an answer; or a name below.
        bodies: requests that were answered as they should.
        heads: headers of all requests.
        attempts: requests in all.
        at_once: most requests under way at a time.
        prompt_limit: tokens beyond which prompts are silently cut.
        delay: seconds an answer takes.
    """

    shape: Shape
    brain: Brain = by_words
    faults: list[str] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    attempts: int = 0
    at_once: int = 0
    prompt_limit: int | None = None
    delay: float = 0.0
    name: str = "tiny"
    url: str = ""
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self) -> list[Body]:
        """Return the answered requests that were not about what the server is able to do."""
        return [body for body in self.bodies if not _probes(body)]

    def repeated(self) -> int:
        """Return how many answered requests were the same as an earlier one."""
        seen = Counter(json.dumps(body, sort_keys=True) for body in self.bodies)
        return sum(count - 1 for count in seen.values())


@contextmanager
def serving(shape: str | Shape = "vllm", **script: Any) -> Iterator[Server]:
    """Run a server of a shape on a free port of this machine."""
    server = Server(SHAPES[shape] if isinstance(shape, str) else shape, **script)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _probes(body: Body) -> bool:
    return body["messages"][-1]["content"].endswith("Is water wet?")


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"server_script": server})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_script: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server_script
        told = {"max_model_len": server.shape.context} if server.shape.context else {}
        self.reply(200, {"object": "list", "data": [{"id": server.name, **told}]})

    def do_POST(self) -> None:
        server, body = self.server_script, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server._lock:
            server.attempts += 1
            server.heads.append(dict(self.headers))
            server._under_way += 1
            server.at_once = max(server.at_once, server._under_way)
            fault = server.faults.pop(0) if server.faults and not _probes(body) else ""
        try:
            time.sleep(server.delay)
            self.answer(body, fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server._lock:
                server._under_way -= 1

    def answer(self, body: Body, fault: str) -> None:
        status = _refusal(self.server_script, body)
        if status:
            self.reply(status, {"error": {"message": f"not taken by this server: {sorted(body)}"}})
            return
        answer, (kind, _, more) = completion(self.server_script, body), fault.partition(" ")
        if kind == "say":
            answer["choices"][0]["message"]["content"] = more
            answer["choices"][0].pop("logprobs", None)
        if kind in ("", "say"):
            with self.server_script._lock:
                self.server_script.bodies.append(body)
            self.reply(200, answer)
        elif kind.isdigit():
            self.reply(int(kind), {"error": {"message": "broken"}}, {"Retry-After": more} if more else None)
        else:
            _FAULTS[kind](self, json.dumps(answer).encode(), more)

    def reply(self, status: int, payload: Any, headers: dict[str, str] | None = None) -> None:
        self.raw(status, json.dumps(payload).encode(), headers=headers)

    def raw(
        self, status: int, content: bytes, *, length: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def broken_off(self, answer: bytes, _: str) -> None:
        self.raw(200, answer[:-20], length=10_000)
        self.close_connection = True

    def drip(self, answer: bytes, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        for byte in answer[:40]:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True

    def echo(self, _: bytes, status: str) -> None:
        head = self.headers["Authorization"]
        self.reply(
            int(status), {"error": {"message": f"bad header {head}"}, "of": dict(self.headers)}, {"X-Echo": head}
        )


_QUOTA = {"error": {"code": "insufficient_quota", "message": "you spent it all"}}
_FAULTS: dict[str, Callable[[_Handler, bytes, str], object]] = {
    "quota": lambda handler, _, more: handler.reply(429, _QUOTA),
    "echo": _Handler.echo,
    "complain": lambda handler, _, text: handler.reply(400, {"error": {"message": text}}),
    "redirect": lambda handler, _, to: handler.reply(307, {}, {"Location": f"{to}/chat/completions"}),
    "truncated": lambda handler, answer, _: handler.raw(200, answer[:-20]),
    "broken-off": _Handler.broken_off,
    "html": lambda handler, _, more: handler.raw(200, b"<html>Bad gateway</html>"),
    "no-choices": lambda handler, _, more: handler.reply(200, {"choices": []}),
    "error-inside": lambda handler, _, more: handler.reply(200, {"error": {"message": "provider is gone"}}),
    "huge": lambda handler, _, more: handler.raw(200, b" " * 5_000_000),
    "drip": _Handler.drip,
    "hang": lambda handler, _, more: time.sleep(1),
}


def _refusal(server: Server, body: Body) -> int:
    """Return the status of a refusal, 0 where the request is taken."""
    shape, other = server.shape, {"max_tokens", "max_completion_tokens"} - {server.shape.limit}
    if body["model"] != server.name:
        return 404
    if not shape.system and body["messages"][0]["role"] == "system":
        return 400
    if not shape.strict:
        return 0
    refused = other & set(body) or (not shape.greedy and "temperature" in body)
    refused = refused or ("chat_template_kwargs" in body and not shape.template)
    refused = refused or body.get("top_logprobs", 0) > shape.likeliest
    return 400 if refused or ("response_format" in body and not shape.schema) else 0


def completion(server: Server, body: Body) -> Body:
    shape, question = server.shape, body["messages"][-1]["content"]
    probabilities = server.brain(question)
    text = max(probabilities, key=lambda answer: probabilities[answer])
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema") if shape.schema else None
    if schema:
        text = json.dumps(_following(schema, text, probabilities))
    elif not body.get("logprobs") or not shape.likeliest:
        text = f" {text}"
    pieces = _pieces(text)[: body.get(shape.limit, 1000)]
    choice: Body = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(pieces)},
        "finish_reason": "stop" if "".join(pieces) == text else "length",
    }
    if body.get("logprobs") and shape.likeliest and not schema:
        choice["logprobs"] = {"content": _told(pieces, probabilities, body.get("top_logprobs", 0))}
    answer: Body = {"id": "1", "object": "chat.completion", "model": server.name, "choices": [choice]}
    if shape.counts:
        answer["usage"] = _usage(server, body, pieces)
    return answer


def _following(schema: Body, text: str, probabilities: dict[str, float]) -> Any:
    """Return the object of a schema: the likeliest answer that it allows, or the answer as JSON if it is one."""
    kind = schema["properties"].get("answer", {})
    if "enum" in kind:
        return {"answer": max(kind["enum"], key=lambda choice: probabilities.get(choice, 0))}
    return {"answer": text} if "answer" in schema["properties"] else json.loads(text)


def _pieces(text: str) -> list[str]:
    """Split a text into tokens of at most three letters, a space before a word being part of its first."""
    return re.findall(r" ?\w{1,3}|\W", text)


def _told(pieces: list[str], probabilities: dict[str, float], most: int) -> list[Body]:
    """Return log-probabilities place by place: of the pieces that the answers go on with."""
    told, written = [], ""
    for piece in pieces:
        alive = {answer: p for answer, p in probabilities.items() if answer.startswith(written)}
        share: Counter[str] = Counter()
        for answer, p in alive.items():
            share[(_pieces(answer[len(written) :]) or ["<end>"])[0]] += p / (sum(alive.values()) if written else 1)
        logs = [{"token": one, "logprob": math.log(p), "bytes": [*one.encode()]} for one, p in share.most_common(most)]
        told.append({"token": piece, "logprob": math.log(share[piece]), "bytes": None, "top_logprobs": logs})
        written += piece
    return told


def _usage(server: Server, body: Body, pieces: list[str]) -> dict[str, int]:
    tokens = 12 + sum(len(_pieces(message["content"])) + 4 for message in body["messages"])
    tokens = min(tokens, server.prompt_limit or tokens)
    return {"prompt_tokens": tokens, "completion_tokens": len(pieces), "total_tokens": tokens + len(pieces)}
