// Pages of entering where the network comes and goes: says what waits, sends it, lets it be mended.
const root = document.querySelector("[data-owner]");
if (root && root.dataset.owner && window.isSecureContext && "serviceWorker" in navigator && navigator.locks) offline(root.dataset.owner);
async function offline(owner) {
  const show = (name, on = true) => document.querySelectorAll(`[data-offline=${name}]`).forEach((one) => { one.hidden = !on; });
  if (localStorage.getItem("hocvuso-owner") !== owner) {
    // Somebody else used this browser: their pages go, what they have not sent waits for them.
    await caches.delete(PAGES);
    localStorage.setItem("hocvuso-owner", owner);
  }
  const form = document.querySelector("form.entry");
  const asked = location.hash.startsWith("#q=") ? location.hash.slice(3) : "";
  if (document.documentElement.hasAttribute("data-kept")) {
    show("away");
    if (form && form.elements.id && !asked) form.elements.id.value = crypto.randomUUID();
  }
  if (form && asked) fill(form, (await queue.all(owner)).find((one) => one.id === asked));
  navigator.serviceWorker.addEventListener("message", (event) => {
    if (event.data === "not-kept") { show("not-kept"); document.querySelector("[data-offline=not-kept]").focus(); }
  });
  const entered = document.querySelector("[data-entered]");
  if (entered) await queue.drop(entered.dataset.entered);
  const out = document.querySelector("form[action='/logout']");
  let waiting = 0;
  if (out) out.addEventListener("submit", (event) => {
    const words = root.dataset.lost;
    if (waiting && !confirm(words.replace("{n}", waiting))) event.preventDefault();
  });
  const draw = async () => {
    const entries = await queue.all(owner);
    waiting = entries.length;
    show("waiting", waiting > 0);
    show("sendable", entries.some((one) => one.state === "waiting"));
    document.querySelectorAll("[data-offline=count]").forEach((one) => { one.textContent = waiting; });
    const list = document.querySelector("#queue");
    if (list) { list.replaceChildren(...entries.map(row)); show("empty", !waiting); }
  };
  const send = async () => {
    const before = (await queue.all(owner)).length;
    if (!before) return draw();
    const told = await queue.send(owner);
    if (told.state !== "away") show("away", document.documentElement.hasAttribute("data-kept") && told.state !== "done");
    show("signin", told.state === "signin");
    show("unsent", told.state === "away");
    show("sent", told.sent > 0);
    await draw();
  };
  const row = (entry) => {
    const line = document.querySelector("#entry").content.cloneNode(true), body = new URLSearchParams(entry.body);
    const type = entry.action.split("/").pop();
    const named = document.querySelector("#titles").content.querySelector(`[data-type="${CSS.escape(type)}"]`);
    line.querySelector("strong").textContent = named ? named.textContent : type;
    const unit = document.querySelector("#titles").content.querySelector(`[data-unit="${CSS.escape(body.get("unit"))}"]`);
    const day = (body.get("day") || "").split("-").reverse().join("/");
    const figure = named && body.get(named.dataset.figure);
    const people = document.querySelector("#titles").content.querySelector("[data-people]").textContent;
    line.querySelector(".about").textContent = [figure && `${figure} ${people}`, unit ? unit.textContent : body.get("unit"), day].filter(Boolean).join(", ");
    line.querySelector(".why").textContent = entry.why.join(" ");
    line.querySelector("[data-state=waiting]").hidden = entry.state !== "waiting";
    line.querySelector("[data-state=refused]").hidden = entry.state !== "refused";
    const name = line.querySelector("strong").textContent;
    const edit = line.querySelector("a"), remove = line.querySelector("button");
    edit.href = `${entry.action}#q=${entry.id}`;
    edit.setAttribute("aria-label", `${edit.textContent}: ${name}`);
    remove.setAttribute("aria-label", `${remove.textContent}: ${name}`);
    remove.addEventListener("click", async () => { await queue.drop(entry.id); await draw(); });
    return line;
  };
  await draw();
  const now = document.querySelector("#send-now");
  if (now) now.addEventListener("click", send);
  addEventListener("online", send);
  setInterval(() => { if (waiting) send(); }, 30000);
  await navigator.serviceWorker.register("/static/sw.js", { scope: "/" });
  await navigator.serviceWorker.ready;
  if (!document.documentElement.hasAttribute("data-kept")) {
    await send();
    const files = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon]")].map((one) => one.href);
    const scripts = [...document.querySelectorAll("script[src]")].map((one) => one.src);
    await fetchAhead(["/enter/queue", ...files, ...scripts]);
    const forms = [...document.querySelectorAll("main a[href^='/enter/']")].map((one) => one.href.split("#")[0]);
    setTimeout(() => fetchAhead([location.href.split("#")[0], "/enter", ...[...new Set(forms)].slice(0, 8)]), 5000);
  }
  root.dataset.ready = "1";
}
function fill(form, entry) {
  if (!entry) return;
  const body = new URLSearchParams(entry.body);
  for (const one of form.elements) {
    if (!one.name || one.name === "offline") continue;
    if (one.type === "radio" || one.type === "checkbox") one.checked = body.getAll(one.name).includes(one.value);
    else if (body.has(one.name)) one.value = body.get(one.name);
  }
  for (const more of form.querySelectorAll("details")) more.open = true;
}
// What opens without a network too: what waits at once, this page and the forms that its unit needs a while later.
async function fetchAhead(addresses) {
  const kept = await caches.open(PAGES);
  for (const address of addresses) {
    try {
      if (!(await kept.match(address))) {
        const answer = await fetch(address);
        if (answer.ok && !answer.redirected) await kept.put(address, answer);
      }
    } catch { return; }
  }
}
