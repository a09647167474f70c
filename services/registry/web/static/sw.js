// Keeps the pages of entering at hand where there is no network, and what is sent from them until there is.
importScripts("/static/queue.js");
const OURS = /^\/(enter(\/[a-z0-9._-]+)?|week)$/;
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
self.addEventListener("fetch", (event) => {
  const request = event.request, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  if (request.method === "GET" && address.pathname.startsWith("/static/")) event.respondWith(file(request, address));
  else if (request.mode !== "navigate" || !OURS.test(address.pathname)) return;
  else if (request.method === "GET") event.respondWith(page(request));
  else if (request.method === "POST" && address.pathname !== "/enter/queue") event.respondWith(post(request, address));
});
async function file(request, address) {
  const kept = await caches.open(PAGES), known = await kept.match(request);
  if (known && (address.search.startsWith("?v=") || address.pathname.endsWith(".woff2"))) return known;
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}
async function page(request) {
  const kept = await caches.open(PAGES);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await kept.put(request.url, answer.clone());
    return answer;
  } catch (error) {
    const known = (await kept.match(request.url)) || (await kept.match(request.url, { ignoreSearch: true }));
    if (!known) {
      const waiting = await kept.match("/enter/queue", { ignoreSearch: true });
      if (waiting) return marked(waiting);
      throw error;
    }
    return marked(known);
  }
}
async function marked(answer) {
  const text = (await answer.text()).replace("<html ", "<html data-kept ");
  const headers = new Headers(answer.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(text, { headers });
}
async function post(request, address) {
  const copy = request.clone();
  try {
    const answer = await fetch(request);
    // A server that is being restarted is answered for by what stands before it, and with no page.
    const page = (answer.headers.get("content-type") || "").startsWith("text/html");
    if (![502, 503, 504].includes(answer.status) || (answer.status === 503 && page)) return answer;
    throw new Error(answer.status);
  } catch {
    const body = await copy.text();
    if (!new URLSearchParams(body).get("offline")) {
      for (const client of await clients.matchAll({ type: "window" })) client.postMessage("not-kept");
      return new Response(null, { status: 204 }); // the page stays, with all that is typed
    }
    await queue.keep(address.pathname, body);
    return Response.redirect("/enter/queue", 303);
  }
}
