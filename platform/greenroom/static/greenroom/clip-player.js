/**
 * <clip-player num="24" den="1" frames="96">: a native <video> that knows its frames.
 *
 * Without this script the video has the browser's own controls. Frames are counted from 0; a seek
 * goes to the middle of a frame, (n + ½)·den/num, because a seek to its edge may show either
 * neighbour. `data-frame` on the element is the frame that the browser says it has put on screen.
 * A <track> of thumbnails (WebVTT, `picture#xywh=…`) is read when the pointer first comes to the
 * scrubber. A link with `data-swap` plays the other copy of the clip, from the same frame on.
 */
class ClipPlayer extends HTMLElement {
  connectedCallback() {
    if (this.video) return;
    this.video = this.querySelector("video");
    this.num = Number(this.getAttribute("num")) || 24;
    this.den = Number(this.getAttribute("den")) || 1;
    this.last = Math.max(0, Number(this.getAttribute("frames")) - 1);
    this.wanted = null; // the frame a seek under way is going to
    this.at = 0; // the frame from which a step counts
    this.sought = false; // at rest after a seek, not after playing
    this.parts = Object.fromEntries(
      [...this.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
    this.video.controls = false;
    this.video.tabIndex = 0;
    this.parts.bar.hidden = this.parts.scrub.hidden = false;
    if (this.parts.keys) this.parts.keys.hidden = false;
    this.listen();
    this.show(0);
    this.follow();
  }

  listen() {
    const { play, back, on, scrub, frame, rate, loop, full } = this.parts;
    const { video } = this;
    play.addEventListener("click", () => this.toggle());
    video.addEventListener("click", () => this.toggle());
    back.addEventListener("click", () => this.step(-1));
    on.addEventListener("click", () => this.step(1));
    scrub.addEventListener("input", () => this.seek(Number(scrub.value)));
    frame.addEventListener("change", () => this.seek(Number(frame.value)));
    rate.addEventListener("change", () => { video.playbackRate = Number(rate.value); });
    loop.addEventListener("click", () => {
      video.loop = !video.loop;
      loop.setAttribute("aria-pressed", String(video.loop));
    });
    if (this.requestFullscreen) {
      full.addEventListener("click", () =>
        document.fullscreenElement ? document.exitFullscreen() : this.requestFullscreen());
    } else {
      full.hidden = true;
    }
    this.parts.sound?.addEventListener("click", () => {
      video.muted = !video.muted;
      this.parts.sound.setAttribute("aria-pressed", String(!video.muted));
    });
    for (const link of this.querySelectorAll("[data-swap]")) {
      link.addEventListener("click", (event) => this.swap(event, link));
    }
    this.track = video.querySelector("track");
    if (this.track) {
      scrub.addEventListener("pointermove", (event) => this.peek(event));
      scrub.addEventListener("pointerleave", () => this.thumb?.remove());
    }
    video.addEventListener("play", () => this.playing(true));
    video.addEventListener("pause", () => this.playing(false));
    video.addEventListener("seeked", () => this.arrived());
    this.addEventListener("keydown", (event) => this.key(event));
  }

  /** What is on screen, from the browser where it tells, else from the clock. */
  follow() {
    if (this.video.requestVideoFrameCallback) {
      const seen = (_now, picture) => {
        this.show(Math.round((picture.mediaTime * this.num) / this.den));
        this.video.requestVideoFrameCallback(seen);
      };
      this.video.requestVideoFrameCallback(seen);
    } else {
      this.video.addEventListener("timeupdate", () =>
        this.show(Math.floor((this.video.currentTime * this.num) / this.den + 1e-3)));
    }
  }

  show(frame) {
    const shown = Math.min(Math.max(frame, 0), this.last);
    if (!this.sought) this.at = shown;
    if (this.dataset.frame === String(shown)) return;
    this.dataset.frame = String(shown);
    const waiting = this.wanted ?? shown;
    this.parts.scrub.value = String(waiting);
    this.parts.time.value = this.code(shown);
    if (document.activeElement !== this.parts.frame) this.parts.frame.value = String(shown);
    this.dispatchEvent(new CustomEvent("frame", { detail: shown, bubbles: true }));
  }

  /** Minutes, seconds and frame within the second, as editors write it (no frames dropped). */
  code(frame) {
    const base = Math.max(1, Math.round(this.num / this.den));
    const two = (value) => String(value).padStart(2, "0");
    const seconds = Math.floor(frame / base);
    return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}:${two(frame % base)}`;
  }

  seek(frame) {
    if (!Number.isFinite(frame)) return;
    this.video.pause();
    this.sought = true;
    this.wanted = Math.min(Math.max(Math.round(frame), 0), this.last);
    this.parts.scrub.value = String(this.wanted);
    if (!this.video.seeking) this.video.currentTime = this.middle(this.wanted);
  }

  middle(frame) {
    return ((frame + 0.5) * this.den) / this.num;
  }

  /** A held key asks for frames faster than they arrive: go on to the newest wish only. */
  arrived() {
    if (this.wanted === null) return;
    const there = Math.floor((this.video.currentTime * this.num) / this.den + 1e-6);
    if (there === this.wanted) {
      // The picture may be told of later than this: a step in between counts from here.
      this.at = there;
      this.wanted = null;
      if (!this.video.requestVideoFrameCallback) this.show(there);
    } else {
      this.video.currentTime = this.middle(this.wanted);
    }
  }

  step(by) {
    this.seek((this.wanted ?? this.at) + by);
  }

  toggle() {
    this.wanted = null;
    if (this.video.paused) this.video.play();
    else this.video.pause();
  }

  /** The same frame of the other copy; its line takes the place of this one's. */
  swap(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const at = this.wanted ?? this.at;
    const { light, master } = this.parts;
    light.hidden = !light.hidden;
    master.hidden = !light.hidden;
    (light.hidden ? master : light).querySelector("a").focus();
    this.wanted = null;
    this.video.addEventListener("loadedmetadata", () => this.seek(at), { once: true });
    this.video.src = link.href;
  }

  /** The picture of the contact sheet at the pointer, above the scrubber. */
  async peek(event) {
    const { scrub } = this.parts;
    const box = scrub.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const time = this.middle(Math.round(share * this.last));
    this.peeked = time;
    this.cues ??= this.read();
    const cue = [...await this.cues].find((one) => one.startTime <= time && time < one.endTime);
    if (!cue || this.peeked !== time || !scrub.matches(":hover")) return;
    const [name, place] = cue.text.split("#xywh=");
    const [x, y, width, height] = place.split(",").map(Number);
    this.sheets ??= {};
    const sheet = await (this.sheets[name] ??= this.picture(new URL(name, this.track.src).href));
    if (!sheet || this.peeked !== time) return;
    this.thumb ??= Object.assign(document.createElement("canvas"), { className: "thumb" });
    Object.assign(this.thumb, { width, height });
    this.thumb.getContext("2d").drawImage(sheet, x, y, width, height, 0, 0, width, height);
    this.thumb.dataset.time = String(cue.startTime);
    const left = scrub.offsetLeft + share * scrub.offsetWidth - width / 2;
    const most = scrub.offsetLeft + scrub.offsetWidth - width;
    this.thumb.style.left = `${Math.max(scrub.offsetLeft, Math.min(left, most))}px`;
    this.thumb.style.top = `${scrub.offsetTop - height - 4}px`;
    if (!this.thumb.isConnected) this.append(this.thumb);
  }

  read() {
    return new Promise((done) => {
      this.track.addEventListener("load", () => done(this.track.track.cues));
      this.track.addEventListener("error", () => done([]));
      this.track.track.mode = "hidden"; // only now is it fetched
    });
  }

  picture(address) {
    return new Promise((done) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => done(null);
      image.src = address;
    });
  }

  playing(is) {
    if (is) this.sought = false;
    this.toggleAttribute("playing", is);
    const { play } = this.parts;
    play.setAttribute("aria-label", is ? play.dataset.pause : play.dataset.play);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target === this.parts.frame || event.target.tagName === "SELECT";
    const deeds = { ArrowLeft: -1, ArrowRight: 1, ",": -1, ".": 1 };
    if (typing) return;
    if (event.key in deeds) {
      event.preventDefault();
      this.step(deeds[event.key]);
    } else if (event.key === " " && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      this.toggle();
    }
  }
}

customElements.define("clip-player", ClipPlayer);
