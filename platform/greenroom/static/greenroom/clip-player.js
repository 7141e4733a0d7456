/**
 * <clip-player num="24" den="1" frames="96">: a native <video> that knows its frames.
 *
 * Without this script the video has the browser's own controls. Frames are counted from 0; a seek
 * goes to the middle of a frame, (n + ½)·den/num, because a seek to its edge may show either
 * neighbour. `data-frame` on the element is the frame that the browser says it has put on screen.
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
