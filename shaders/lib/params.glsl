// PARAMS(Type): the push constants of a kernel, as `p`. Where weights are read through their address, that follows, and the
// address of scratch, for inputs.
#ifdef ADDRESS
#define PARAMS(TYPE) layout(push_constant) uniform Params { TYPE p; uint weights_low, weights_high, scratch_low, scratch_high; }
#else
#define PARAMS(TYPE) layout(push_constant) uniform Params { TYPE p; }
#endif
