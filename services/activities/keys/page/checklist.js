"use strict";
// The key lives in this variable and nowhere else: no storage, no address, no attribute of the page.
let key = null;
let language = "vi";
let last = null;
let timer = 0;
const EVERY_MS = 3000;
const TEXT = {
  vi: {
    title: "Kết nối của đối tác, từng bước",
    lead: "Dán khóa vào ô dưới đây. Trang chỉ giữ khóa trong bộ nhớ, không lưu, không đưa vào địa chỉ, và quên khi bạn đóng trang.",
    label: "Khóa (hv_…)", show: "Kiểm tra", forget: "Quên khóa", other: "English",
    done: "Xong", todo: "Chưa", unknown: "Chưa rõ",
    progress: (d) => `${d.partner}: ${d.done}/${d.of} bước đã xong.`,
    away: "Máy chủ không trả lời; đang thử lại.",
  },
  en: {
    title: "A partner's connection, step by step",
    lead: "Paste the key below. The page keeps it in memory only: it is not stored, never part of an address, and forgotten when you close the page.",
    label: "Key (hv_…)", show: "Check", forget: "Forget the key", other: "Tiếng Việt",
    done: "Done", todo: "To do", unknown: "Unknown",
    progress: (d) => `${d.partner}: ${d.done} of ${d.of} steps done.`,
    away: "The server does not answer; trying again.",
  },
};
const at = (id) => document.getElementById(id);

function say(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
  if (id === "error") element.hidden = !text;
}

function part(parent, name, text, className) {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  parent.append(element);
  return element;
}

function show() {
  const words = TEXT[language];
  document.documentElement.lang = language;
  document.title = words.title;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words[element.dataset.text];
  }
  at("language").textContent = words.other;
  at("language").lang = language === "vi" ? "en" : "vi";
  at("forget").hidden = key === null;
  say("status", last ? words.progress(last) : "");
  const items = (last ? last.steps : []).map((step) => {
    const item = document.createElement("li");
    item.className = step.state;
    item.dataset.step = step.id;
    const head = part(item, "h2", "");
    part(head, "span", words[step.state], "mark");
    head.append(language === "vi" ? step.title_vi : step.title);
    const detail = language === "vi" ? step.detail_vi : step.detail;
    if (detail) part(item, "p", detail);
    if (step.at) part(item, "p", new Date(step.at).toLocaleString(language));
    if (step.curl) part(item, "pre", step.curl).tabIndex = 0;
    return item;
  });
  at("steps").replaceChildren(...items);
}

async function look() {
  clearTimeout(timer);
  const asked = key;
  if (asked === null) return;
  let again = true;
  try {
    const answer = await fetch("/v1/checklist", {
      headers: { Authorization: `Bearer ${asked}` },
      cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
    });
    const body = await answer.json();
    if (asked !== key) return;
    if (answer.ok) {
      last = body;
      say("error", "");
      again = body.done < body.of;
    } else {
      say("error", `${body.code}: ${body.detail} ${body.hint || ""}`.trim());
      if (answer.status === 401 || answer.status === 403) { forget(false); again = false; }
    }
  } catch {
    say("error", TEXT[language].away);
  }
  show();
  if (again && key !== null) timer = setTimeout(look, document.hidden ? 10 * EVERY_MS : EVERY_MS);
}

function forget(quiet) {
  key = null;
  last = null;
  clearTimeout(timer);
  at("key").value = "";
  if (quiet) say("error", "");
  show();
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  at("key").value = "";
  last = null;
  say("error", "");
  look();
});
at("forget").addEventListener("click", () => { forget(true); at("key").focus(); });
at("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; show(); });
window.addEventListener("pagehide", () => forget(true));
