/**
 * <sprite-scrub src="…" tiles="24" columns="6">: run through a clip without opening it.
 *
 * Moving the mouse over the picture, or the arrow keys on its link, draws one tile of the sprite
 * sheet over the poster. The sheet is fetched at the first such wish. Without `columns` the sheet
 * is one row.
 */
class SpriteScrub extends HTMLElement {
  connectedCallback() {
    if (this.card) return;
    this.card = this.closest(".clip") ?? this;
    this.tiles = Math.max(1, Number(this.getAttribute("tiles")) || 1);
    this.columns = Number(this.getAttribute("columns")) || this.tiles;
    this.at = -1;
    this.addEventListener("pointermove", (event) => this.hover(event));
    this.card.addEventListener("pointermove", (event) => this.hover(event));
    this.card.addEventListener("pointerleave", () => this.clear());
    this.card.addEventListener("focusout", () => this.clear());
    this.card.addEventListener("keydown", (event) => this.key(event));
  }

  hover(event) {
    if (event.pointerType === "touch") return; // a finger is scrolling the page
    const box = this.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    this.draw(Math.min(this.tiles - 1, Math.max(0, Math.floor(share * this.tiles))));
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.draw(Math.min(this.tiles - 1, Math.max(0, this.at + by)));
  }

  async draw(tile) {
    if (tile === this.at) return;
    this.at = tile;
    const sheet = await this.sheet();
    if (!sheet || this.at !== tile) return;
    const rows = Math.ceil(this.tiles / this.columns);
    const width = sheet.naturalWidth / this.columns;
    const height = sheet.naturalHeight / rows;
    this.canvas ??= document.createElement("canvas");
    this.canvas.width = width;
    this.canvas.height = height;
    const brush = this.canvas.getContext("2d");
    const left = (tile % this.columns) * width;
    const top = Math.floor(tile / this.columns) * height;
    brush.drawImage(sheet, left, top, width, height, 0, 0, width, height);
    brush.fillStyle = "#5cbf79";
    brush.fillRect(0, height - 2, (width * (tile + 1)) / this.tiles, 2);
    if (!this.canvas.isConnected) this.querySelector("img").after(this.canvas);
  }

  clear() {
    this.at = -1;
    this.canvas?.remove();
  }

  sheet() {
    this.loading ??= new Promise((done) => {
      const image = new Image();
      image.onload = () => done(image);
      image.onerror = () => done(null);
      image.src = this.getAttribute("src");
    });
    return this.loading;
  }
}

customElements.define("sprite-scrub", SpriteScrub);
