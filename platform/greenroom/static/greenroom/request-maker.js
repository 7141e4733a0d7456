/**
 * <request-maker>: writes the programs below it anew from what is typed into its fields.
 *
 * Without this script the programs stand there with example values, to be selected. The token is
 * never among them: they read it from GREENROOM_TOKEN. core/api/snippets.py writes them first.
 */
class RequestMaker extends HTMLElement {
  connectedCallback() {
    this.fields = this.querySelector("[data-fields]");
    if (!this.fields) return;
    this.fields.hidden = false;
    this.first = new Map([...this.programs()].map((each) => [each, each.textContent]));
    this.addEventListener("input", () => this.write());
  }

  programs() {
    return this.querySelectorAll("[data-language]");
  }

  /** The address and the body as they are typed; the text of each program with them in place. */
  write() {
    const address = this.address();
    const typed = this.querySelector("[data-body]");
    const body = typed ? this.body(typed) : undefined;
    if (typed && body === undefined) return; // half a body: the programs stay as they were
    for (const [program, text] of this.first) {
      const write = WRITERS[program.dataset.language];
      program.textContent = write.body(write.address(text, this.dataset.example, address), body);
    }
  }

  address() {
    let address = this.dataset.template;
    for (const field of this.querySelectorAll("[data-part]")) {
      const value = encodeURIComponent(field.value || field.placeholder);
      address = address.replace(`{${field.dataset.part}}`, value);
    }
    return address;
  }

  body(field) {
    try {
      const value = JSON.parse(field.value);
      field.removeAttribute("aria-invalid");
      return value;
    } catch {
      field.setAttribute("aria-invalid", "true");
      return undefined;
    }
  }
}

const shell = (text) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;

function literal(value, indent = "") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((each) => literal(each, deeper))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${literal(each, deeper)}`);
  if (items.length === 0) return open + close;
  return `${open}\n${items.map((each) => `${deeper}${each},\n`).join("")}${indent}${close}`;
}

/** Replaces what stands between a beginning and an end that are each there once. */
function between(text, begins, ends, value) {
  const from = text.indexOf(begins);
  const to = text.lastIndexOf(ends);
  if (value === undefined || from < 0 || to < from) return text;
  return text.slice(0, from + begins.length) + value + text.slice(to);
}

const anew = (text, before, after) => text.split(before).join(after);

const WRITERS = {
  curl: {
    address: (text, before, after) => anew(text, ` ${shell(before)}`, ` ${shell(after)}`),
    body: (text, body) => {
      if (body === undefined) return text;
      const from = text.indexOf("\n  -d ");
      return from < 0 ? text : `${text.slice(0, from)}\n  -d ${shell(JSON.stringify(body))}`;
    },
  },
  python: {
    address: (text, before, after) => anew(text, JSON.stringify(before), JSON.stringify(after)),
    body: (text, body) =>
      between(text, "json.dumps(", ").encode()\n", body === undefined ? body : literal(body)),
  },
  javascript: {
    address: (text, before, after) => anew(text, JSON.stringify(before), JSON.stringify(after)),
    body: (text, body) => {
      const said = body === undefined ? body : JSON.stringify(body, null, 2).replaceAll("\n", "\n  ");
      return between(text, "JSON.stringify(", "),\n});", said);
    },
  },
};

customElements.define("request-maker", RequestMaker);
