import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type AttestationError, isAttestationError } from "../errors.ts";
import {
  type Fetch,
  type HttpOptions,
  type HttpRequest,
  jsonAnswer,
  request,
  requestStream,
} from "./http.ts";

const SECRET = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
const URL_ = "https://service.example/api";

/** Waits without a clock, and remembers how long. */
function waits(): { slept: number[]; sleep: HttpOptions["sleep"] } {
  const slept: number[] = [];
  return {
    slept,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  };
}

/** Answers of a service, in order; the last one stays. */
function answers(...all: (Response | Error | (() => Response))[]): { fetch: Fetch; calls: number } {
  const state = {
    calls: 0,
    fetch: (): Promise<Response> => {
      const answer = all[Math.min(state.calls++, all.length - 1)];
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve(typeof answer === "function" ? answer() : answer.clone());
    },
  };
  return state;
}

async function refusal(
  fetch: Fetch,
  init: HttpRequest = {},
  options: HttpOptions = {},
  url: string = URL_,
): Promise<AttestationError> {
  try {
    await request("ask", url, init, { fetch, ...waits(), ...options });
  } catch (error) {
    if (isAttestationError(error)) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("request()", () => {
  it("returns status, headers and body", async () => {
    const { fetch } = answers(new Response("hello", { status: 201, headers: { "x-a": "b" } }));
    const { status, headers, body, url } = await request("ask", URL_, {}, { fetch });
    equal(status, 201);
    equal(headers.get("x-a"), "b");
    equal(new TextDecoder().decode(body), "hello");
    equal(url, URL_);
  });

  it("sends method, headers and body, and follows no redirect by itself", async () => {
    const seen: [string, RequestInit | undefined][] = [];
    const fetch: Fetch = (input, init) => {
      seen.push([input, init]);
      return Promise.resolve(new Response(""));
    };
    await request("ask", URL_, { body: "text", headers: { "x-a": "b" } }, { fetch });
    const [[url, init]] = seen;
    equal(url, URL_);
    equal(init?.method, "POST");
    equal(init?.body, "text");
    equal(init?.redirect, "manual");
    equal(new Headers(init?.headers).get("x-a"), "b");
  });

  const unsafe = [
    "http://service.example/",
    "http://127.0.0.1.example/",
    "http://localhost.example/",
    "http://[::2]/",
    "ftp://127.0.0.1/",
    "https://user:hunter2@service.example/",
    "service.example",
    "file:///etc/passwd",
  ];
  for (const url of unsafe) {
    it(`refuses ${url} without asking it`, async () => {
      const service = answers(new Response(""));
      const error = await refusal(service.fetch, {}, {}, url);
      equal(error.reason, "service-refused");
      equal(service.calls, 0);
      ok(!error.message.includes("hunter2"));
    });
  }

  for (const url of ["http://127.0.0.1:1/", "http://localhost/", "http://[::1]:8080/"]) {
    it(`asks ${url}`, async () => {
      equal((await request("ask", url, {}, answers(new Response("")))).status, 200);
    });
  }

  for (const status of [408, 429, 500, 502, 503, 504]) {
    it(`tries again after ${status}`, async () => {
      const { slept, sleep } = waits();
      const service = answers(new Response("", { status }), new Response("late"));
      const { body } = await request("ask", URL_, {}, { fetch: service.fetch, sleep });
      equal(new TextDecoder().decode(body), "late");
      equal(service.calls, 2);
      equal(slept.length, 1);
    });

    it(`gives up after ${status} again and again`, async () => {
      const service = answers(() => new Response("", { status }));
      const error = await refusal(service.fetch, {}, { retries: 2 });
      equal(error.reason, "service-unavailable");
      ok(error.message.includes(String(status)));
      equal(service.calls, 3);
    });
  }

  for (const status of [400, 401, 403, 404, 409, 422]) {
    it(`does not try again after ${status}`, async () => {
      const service = answers(() => new Response("why not", { status }));
      const error = await refusal(service.fetch);
      equal(error.reason, "service-refused");
      ok(error.message.includes(`${status}: why not`));
      equal(service.calls, 1);
    });
  }

  it("returns a status that the caller accepts", async () => {
    const { fetch } = answers(new Response("", { status: 409 }));
    equal((await request("ask", URL_, { accept: [409] }, { fetch })).status, 409);
  });

  it("does not try again what must not be", async () => {
    const service = answers(new Response("", { status: 503 }));
    equal((await refusal(service.fetch, { retryable: false })).reason, "service-unavailable");
    equal(service.calls, 1);
  });

  it("waits twice as long each time, and as long as the service asks, within bounds", async () => {
    const { slept, sleep } = waits();
    const busy = (after?: string) => () =>
      new Response("", {
        status: 429,
        headers: after === undefined ? {} : {
          "retry-after": after,
          "date": "Mon, 03 Feb 2025 10:00:00 GMT",
        },
      });
    const { fetch } = answers(
      busy(),
      busy(),
      busy("9"),
      busy("100000"),
      busy("Mon, 03 Feb 2025 10:00:20 GMT"),
      busy("soon"),
    );
    await refusal(fetch, {}, { sleep, retries: 6, backoffMs: 100 });
    ok(slept[0] >= 50 && slept[0] <= 100, `${slept[0]}`);
    ok(slept[1] >= 100 && slept[1] <= 200, `${slept[1]}`);
    deepEqual(slept.slice(2, 5), [9000, 30_000, 20_000]);
    ok(slept[5] <= 3200, `${slept[5]}`);
  });

  for (const status of [301, 302, 303, 307, 308, 304, 300]) {
    it(`does not follow ${status}`, async () => {
      const headers = { location: "https://elsewhere.example/" };
      const service = answers(new Response(null, { status, headers }));
      const error = await refusal(service.fetch);
      equal(error.reason, "service-refused");
      equal(service.calls, 1);
    });
  }

  it("tries again after no answer, and then says so", async () => {
    const service = answers(new TypeError("connection refused"));
    const error = await refusal(service.fetch);
    equal(error.reason, "service-unavailable");
    ok(error.message.includes("connection refused"));
    equal(service.calls, 4);
  });

  it("ends a try that takes too long, also when fetch does not look at its signal", async () => {
    let calls = 0;
    const fetch: Fetch = () => {
      calls++;
      return new Promise(() => {});
    };
    const error = await refusal(fetch, {}, { timeoutMs: 5, retries: 1 });
    equal(error.reason, "service-unavailable");
    ok(error.message.includes("5 ms"));
    equal(calls, 2);
  });

  it("ends a body that takes too long", async () => {
    const fetch: Fetch = () =>
      Promise.resolve(new Response(new ReadableStream({ pull: () => new Promise(() => {}) })));
    const error = await refusal(fetch, {}, { timeoutMs: 5, retries: 0 });
    equal(error.reason, "service-unavailable");
  });

  it("stops when the caller does: before, during, and between tries", async () => {
    const service = answers(new Response(""));
    const signal = AbortSignal.abort();
    equal((await refusal(service.fetch, {}, { signal })).reason, "aborted");
    equal(service.calls, 0);

    const during = new AbortController();
    const hanging: Fetch = () => {
      queueMicrotask(() => during.abort());
      return new Promise(() => {});
    };
    equal((await refusal(hanging, {}, { signal: during.signal })).reason, "aborted");

    const between = new AbortController();
    const failing = answers(new TypeError("no"));
    const sleep = () => {
      between.abort();
      return Promise.resolve();
    };
    equal((await refusal(failing.fetch, {}, { signal: between.signal, sleep })).reason, "aborted");
    equal(failing.calls, 1);
  });

  it("ends its own waiting when the caller stops it", async () => {
    const controller = new AbortController();
    const { fetch } = answers(new TypeError("no"));
    const work = refusal(fetch, {}, {
      signal: controller.signal,
      sleep: undefined,
      backoffMs: 1 << 30,
    });
    setTimeout(() => controller.abort(), 5);
    equal((await work).reason, "aborted");
  });

  it("bounds the body, by what is stated and by what comes", async () => {
    const stated = answers(new Response("", { headers: { "content-length": "4097" } }));
    equal((await refusal(stated.fetch, {}, { maxBytes: 4096 })).reason, "limit-exceeded");
    const coming = answers(() => new Response(new Uint8Array(4097)));
    equal((await refusal(coming.fetch, {}, { maxBytes: 4096 })).reason, "limit-exceeded");
    const { body } = await request("ask", URL_, {}, {
      fetch: answers(() => new Response(new Uint8Array(4096))).fetch,
      maxBytes: 4096,
    });
    equal(body.length, 4096);
  });

  it("keeps the status of a refusal whose body is too long", async () => {
    const { fetch } = answers(() => new Response(new Uint8Array(4097), { status: 403 }));
    equal((await refusal(fetch, {}, { maxBytes: 4096 })).reason, "service-refused");
  });

  it("finds an answer that is cut short, by its length and by its end", async () => {
    const short = answers(() => new Response("{", { headers: { "content-length": "2" } }));
    equal((await refusal(short.fetch)).reason, "malformed-response");
    equal(short.calls, 4);
    const broken: Fetch = () => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(1));
        },
        pull(controller) {
          controller.error(new TypeError("connection reset"));
        },
      });
      return Promise.resolve(new Response(body));
    };
    equal((await refusal(broken)).reason, "malformed-response");
  });

  const echoes: Record<string, (init: HttpRequest) => Response | Error> = {
    "a body": ({ body }) => new Response(`bad: ${body}`, { status: 400 }),
    "a header": () => new Response(`token ${SECRET} is bad`, { status: 401 }),
    "a header's end": () => new Response(SECRET.slice(9), { status: 401 }),
    "a token in JSON": () => Response.json({ token: SECRET }, { status: 500 }),
    "a runtime's error": () =>
      new TypeError("fetch failed", { cause: new Error(`invalid header: Bearer ${SECRET}`) }),
    "an address": () => new TypeError(`no answer (https://x.example/?t=${SECRET})`),
  };
  for (const [name, answer] of Object.entries(echoes)) {
    it(`keeps secrets out of messages that repeat ${name}`, async () => {
      const init: HttpRequest = {
        headers: { authorization: `Bearer ${SECRET}` },
        body: JSON.stringify({ token: SECRET, proof: "MEUCIQDprooF+of/possession0123456789==" }),
      };
      const error = await refusal(answers(answer(init)).fetch, init);
      for (const part of [...SECRET.split("."), "proof0F+of", "possession0123"]) {
        ok(!error.message.includes(part), error.message);
      }
      equal(error.cause, undefined);
    });
  }

  it("shows an answer's words short and in one line", async () => {
    const text = `<b>\u001b[31m no\r\n${"x".repeat(5000)}`;
    const { message } = await refusal(answers(new Response(text, { status: 400 })).fetch);
    ok(message.length < 320, message);
    // deno-lint-ignore no-control-regex
    ok(!/[\u0000-\u001f]/.test(message));
  });

  it("shows an address without its query", async () => {
    const { fetch } = answers(new Response("", { status: 403 }));
    const { message } = await refusal(fetch, {}, {}, `${URL_}?key=word`);
    ok(message.includes(URL_) && !message.includes("word"));
  });
});

