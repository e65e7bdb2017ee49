// Every position brought to the same scale, whatever came in: mtlib's norm.py.

// (x - mean) / √(var + eps) · weight + bias
export function layerNorm(x, { weight, bias }, eps) {
  return x.map((row) => {
    let mean = 0, variance = 0;
    for (const v of row) mean += v / row.length;
    for (const v of row) variance += (v - mean) ** 2 / row.length;
    const scale = 1 / Math.sqrt(variance + eps);
    return row.map((v, i) => (v - mean) * scale * weight.data[i] + bias.data[i]);
  });
}

// x / √(mean(x²) + eps) · weight
export function rmsNorm(x, { weight }, eps) {
  return x.map((row) => {
    let square = 0;
    for (const v of row) square += v ** 2 / row.length;
    const scale = 1 / Math.sqrt(square + eps);
    return row.map((v, i) => v * scale * weight.data[i]);
  });
}
