// Products of block formats in integers, for devices that multiply four bytes by four and add them up in one instruction. Inputs
// are not rounded to bytes, as other engines do, but to 16 bits, a high and a low byte each: two such instructions for four
// products. Eight inputs are counted in units of a 32,639th (127 * 256 + 127) of the largest of them, so at most 2^-16 of that is
// rounded away. The quants of weights are integers anyway: they lose nothing.
#extension GL_EXT_spirv_intrinsics : require
// OpSDot of two times four signed bytes. Not by the name GLSL has for it, which glslc of Debian 12 does not know.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int signed_dot(uint a, uint b, spirv_literal int format);
int dot_bytes(uint a, uint b) { return signed_dot(a, b, 0); } // 0: PackedVectorFormat4x8Bit

// The second bytes of four integers; their first.
uint second_bytes(ivec4 v) { return uint(v.x >> 8 & 255 | v.y & 0xff00 | (v.z & 0xff00) << 8 | (v.w & 0xff00) << 16); }
uint first_bytes(ivec4 v) { return uint(v.x & 255 | (v.y & 255) << 8 | (v.z & 255) << 16 | v.w << 24); }

// Prepared: high bytes, low bytes, as quants lie; the unit (a float's bits), the sum. For plain matrices the inputs as they are.
#define PREPARED uvec4
void prepare_input(uint group, bool plain, out uvec4 bytes, out uvec4 rest) {
    vec4 low, high;
    compute_input(group, low, high);
    if (plain) {
        bytes = floatBitsToUint(low);
        rest = floatBitsToUint(high);
        return;
    }
    vec4 larger = max(abs(low), abs(high));
    float most = max(max(larger.x, larger.y), max(larger.z, larger.w));
    float per = most > 1e-30 ? 32639.0 / most : 0.0; // whose reciprocal is a number
    ivec4 a = ivec4(roundEven(low * per)), b = ivec4(roundEven(high * per));
    ivec4 first = kInOrder ? a : ivec4(a.xz, b.xz), second = kInOrder ? b : ivec4(a.yw, b.yw);
    // The low byte is a signed one: where it is negative, the high byte is one more.
    bytes = uvec4(second_bytes(first + 128), second_bytes(second + 128), first_bytes(first), first_bytes(second));
    ivec4 sum = first + second;
    rest = uvec4(floatBitsToUint(most / 32639.0), uint(sum.x + sum.y + sum.z + sum.w), 0u, 0u);
}
float product(uint row_at, uint groups, uint group, bool plain, uvec4 bytes, uvec4 rest) {
    if (plain) {
        vec4 low, high;
        load_plain_weights(row_at, group, low, high);
        return dot(low, uintBitsToFloat(bytes)) + dot(high, uintBitsToFloat(rest));
    }
    uvec2 quants = quant_bytes(4u * row_at, groups, group);
    int high = dot_bytes(quants.x, bytes.x) + dot_bytes(quants.y, bytes.y),
        low = dot_bytes(quants.x, bytes.z) + dot_bytes(quants.y, bytes.w), sum = int(rest.y);
    vec2 scale = uintBitsToFloat(rest.x) * row_scale(scales_of(4u * row_at, groups), groups, group);
    float scaled = scale.x * float(256 * high + low - kZero * sum);
#if defined(MINIMA) || defined(SUB_MINIMA)
    scaled += scale.y * float(sum);
#endif
    return scaled;
}
