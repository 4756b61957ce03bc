"""A chat room: whoever listens hears what is said, and sees who is typing."""

import asyncio

from fastapi import FastAPI, Header
from fastapi.responses import Response, StreamingResponse

SILENCE = 15.0

app = FastAPI()
said: list[str] = []
listeners: set[asyncio.Event] = set()


@app.post("/say")
async def say(text: str) -> int:
    said.append(text)
    for listener in listeners:
        listener.set()
    return len(said)


@app.get("/listen")
async def listen(last_event_id: int = Header(-1)) -> StreamingResponse:
    return StreamingResponse(news(last_event_id + 1), media_type="text/event-stream")


async def news(number: int):
    listener = asyncio.Event()
    listeners.add(listener)
    try:
        while True:
            for number in range(number, len(said)):
                yield f"id: {number}\ndata: {said[number]}\n\n"
                number += 1
            listener.clear()
            try:
                await asyncio.wait_for(listener.wait(), SILENCE)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        listeners.discard(listener)


class Typing(Response):
    """Tells each moment who is typing."""

    async def __call__(self, scope, receive, send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # Planted: who has left is written to until the process ends. No server says so who is not asked.
        while True:
            await send({"type": "http.response.body", "body": b"data: nobody\n\n", "more_body": True})
            await asyncio.sleep(0.05)


@app.get("/typing")
async def typing() -> Typing:
    return Typing()
