/**
 * <reference-drop most="20971520">: a picture or short clip dropped or pasted goes into the form's
 * own file field, and what was chosen is shown. Without this script the fields do it alone.
 */
class ReferenceDrop extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.file = this.form.elements.file;
    this.chosen = this.querySelector("[data-chosen]");
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.toggleAttribute("over", true);
    });
    this.addEventListener("dragleave", () => this.removeAttribute("over"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.removeAttribute("over");
      this.take(event.dataTransfer.files);
    });
    this.pasted = (event) => this.take(event.clipboardData.files);
    addEventListener("paste", this.pasted);
    this.form.addEventListener("change", (event) => {
      if (event.target.type === "file") this.show(event.target);
    });
  }

  disconnectedCallback() {
    removeEventListener("paste", this.pasted);
  }

  take(files) {
    if (!files.length) return;
    const one = new DataTransfer();
    one.items.add(files[0]);
    this.file.files = one.files;
    this.show(this.file);
  }

  show(field) {
    const [taken] = field.files;
    for (const other of this.form.querySelectorAll("input[type=file]")) {
      if (other !== field) other.value = "";
    }
    const isLarge = taken && taken.size > Number(this.getAttribute("most"));
    field.setCustomValidity(isLarge ? this.dataset.large : "");
    const words = this.dataset.taken.replace("{name}", () => taken?.name ?? "");
    this.chosen.textContent = isLarge ? this.dataset.large : taken ? words : "";
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    if (!taken?.type.startsWith("image/") || isLarge) return;
    const picture = new Image();
    picture.alt = "";
    picture.src = this.address = URL.createObjectURL(taken);
    this.chosen.prepend(picture);
  }
}

customElements.define("reference-drop", ReferenceDrop);
