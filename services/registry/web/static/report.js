// A step that takes seconds says so, and its button cannot be pressed twice. What is typed into a report
// and not saved yet is asked about before the page is left. The page does all its work without this.
let unsaved = false;
document.addEventListener("input", (event) => {
  unsaved ||= event.target.closest(".report-text") !== null;
});
document.addEventListener("submit", (event) => {
  unsaved = false;
  document.querySelector("#working").hidden = false;
  // After the form has been read: a button that is off is not sent with it.
  setTimeout(() => { event.submitter.disabled = true; });
});
addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
addEventListener("pageshow", () => {
  document.querySelector("#working").hidden = true;
  for (const button of document.querySelectorAll("main button:disabled")) button.disabled = false;
});
