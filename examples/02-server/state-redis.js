// The same state in Redis, for comparison: what changes several things at once is a script, as Redis recommends. The
// client sends the commands of one turn of the event loop in one piece, as it does by default.
import { createClient, defineScript } from "@redis/client";
import { startRedisServer } from "./redis-server.js";

const rememberMs = 30_000;

export async function start(settings) {
  const server = await startRedisServer();
  return { workerData: { url: server.url, settings }, close: () => server.close() };
}

/** A script whose keys and arguments are all given as strings, and whose result is JSON. */
const script = (keys, SCRIPT) =>
  defineScript({
    NUMBER_OF_KEYS: keys,
    SCRIPT,
    parseCommand(parser, ...words) {
      words.slice(0, keys).forEach(key => {
        parser.pushKey(key);
      });
      parser.push(...words.slice(keys));
    },
    transformReply: JSON.parse,
  });

// Answers for KEYS[1], a request that was done before, what it answered then.
const once = `
  local done = redis.call('GET', KEYS[1])
  if done then return done end
  local function answer(value)
    local text = cjson.encode(value)
    redis.call('SET', KEYS[1], text, 'PX', ${rememberMs})
    return text
  end
`;

const scripts = {
  // KEYS: request, session. ARGV: user, token, ttl.
  login: script(
    2,
    `${once}
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
    return answer({ status = 200, body = { token = ARGV[2] } })`,
  ),
  // KEYS: request, session.
  logout: script(
    2,
    `${once}
    redis.call('DEL', KEYS[2])
    return answer({ status = 200, body = { ok = true } })`,
  ),
  // KEYS: request, session. ARGV: capacity, tokens per second.
  visit: script(
    2,
    `${once}
    local user = redis.call('GET', KEYS[2])
    if not user then return answer({ status = 401, body = { error = 'log in first' } }) end
    local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
    local time = redis.call('TIME')
    local now = time[1] * 1000 + time[2] / 1000
    local bucket = redis.call('HMGET', 'limit:' .. user, 'tokens', 'at')
    local tokens = capacity
    if bucket[1] then tokens = math.min(capacity, bucket[1] + (now - bucket[2]) * rate) end
    if tokens < 1 then
      local wait = math.ceil((1 - tokens) / rate)
      return answer({ status = 429, body = { error = 'too many visits', retryAfterMs = wait } })
    end
    redis.call('HSET', 'limit:' .. user, 'tokens', tokens - 1, 'at', now)
    redis.call('PEXPIRE', 'limit:' .. user, math.ceil(capacity / rate))
    redis.call('INCR', 'visits')
    return answer({ status = 200, body = { visits = redis.call('INCR', 'visits:' .. user) } })`,
  ),
  // KEYS: session.
  profile: script(
    1,
    `local user = redis.call('GET', KEYS[1])
    if not user then return cjson.encode({ status = 401, body = { error = 'log in first' } }) end
    local visits = tonumber(redis.call('GET', 'visits:' .. user) or 0)
    return cjson.encode({ status = 200, body = { user = user, visits = visits } })`,
  ),
};

export async function open({ url, settings }) {
  const client = createClient({ url, scripts });
  client.on("error", error => console.error(`Redis: ${error.message}`));
  await client.connect();
  const { limit, sessionTtlMs } = settings;
  const request = id => `request:${id}`;
  const session = token => `session:${token}`;
  return {
    login: (id, user, token) => client.login(request(id), session(token), user, token, `${sessionTtlMs}`),
    logout: (id, token) => client.logout(request(id), session(token)),
    visit: (id, token) =>
      client.visit(request(id), session(token), `${limit.capacity}`, `${limit.refillPerSecond}`),
    profile: token => client.profile(session(token)),
    total: async () => ({ status: 200, body: { visits: Number((await client.get("visits")) ?? 0) } }),
    // All threads ask the same server, so none shows less than another.
    caughtUp: () => undefined,
    seen: () => -1,
  };
}
