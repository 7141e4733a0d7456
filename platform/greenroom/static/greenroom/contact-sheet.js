/** <contact-sheet tiles="0,4,8" columns="6">: a press on a picture of the sheet goes to its frame. */
class ContactSheet extends HTMLElement {
  connectedCallback() {
    this.tiles = this.getAttribute("tiles").split(",").map(Number);
    this.columns = Number(this.getAttribute("columns")) || 1;
    // For the mouse only: with keys one goes there by the player's own frame field.
    this.addEventListener("click", (event) => this.go(event));
  }

  go(event) {
    const box = this.querySelector("img").getBoundingClientRect();
    const rows = Math.ceil(this.tiles.length / this.columns);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const frame = this.tiles[row * this.columns + column];
    if (frame !== undefined) document.querySelector("clip-player")?.seek(frame);
  }
}

customElements.define("contact-sheet", ContactSheet);
