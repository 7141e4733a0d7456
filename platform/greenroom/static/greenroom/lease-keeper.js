/**
 * <lease-keeper left="600">: keeps a case while its reviewer looks at it, and says when it is lost.
 *
 * Once a minute the form inside is sent, if the page was used since and is visible: whoever walks
 * away gives the case back. Time is counted from what the server said was left, never from the
 * machine's own clock.
 */
const EVERY_MS = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel"];

class LeaseKeeper extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.querySelector("[data-part=keep]").hidden = true;
    this.begin(Number(this.getAttribute("left")));
    this.used = true;
    this.sign = () => { this.used = true; };
    for (const name of SIGNS) addEventListener(name, this.sign, { passive: true });
    document.addEventListener("timeupdate", this.sign, { capture: true });
    this.renewing = setInterval(() => this.renew(), EVERY_MS);
    this.telling = setInterval(() => this.tell(), 5_000);
  }

  disconnectedCallback() {
    for (const name of SIGNS) removeEventListener(name, this.sign);
    document.removeEventListener("timeupdate", this.sign, { capture: true });
    clearInterval(this.renewing);
    clearInterval(this.telling);
  }

  begin(left) {
    this.until = performance.now() + left * 1000;
    this.warned = false;
    this.tell();
  }

  get left() {
    return Math.max(0, Math.floor((this.until - performance.now()) / 1000));
  }

  tell() {
    const minutes = Math.floor(this.left / 60);
    const words = minutes > 1 ? this.dataset.many : minutes ? this.dataset.one : this.dataset.none;
    const place = this.querySelector("[data-part=left]");
    const text = words.replace("{left}", minutes);
    if (place.textContent !== text) place.textContent = text;
    if (this.left < 120 && !this.warned) {
      this.warned = true;
      this.say(this.dataset.soon);
    }
  }

  async renew() {
    if (!this.used || document.visibilityState !== "visible") return;
    this.used = false;
    const body = new URLSearchParams(new FormData(this.form));
    try {
      const answer = await fetch(this.form.action, {
        method: "POST", body, headers: { "HX-Request": "true" }, redirect: "error",
      });
      if (answer.ok) this.renewed(await answer.text());
      else if (answer.status === 409 || answer.status === 404) this.lose();
    } catch {
      // The network is away: the next minute asks again, and the lease lasts ten.
    }
  }

  renewed(markup) {
    const fresh = new DOMParser().parseFromString(markup, "text/html").querySelector("lease-keeper");
    if (fresh) this.begin(Number(fresh.getAttribute("left")));
  }

  lose() {
    clearInterval(this.renewing);
    clearInterval(this.telling);
    this.form.hidden = true;
    this.querySelector("[data-part=lost]").hidden = false;
    this.say(this.dataset.lost);
  }

  say(text) {
    const ear = document.getElementById("says");
    if (ear) ear.textContent = text;
  }
}

customElements.define("lease-keeper", LeaseKeeper);
