/** Shows the page's own sentence when a passkey was refused or the dialogue was closed. */
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const sentence = document.getElementById("passkey-refused");
  if (!sentence) return;
  sentence.hidden = false;
  sentence.scrollIntoView({ block: "nearest" });
});
