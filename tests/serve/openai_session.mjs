// A scripted session of the official client: list, chat, stream, stop, seed, errors.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({baseURL: process.argv[2], apiKey: "none", maxRetries: 0});
const messages = [{role: "system", content: "Be brief."}, {role: "user", content: "Hello!"}];
const ask = (more) => client.chat.completions.create({model: "fake", messages, ...more});
const rejected = async (promise, kind, status, param) => {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name} is no ${kind.name}`);
    assert.equal(error.status, status);
    assert.equal(typeof error.error.message, "string");
    if (param) assert.equal(error.param, param);
    return true;
  });
};

const models = [];
for await (const model of client.models.list()) models.push(model.id);
assert.deepEqual(models, ["fake"]);
assert.equal((await client.models.retrieve("fake")).id, "fake");

const chat = await ask({temperature: 0, max_tokens: 12});
assert.equal(chat.object, "chat.completion");
assert.equal(chat.choices[0].message.role, "assistant");
assert.equal(chat.choices[0].message.content.length, 12);
assert.equal(chat.choices[0].finish_reason, "length");
assert.equal(chat.usage.completion_tokens, 12);

let text = "", last, usage;
const stream = await ask({temperature: 0, max_tokens: 12, stream: true,
  stream_options: {include_usage: true}});
for await (const chunk of stream) {
  if (chunk.usage) usage = chunk.usage;
  if (!chunk.choices.length) continue;
  text += chunk.choices[0].delta.content ?? "";
  last = chunk.choices[0].finish_reason ?? last;
}
assert.equal(text, chat.choices[0].message.content);
assert.equal(last, "length");
assert.equal(usage.completion_tokens, 12);

const helper = client.beta.chat.completions.stream({model: "fake", messages, temperature: 0,
  max_tokens: 12});
assert.equal((await helper.finalChatCompletion()).choices[0].message.content, text);

const long = await ask({stream: true, max_tokens: 400});
let seen = 0;
for await (const chunk of long) {
  if (++seen === 5) break;  // aborts the request
}
assert.equal(seen, 5);

const stop = text.slice(5, 8);
const stopped = await ask({temperature: 0, max_tokens: 12, stop: [stop]});
assert.equal(stopped.choices[0].message.content, text.slice(0, text.indexOf(stop)));
assert.equal(stopped.choices[0].finish_reason, "stop");

const seeded = async (seed) => (await ask({temperature: 1.3, seed, max_tokens: 30, n: 2}))
  .choices.map((choice) => choice.message.content);
assert.deepEqual(await seeded(42), await seeded(42));
assert.notDeepEqual(await seeded(42), await seeded(43));

const logprobs = await ask({logprobs: true, top_logprobs: 2, max_tokens: 3});
assert.equal(logprobs.choices[0].logprobs.content.length, 3);
assert.equal(logprobs.choices[0].logprobs.content[0].top_logprobs.length, 2);

const completion = await client.completions.create({model: "fake", prompt: "Once", max_tokens: 5,
  echo: true, temperature: 0});
assert.ok(completion.choices[0].text.startsWith("Once"));

await rejected(ask({temperature: 9}), OpenAI.BadRequestError, 400, "temperature");
await rejected(ask({model: "gpt-4"}), OpenAI.NotFoundError, 404, "model");
await rejected(ask({colour: "red"}), OpenAI.BadRequestError, 400, "colour");
await rejected(client.embeddings.create({model: "fake", input: "x"}), OpenAI.NotFoundError, 404);

console.log("openai client session: all good");
