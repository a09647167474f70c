// The code of an invitation stands behind "#" in its link: no server, log or preview ever sees it.
const code = location.hash.slice(1);
if (code.startsWith("hvi_")) {
  document.querySelector("input[name=code]").value = code;
  history.replaceState(null, "", location.pathname);
  document.querySelector("main button").focus();
  document.querySelector("#by-link").hidden = false;
  document.querySelector("#by-hand").hidden = true;
}
