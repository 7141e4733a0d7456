/**
 * <prompt-words>: examples and known words of a model, put into the prompt at a press.
 *
 * Each button also works as the form's own, which sends the page back with it filled in. Blocks of
 * other models than the chosen one are hidden.
 */
class PromptWords extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.prompt = this.form.elements.prompt;
    this.model = this.form.elements.model;
    this.addEventListener("click", (event) => this.fill(event));
    this.model.addEventListener("change", () => this.show());
    addEventListener("pageshow", () => this.show());
    this.show();
  }

  show() {
    for (const block of this.querySelectorAll("[data-model]")) {
      block.hidden = block.dataset.model !== this.model.value;
    }
  }

  fill(event) {
    const button = event.target.closest("button[name]");
    if (!button) return;
    event.preventDefault();
    const written = this.prompt.value.trimEnd();
    const next = written ? `${written} ${button.value}` : button.value;
    this.prompt.value = button.name === "example" ? button.value : next;
    this.prompt.dispatchEvent(new Event("input", { bubbles: true }));
    // A word may be one of several: the next is beside it. An example is to be read and changed.
    if (button.name === "example") this.prompt.focus();
  }
}

customElements.define("prompt-words", PromptWords);