/** A service of several addresses, which notes the headers that it is sent. */
function places(
  routes: Record<string, (init: RequestInit) => Response>,
): { fetch: Fetch; asked: [string, Headers][] } {
  const asked: [string, Headers][] = [];
  return {
    asked,
    fetch: (url, init = {}) => {
      asked.push([url, new Headers(init.headers)]);
      return Promise.resolve(routes[url]?.(init) ?? new Response("", { status: 404 }));
    },
  };
}

const to = (location: string, status = 307) => () =>
  new Response(null, { status, headers: { location } });

describe("request() that follows redirects", () => {
  const headers = { authorization: `Bearer ${SECRET}`, cookie: "a=b", "x-key": "k", accept: "a/b" };

  it("keeps headers within the origin and drops them for good outside", async () => {
    const service = places({
      [URL_]: to("/next"),
      "https://service.example/next": to("https://cdn.example/blob"),
      "https://cdn.example/blob": to("https://service.example/back"),
      "https://service.example/back": () => new Response("there"),
    });
    const answer = await request("ask", URL_, { headers, redirects: 3 }, service);
    equal(answer.url, "https://service.example/back");
    equal(service.asked[1][1].get("authorization"), headers.authorization);
    for (const [url, sent] of service.asked.slice(2)) {
      deepEqual([...sent.keys()].sort(), ["accept", "accept-encoding"], url);
    }
  });

  const leads = [
    "http://service.example/",
    "http://127.0.0.1/",
    "ftp://a/",
    "http://",
    "https://a:b@c/",
  ];
  for (const location of leads) {
    it(`does not go on to ${location}`, async () => {
      const service = places({ [URL_]: to(location) });
      const init = { headers, redirects: 3, plainHosts: ["service.example"] };
      equal((await refusal(service.fetch, init)).reason, "service-refused");
      equal(service.asked.length, 1);
    });
  }

  it("bounds their number, and follows none of a POST", async () => {
    const service = places({ [URL_]: to(URL_) });
    equal((await refusal(service.fetch, { redirects: 5 })).reason, "service-refused");
    equal(service.asked.length, 6);
    const post = places({ [URL_]: to("/next") });
    equal((await refusal(post.fetch, { redirects: 5, body: "x" })).reason, "service-refused");
    equal(post.asked.length, 1);
  });

  it("reads the body of no HEAD, whatever length it states", async () => {
    const { fetch } = answers(new Response(null, { headers: { "content-length": "99999999" } }));
    const { headers, body } = await request("ask", URL_, { method: "HEAD" }, { fetch });
    equal(headers.get("content-length"), "99999999");
    equal(body.length, 0);
  });

  it("gives statuses the reasons and words that the caller has for them", async () => {
    const { fetch } = answers(new Response("{}", { status: 404 }));
    const init: HttpRequest = { reasons: { 404: "attestation-not-found" }, words: () => "no such" };
    const error = await refusal(fetch, init);
    equal(error.reason, "attestation-not-found");
    ok(error.message.endsWith("404: no such"));
  });
});

