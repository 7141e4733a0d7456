/**
 * <evidence-taker>: takes the frame on screen, or the selected words of the prompt, into the form.
 *
 * `data-take="from|to|quote"` on a button says what it takes. A first frame alone is a range of one.
 */
class EvidenceTaker extends HTMLElement {
  connectedCallback() {
    this.from = this.querySelector("[data-frame=from]");
    this.to = this.querySelector("[data-frame=to]");
    this.quote = this.querySelector("[data-quote]");
    for (const button of this.querySelectorAll("[data-take]")) {
      const what = button.dataset.take;
      button.hidden = what !== "quote" && !this.player();
      // The press of a mouse would take the selection away before it was read.
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => what === "quote" ? this.words() : this.frame(what));
    }
  }

  player() {
    return document.querySelector("clip-player");
  }

  frame(what) {
    const frame = this.player()?.dataset.frame ?? "0";
    const [taken, other] = what === "from" ? [this.from, this.to] : [this.to, this.from];
    taken.value = frame;
    const isBehind = Number(this.from.value) > Number(this.to.value);
    if (!other.value || isBehind) other.value = frame;
    this.say(`${this.from.value}–${this.to.value}`);
  }

  words() {
    const prompt = document.getElementById("prompt");
    const chosen = document.getSelection();
    const isOfPrompt = chosen.rangeCount && prompt.contains(chosen.anchorNode)
      && prompt.contains(chosen.focusNode);
    const text = isOfPrompt ? chosen.toString().trim() : "";
    if (!text) return;
    this.quote.value = text;
    this.say(text);
  }

  say(text) {
    const ear = document.getElementById("says");
    if (ear) ear.textContent = text;
  }
}

customElements.define("evidence-taker", EvidenceTaker);
