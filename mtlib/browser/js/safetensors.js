// A .safetensors file: eight bytes that say how long the header is, the header as JSON, the numbers.
// Returns {name: {shape, data}}, the data as Float32Array whatever the file's own precision.

export function readSafetensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const bytes = buffer.slice(8 + length + from, 8 + length + to);
    if (dtype === "F16") tensors[name] = { shape, data: Float32Array.from(new Uint16Array(bytes), half) };
    else if (dtype === "F32") tensors[name] = { shape, data: new Float32Array(bytes) };
    else throw new Error(`${name} is ${dtype}; only F16 and F32 are read`);
  }
  return tensors;
}

// Half precision: a sign, five bits of exponent, ten of fraction. Every half is a float32 exactly.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Weights travel in a script as base64 text: over file:// a page may fetch nothing.
export function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes.buffer;
}

// The weight and the bias of one module, as nn.Linear and LayerNorm name them.
export function parametersOf(tensors, path) {
  const weight = tensors[`${path}.weight`];
  if (!weight) throw new Error(`the file holds no ${path}.weight`);
  return { weight, bias: tensors[`${path}.bias`] };
}
