/**
 * <desk-keys>: single keys for what is inside it, shown on each thing that has one.
 *
 * `data-key="d"` names the key: it presses buttons, links and summaries, chooses radios and goes into
 * fields. Ctrl+Enter presses the verdict; Escape leaves a field. Single keys rest while somebody
 * types and beside other modifiers, and can be switched off for good (WCAG 2.1.4).
 */
const KEPT = "greenroom.desk-keys";
const PLAYER = { k: "play", ",": "back", ".": "on" };
const HELD = [",", "."]; // a key held down goes on through the frames, and does nothing else twice

class DeskKeys extends HTMLElement {
  connectedCallback() {
    const row = this.querySelector("[data-part=switch]");
    this.switch = row?.querySelector("input");
    this.toggleAttribute("on", localStorage.getItem(KEPT) !== "off");
    if (row) {
      row.hidden = false;
      this.switch.checked = this.hasAttribute("on");
      this.switch.addEventListener("change", () => this.keep(this.switch.checked));
    }
    this.listen = (event) => this.key(event);
    document.addEventListener("keydown", this.listen);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listen);
  }

  keep(on) {
    this.toggleAttribute("on", on);
    localStorage.setItem(KEPT, on ? "on" : "off");
  }

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.press(event);
    else if (event.key === "Escape" && this.isTyping(event.target)) event.target.blur();
    else if (this.hasAttribute("on") && !this.isTaken(event)) this.single(event);
  }

  isTaken(event) {
    return event.altKey || event.ctrlKey || event.metaKey || this.isTyping(event.target)
      || (event.repeat && !HELD.includes(event.key));
  }

  isTyping(target) {
    const other = ["radio", "checkbox", "range", "button", "submit"];
    if (target.tagName === "INPUT") return !other.includes(target.type);
    return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
  }

  press(event) {
    const form = this.querySelector("form[data-part=verdict]");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-part=press]"));
  }

  single(event) {
    const key = event.key.toLowerCase();
    const found = [...this.querySelectorAll("[data-key]")].find((one) =>
      one.dataset.key === key && one.checkVisibility());
    const wanted = found ?? this.querySelector(`clip-player [data-part="${PLAYER[key]}"]`);
    if (!wanted) return;
    event.preventDefault();
    if (this.isTyping(wanted) || wanted.type === "radio") wanted.focus();
    if (!this.isTyping(wanted)) wanted.click();
  }
}

customElements.define("desk-keys", DeskKeys);
