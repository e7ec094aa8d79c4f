float sigmoid(float x) { return 1.0 / (1.0 + exp(-x)); }
// GLSL's own tanh may overflow for large x on some drivers; this form does not.
float stable_tanh(float x) { return 1.0 - 2.0 / (exp(2.0 * x) + 1.0); }

float activate(float x, uint kind) {
    if (kind == kActivationSigmoid) return sigmoid(x);
    if (kind == kActivationTanh) return stable_tanh(x);
    if (kind == kActivationReluSquared) { float y = max(x, 0.0); return y * y; }
    if (kind == kActivationSilu) return x * sigmoid(x);
    return x;
}
