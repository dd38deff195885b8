/** Curves of common activation functions, for small plots. Values shown beside them always come from the network. */

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const CURVES = {
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  leakyrelu: (x) => (x > 0 ? x : 0.01 * x),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  swish: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(0.7978845608 * (x + 0.044715 * x ** 3))),
  softplus: (x) => Math.log1p(Math.exp(x)),
  hardswish: (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
  hardsigmoid: (x) => Math.min(1, Math.max(0, x / 6 + 0.5)),
};

/**
 * The points of an activation function's curve.
 * @param {string} name as the server names it
 * @param {number} reach from -reach to reach
 * @param {number} [points]
 * @returns {[number, number][]} empty for an unknown function
 */
export function activationCurve(name, reach, points = 61) {
  const shape = CURVES[name.toLowerCase()];
  if (!shape) return [];
  return Array.from({ length: points }, (_, i) => {
    const x = -reach + (2 * reach * i) / (points - 1);
    return [x, shape(x)];
  });
}
