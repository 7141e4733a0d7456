/** <copy-text from="id"><button hidden>…</button></copy-text>: copies that field's text. */
class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    if (!navigator.clipboard || !button) return; // only on a secure page; the field can be selected
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(this.getAttribute("from"));
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      const words = button.querySelector("span");
      const before = words.textContent;
      words.textContent = this.getAttribute("done");
      const ear = document.getElementById("says");
      if (ear) ear.textContent = this.getAttribute("done");
      setTimeout(() => { words.textContent = before; }, 2_000);
    });
  }
}

customElements.define("copy-text", CopyText);
