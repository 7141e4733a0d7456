/**
 * <verdict-clock left="9.4">: counts down the seconds in which a verdict can be taken back.
 *
 * The eyes see each second; the ears hear only that the time is over. Counted from what the server
 * said was left. Without this script the page says when it takes effect.
 */
class VerdictClock extends HTMLElement {
  connectedCallback() {
    if (!this.querySelector("[data-part=back]")) return;
    this.until = performance.now() + Number(this.getAttribute("left")) * 1000;
    this.ticking = setInterval(() => this.tick(), 250);
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.ticking);
  }

  tick() {
    const left = Math.ceil((this.until - performance.now()) / 1000);
    const place = this.querySelector("[data-part=left]");
    if (left <= 0) {
      this.end(place);
      return;
    }
    const words = left === 1 ? this.dataset.one : this.dataset.many;
    place.textContent = words.replace("{left}", left);
  }

  end(place) {
    clearInterval(this.ticking);
    const back = this.querySelector("[data-part=back]");
    const focused = back.contains(document.activeElement);
    back.hidden = true;
    place.textContent = "";
    this.querySelector("[data-part=effect]").textContent = this.dataset.over;
    if (focused) document.getElementById("main")?.focus();
    const ear = document.getElementById("says");
    if (ear) ear.textContent = this.dataset.over;
  }
}

customElements.define("verdict-clock", VerdictClock);