describe("requestStream()", () => {
  async function streamed(response: Response, options: HttpOptions = {}): Promise<string> {
    const { fetch } = answers(() => response);
    try {
      const { body } = await requestStream("ask", URL_, {}, { fetch, ...waits(), ...options });
      return await new Response(body).text();
    } catch (error) {
      if (isAttestationError(error)) return error.reason;
      throw error;
    }
  }

  it("hands over the body", async () => {
    equal(await streamed(new Response("hello")), "hello");
  });

  it("keeps the limits of size and time, and finds what is cut short", async () => {
    equal(await streamed(new Response("hello"), { maxBytes: 4 }), "limit-exceeded");
    const slow = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      pull: () => new Promise(() => {}),
    });
    equal(await streamed(new Response(slow), { timeoutMs: 20 }), "service-unavailable");
    const short = new Response("hell", { headers: { "content-length": "5" } });
    equal(await streamed(short), "malformed-response");
    const controller = new AbortController();
    const stopped = new ReadableStream({
      pull: () => {
        controller.abort();
        return new Promise<void>(() => {});
      },
    });
    equal(await streamed(new Response(stopped), { signal: controller.signal }), "aborted");
  });

  it("refuses a status before there is a stream", async () => {
    equal(await streamed(new Response("no", { status: 403 })), "service-refused");
  });

  it("opens a body of a request for each try", async () => {
    let opened = 0;
    const body = () => {
      opened++;
      return Promise.resolve(new Response("sent").body!);
    };
    const service = answers(new Response("", { status: 503 }), new Response("ok"));
    await request("ask", URL_, { body }, { fetch: service.fetch, ...waits() });
    equal(opened, 2);
  });
});

describe("jsonAnswer()", () => {
  const read = async (text: string) => {
    const answer = await request("ask", URL_, {}, answers(new Response(text)));
    try {
      return jsonAnswer("ask", answer);
    } catch (error) {
      if (isAttestationError(error)) return error.reason;
      throw error;
    }
  };

  it("reads an object", async () => deepEqual(await read(`{"a":1}`), { a: 1 }));

  for (const text of ["", "[]", "null", "<html>", `{"a":1,"a":2}`, `{"a":"\\ud800"}`, "{"]) {
    it(`refuses ${JSON.stringify(text)}`, async () =>
      equal(await read(text), "malformed-response"));
  }
});
