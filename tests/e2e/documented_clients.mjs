// What the documents of the five systems show of clients in JavaScript, each in our own words and at its smallest.
// node documented_clients.mjs CLIENT URL: prints one JSON value a line, what the client has seen.

const seen = (value) => console.log(JSON.stringify(value));

// As much of WHATWG HTML, section 9.2, as these clients need; Node 20 has no EventSource.
class EventSource {
  readyState = 0;
  onmessage = null;
  onerror = null;
  #listeners = new Map();
  #aborted = new AbortController();

  constructor(url) {
    this.#run(url);
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, listener);
  }

  close() {
    this.readyState = 2;
    this.#aborted.abort();
  }

  async #run(url) {
    try {
      const headers = { Accept: "text/event-stream", "Cache-Control": "no-store" };
      const response = await fetch(url, { headers, signal: this.#aborted.signal });
      const type = response.headers.get("content-type") ?? "";
      if (response.status !== 200 || !type.startsWith("text/event-stream")) throw new Error("refused");
      this.readyState = 1;
      await this.#read(response.body.pipeThrough(new TextDecoderStream()));
    } catch {
      // Whatever it was, it is told below, as the standard tells it.
    }
    if (this.readyState === 2) return;
    this.readyState = 0; // A browser would connect again; these clients close instead.
    this.onerror?.({ type: "error" });
  }

  async #read(texts) {
    let rest = "";
    let fields = { data: [], event: "" };
    for await (const text of texts) {
      const lines = (rest + text).split(/\r\n|\n|\r/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          this.#dispatch(fields);
          fields = { data: [], event: "" };
        } else this.#field(fields, line);
        if (this.readyState === 2) return;
      }
    }
  }

  #field(fields, line) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") fields.data.push(value);
    if (name === "event") fields.event = value;
  }

  #dispatch({ data, event }) {
    if (data.length === 0) return;
    const type = event || "message";
    const listener = type === "message" ? this.onmessage : this.#listeners.get(type);
    listener?.({ type, data: data.join("\n") });
  }
}

const post = (url, body) =>
  fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });

async function* texts(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

const clients = {
  // Shows the frames as they are.
  async husk(url) {
    let shown = "";
    for await (const text of texts(await post(url, "hello"))) shown += text;
    seen(shown);
  },

  // Splits lines by itself, wants "event: " and "data: " with their space, parses each data line alone.
  async ash(url) {
    let buffer = "";
    let current = "";
    for await (const text of texts(await post(url, JSON.stringify({ content: "Hello!" })))) {
      buffer += text;
      const lines = buffer.split("\n");
      buffer = lines.pop() || "";
      for (const line of lines) {
        if (line.startsWith("event: ")) current = line.slice(7).trim();
        else if (line.startsWith("data: ")) seen([current, JSON.parse(line.slice(6))]);
      }
    }
  },

  // Hears unnamed events only, and reads the text of each.
  machpay(url) {
    const source = new EventSource(url);
    source.onmessage = (event) => seen(JSON.parse(event.data).text);
    source.onerror = () => {
      seen("closed");
      source.close();
    };
  },

  // Takes what comes for text to be shown.
  async machpay_fetch(url) {
    await clients.husk(url);
  },

  // Parses every message, and trips over the last.
  hector(url) {
    const source = new EventSource(url);
    source.onmessage = (event) => {
      try {
        seen(JSON.parse(event.data).chunk);
      } catch (error) {
        seen(error.name);
      }
    };
    source.onerror = () => {
      seen("closed");
      source.close();
    };
  },

  // Reads the type out of the data, because nothing is named.
  chronos(url) {
    const source = new EventSource(url);
    source.onmessage = (event) => {
      const data = JSON.parse(event.data);
      seen([data.type, data.data]);
      if (data.type === "completed") source.close();
    };
    source.onerror = () => seen("closed");
  },
};

const [client, url] = process.argv.slice(2);
await clients[client](url);
