/**
 * <job-progress job="job_…" state="running" href="/jobs/job_…">: one job, kept true while one looks.
 *
 * All elements of a page share one event stream. Steps are painted here from sentences that the
 * page brought along (data-denoise and the other stages, data-place, data-left, data-about); a change of state fetches the
 * server's own piece and takes its place. Where the stream is not open, the piece is polled.
 */
const LIVE = new Set(["queued", "running", "held"]);
const elements = new Map();
let stream = null;
let heard = 0;
let timer = 0;

function listen() {
  if (stream || !window.EventSource) return;
  stream = new EventSource("/events");
  stream.addEventListener("job", (event) => {
    heard = Date.now();
    const news = JSON.parse(event.data);
    for (const element of elements.get(news.id) ?? []) element.hear(news);
  });
}

function watch() {
  // Silence is no proof that nothing happened: ask again after 15 s, or at once without a stream.
  const deaf = stream?.readyState !== 1 || Date.now() - heard > 15_000;
  if (!deaf || document.hidden) return;
  heard = Date.now();
  for (const group of elements.values()) for (const element of group) element.refresh();
}

function join(element) {
  const id = element.getAttribute("job");
  if (!elements.has(id)) elements.set(id, new Set());
  elements.get(id).add(element);
  heard ||= Date.now();
  listen();
  timer ||= setInterval(watch, 4_000);
}

function leave(element) {
  const id = element.getAttribute("job");
  elements.get(id)?.delete(element);
  if (!elements.get(id)?.size) elements.delete(id);
  if (elements.size) return;
  stream?.close();
  clearInterval(timer);
  stream = null;
  timer = 0;
}

addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", (event) => { if (event.persisted && elements.size) { listen(); heard = 1; } });

class JobProgress extends HTMLElement {
  connectedCallback() {
    if (LIVE.has(this.getAttribute("state"))) join(this);
  }

  disconnectedCallback() {
    leave(this);
  }

  hear(news) {
    if (news.state !== this.getAttribute("state")) this.refresh();
    else this.paint(news);
  }

  /** A new picture takes the old one's place when it has come whole: no blank, no jump. */
  look(news) {
    const box = document.querySelector(`[data-preview-of="${this.getAttribute("job")}"]`);
    if (!box || news.state !== "running" || Date.now() - (this.looked ?? 0) < 2_000) return;
    this.looked = Date.now();
    const picture = new Image();
    picture.alt = box.dataset.alt;
    picture.addEventListener("load", () => box.querySelector(".picture")?.replaceChildren(picture));
    picture.src = `${box.dataset.preview}?at=${this.looked}`;
  }

  paint(news) {
    if (news.stage === "denoise" && news.step > 0) this.look(news);
    const bar = this.querySelector("progress");
    if (bar && news.steps) {
      bar.max = news.steps;
      bar.value = news.step ?? 0;
    }
    const doing = this.querySelector(".doing");
    if (!doing) return;
    const words = [];
    if (news.state === "running") words.push(this.words(news.stage || "load", news));
    if (news.state === "queued" && news.place) words.push(this.words("place", news));
    if (!words[0]) return;
    if (news.eta_s > 0) words.push(this.about(news));
    doing.textContent = words.join(" ");
    this.quarter(news);
  }

  words(name, values) {
    const text = this.getAttribute(`data-${name}`) ?? "";
    return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
  }

  about(news) {
    const long = news.eta_s >= 90;
    const value = long ? Math.round(news.eta_s / 60) : Math.max(1, Math.round(news.eta_s));
    const unit = long ? "minute" : "second";
    const language = document.documentElement.lang || undefined;
    const unitDisplay = long ? "short" : "long";
    const time = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay }).format(value);
    return this.words(news.state === "queued" ? "about" : "left", { time });
  }

  /** Ears need less than eyes: speak at each quarter, not at each step. */
  quarter(news) {
    if (news.stage !== "denoise" || !news.steps) return;
    const part = Math.floor((4 * (news.step ?? 0)) / news.steps);
    if (this.part !== undefined && part > this.part && part < 4) this.say(this.words("denoise", news));
    this.part = part;
  }

  say(text) {
    const ear = document.getElementById("says");
    if (ear) ear.textContent = text;
  }

  async refresh() {
    if (this.asking) return;
    this.asking = true;
    try {
      const answer = await fetch(this.getAttribute("href"), { headers: { "HX-Request": "true" } });
      if (answer.ok) this.replace(await answer.text());
    } catch {
      // The network is away; the next round asks again, and what stands here stays true enough.
    } finally {
      this.asking = false;
    }
  }

  replace(markup) {
    const page = new DOMParser().parseFromString(markup, "text/html");
    const fresh = page.querySelector("job-progress");
    if (!fresh || !this.isConnected) return;
    const changed = fresh.getAttribute("state") !== this.getAttribute("state");
    const focused = this.contains(document.activeElement);
    if (!changed && focused) return; // do not pull a button from under a finger
    const element = document.adoptNode(fresh);
    this.replaceWith(element);
    window.htmx?.process(element);
    if (focused) element.querySelector("a, button")?.focus();
    if (changed) this.say(element.querySelector(".doing")?.textContent.trim() ?? "");
  }
}

customElements.define("job-progress", JobProgress);
