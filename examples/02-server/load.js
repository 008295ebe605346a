import autocannon from "autocannon";

/** Loads a server from a thread of its own, by so many requests or seconds. `requests` are taken in turn. */
export async function load({ url, connections, requests, ...amountOrDuration }) {
  const result = await autocannon({
    url,
    connections,
    requests,
    workers: 1,
    timeout: 20,
    ...amountOrDuration,
  });
  const statuses = Object.fromEntries(
    Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, count]),
  );
  const { errors, timeouts, resets } = result;
  return { statuses, errors, timeouts, resets, requests: result.requests, latency: result.latency };
}

async function post(url, body, headers = {}) {
  const options = { method: "POST", headers: { "content-type": "application/json", ...headers } };
  const response = await fetch(url, { ...options, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Logs users in; resolves with what the requests of each need. */
export async function logIn(url, users) {
  const sessions = users.map(async user => {
    const { token } = await post(`${url}/login`, { user });
    return { authorization: `Bearer ${token}` };
  });
  return Promise.all(sessions);
}

export const visitsOf = sessions => sessions.map(headers => ({ method: "POST", path: "/visits", headers }));
export const profilesOf = sessions => sessions.map(headers => ({ method: "GET", path: "/me", headers }));
