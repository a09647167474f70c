// Activities that wait for a network: kept in this browser, encrypted, sent again when it is back.
// Read by the pages (offline.js) and by the service worker (sw.js). An entry keeps the id of its form, so
// that sending it twice is one activity.
const PAGES = "hocvuso-pages";
const queue = (() => {
  const open = () => new Promise((done, fail) => {
    const asked = indexedDB.open("hocvuso", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("keys");
      asked.result.createObjectStore("entries", { keyPath: "id" });
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const run = async (store, mode, act) => {
    const database = await open();
    try {
      return await new Promise((done, fail) => {
        const change = database.transaction(store, mode);
        const asked = act(change.objectStore(store));
        change.oncomplete = () => done(asked.result);
        change.onabort = () => fail(change.error);
      });
    } finally {
      database.close();
    }
  };
  // A key that no script can read out, and that goes with everything else when somebody signs out.
  const key = async () => {
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    await run("keys", "readwrite", (store) => store.add(made, "box")).catch(() => {});
    return run("keys", "readonly", (store) => store.get("box"));
  };
  const seal = async (content) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(content));
    return { iv, box: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), text) };
  };
  const unseal = async (entry) => {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: entry.iv }, await key(), entry.box);
    return { ...JSON.parse(new TextDecoder().decode(text)), id: entry.id, at: entry.at, state: entry.state };
  };
  const put = async (owner, id, state, at, content) => {
    const entry = { id, owner, state, at, ...(await seal(content)) };
    await run("entries", "readwrite", (store) => store.put(entry));
  };
  const all = async (owner) => {
    const found = (await run("entries", "readonly", (store) => store.getAll())) || [];
    const own = found.filter((entry) => entry.owner === owner).sort((a, b) => a.at - b.at);
    return Promise.all(own.map(unseal));
  };
  const drop = (id) => run("entries", "readwrite", (store) => store.delete(id));
  // What "today" means is settled when it is written, not when it is sent.
  const dated = (body) => {
    const form = new URLSearchParams(body), when = form.get("when");
    if (when === "today" || when === "yesterday") {
      const at = Date.now() - (when === "yesterday" ? 864e5 : 0);
      form.set("when", "other");
      form.set("day", new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Ho_Chi_Minh" }).format(at));
    }
    return form;
  };
  const keep = async (action, body) => {
    const form = dated(body), owner = form.get("offline");
    await put(owner, form.get("id"), "waiting", Date.now(), { action, body: form.toString(), why: [] });
  };
  const reasons = (text) => {
    const found = [...text.matchAll(/<(?:p class="fault"|li data-fault)[^>]*>([^<]+)</g)].map((one) => one[1]);
    const alert = /class="error" role="alert">\s*<p>(?:<strong>[^<]*<\/strong>)?([^<]+)/.exec(text);
    return found.length ? found : alert ? [alert[1].trim()] : [];
  };
  // Sends what waits; "signin" when nobody is signed in, "away" when there is no network.
  const send = (owner) => navigator.locks.request("hocvuso-send", async () => {
    let sent = 0;
    for (const entry of await all(owner)) {
      if (entry.state !== "waiting") continue;
      let answer, text;
      try {
        answer = await fetch(entry.action, {
          method: "POST", body: entry.body, redirect: "manual",
          headers: { "Content-Type": "application/x-www-form-urlencoded" },
        });
        text = await answer.text();
      } catch {
        return { sent, state: "away" };
      }
      if (answer.ok && text.includes("data-entered=")) {
        await drop(entry.id);
        sent += 1;
      } else if (answer.status === 401 || answer.type === "opaqueredirect" || text.includes('href="/confirm?next=')) {
        return { sent, state: "signin" };
      } else if (answer.status === 429 || answer.status >= 500) {
        return { sent, state: "away" };
      } else {
        await put(owner, entry.id, "refused", entry.at, { action: entry.action, body: entry.body, why: reasons(text) });
      }
    }
    return { sent, state: "done" };
  });
  return { all, drop, keep, send };
})();
