/** <theme-choice>: takes the theme at once, so that what was typed on the page is not lost. */
class ThemeChoice extends HTMLElement {
  connectedCallback() {
    this.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      const chosen = event.submitter;
      const body = new URLSearchParams(new FormData(form));
      body.set(chosen.name, chosen.value);
      document.documentElement.dataset.theme = chosen.value;
      for (const button of this.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button === chosen));
      }
      fetch(form.action, { method: "POST", body, redirect: "manual" });
    });
  }
}

customElements.define("theme-choice", ThemeChoice);
