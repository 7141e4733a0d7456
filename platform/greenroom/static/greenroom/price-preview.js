/**
 * <price-preview href="/clips/new/price">: the price of what the form asks for, while one types.
 *
 * The server computes it, by the same rule that charges. The piece carries the price as a hidden
 * field, so a form sent before the newest price arrived cannot charge a sum that was not shown.
 * Without this script the form's own "Show price" button does the same.
 */
class PricePreview extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.asked = this.question();
    this.form.addEventListener("input", () => this.soon(250));
    this.form.addEventListener("change", () => this.soon(0));
    addEventListener("pageshow", (event) => {
      // The browser may have put back what was typed before.
      const way = performance.getEntriesByType("navigation")[0]?.type;
      if (!event.persisted && way !== "reload" && way !== "back_forward") return;
      this.asked = null;
      this.soon(0);
    });
  }

  soon(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), delay);
  }

  /**
   * What the answer hangs on: not the price that is shown already, and the words only where the
   * model knows some and not others, of which it then tells.
   */
  question() {
    const said = new URLSearchParams(new FormData(this.form));
    for (const other of ["shown_credits", "csrfmiddlewaretoken"]) said.delete(other);
    if (!this.querySelector("[data-words]")) said.delete("prompt");
    return said.toString();
  }

  async ask() {
    const question = this.question();
    if (question === this.asked) return;
    this.asked = question;
    this.request?.abort();
    const request = (this.request = new AbortController());
    this.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(this.getAttribute("href"), {
        method: "POST",
        body: new URLSearchParams(new FormData(this.form)),
        headers: { "HX-Request": "true" },
        signal: request.signal,
      });
      const markup = await answer.text();
      const page = new DOMParser().parseFromString(markup, "text/html");
      const piece = page.querySelector(".price");
      if (!piece) throw new Error(`no price, status ${answer.status}`);
      // While one types, most answers are what stands there already.
      if (!piece.isEqualNode(this.querySelector(".price"))) {
        this.replaceChildren(document.adoptNode(piece));
      }
      this.follow(page);
      this.removeAttribute("stale");
    } catch (error) {
      if (error.name === "AbortError") return;
      this.asked = null;
      this.setAttribute("stale", "");
    }
    if (this.request === request) this.removeAttribute("aria-busy");
  }

  /** What hangs on the model is replaced when the model is another, so that what one typed stays. */
  follow(page) {
    for (const piece of page.querySelectorAll("[data-of-model]")) {
      const here = document.getElementById(piece.id);
      if (!here || here.dataset.ofModel === piece.dataset.ofModel) continue;
      here.replaceWith(document.adoptNode(piece));
    }
  }
}

customElements.define("price-preview", PricePreview);
