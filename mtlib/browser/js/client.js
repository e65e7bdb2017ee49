// A model in a thread of its own. WORKER, the thread's script as text, is written in front of this by scripts.py.

export class Thread {
  constructor(model) {
    this.waiting = new Map();
    this.worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })));
    this.worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(result); else reject(new Error(error));
    };
    this.worker.onerror = ({ message }) => this.waiting.forEach(({ reject }) => reject(new Error(message)));
    this.loaded = this.ask("load", { model });
  }

  // A promise of what the thread's `op` gives.
  ask(op, asked) {
    const id = (this.asked = (this.asked || 0) + 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, op, ...asked });
    });
  }
}

// f with the newest arguments only: what is out of date before its turn comes is never run.
export function newestOnly(f) {
  let running = false, next = null;
  return async function go(...given) {
    if (running) { next = given; return; }
    running = true;
    try { await f(...given); } finally {
      running = false;
      if (next) { const newest = next; next = null; go(...newest); }
    }
  };
}

// The model of that name: a script beside this one, loaded when first asked for, since over file:// nothing can be fetched.
const FOLDER = document.currentScript && document.currentScript.src.replace(/[^/]*$/, "");

export function modelFile(name) {
  const models = (window.mtModels ||= {});
  return new Promise((resolve, reject) => {
    if (models[name]) { resolve(models[name]); return; }
    const script = document.createElement("script");
    script.src = `${FOLDER}models/${name}.js`;
    script.onload = () => resolve(models[name]);
    script.onerror = () => reject(new Error(`the model's file, models/${name}.js, could not be loaded`));
    document.head.append(script);
  });
}
