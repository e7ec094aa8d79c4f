// What the two halves of every kernel must agree on, read by C++ and GLSL alike: specialisation constants, binding
// numbers, push constants, the step header and the control block. Members are single uint, int or float (or arrays of
// uint), so C++, push constants and std430 lay them out alike; a push constant block stays within 128 bytes,
// the two addresses of lib/params.glsl (16 bytes) counted.
//
// Units: `_at` is a place inside the bound range, in units of 16 bytes (4 floats). Rows of a matrix are padded with zeros to
// whole groups of 8 elements and start at such a unit, vectors likewise.
#ifndef FF_SHADERS_INTERFACE_H
#define FF_SHADERS_INTERFACE_H

#ifdef __cplusplus
#include <cstdint>
namespace ff::shader {
using uint = std::uint32_t;
#endif

// ---- specialisation constants ------------------------------------------------------------------------------------
const uint kSpecLocalSize = 0u;   // invocations of a workgroup
const uint kSpecLanes = 1u;       // wkv7: lanes a state row; floor variants of matvecs, wide_wkv4: lanes a team
const uint kSpecRows = 2u;        // rows a team accumulates at once
const uint kSpecGroupRows = 3u;   // rows of a workgroup
const uint kSpecStageFloats = 4u; // shared floats for the staged input; 0: the input is recomputed where it is read
const uint kSpecHeadSize = 5u;    // N
const uint kSpecPlainType = 6u;   // the type of plain matrices beside those of a variant of another type
const uint kSpecUniformLanes = 11u; // lib/lane_loads.glsl
const uint kSpecUnroll = 12u;      // matvecs: groups of a row that a lane has under way, a team apart
const uint kSpecNeighbours = 13u;  // matvecs: times so many next to each other, which a wide load may fetch; divides a row's groups
const uint kPlainF32 = 0u, kPlainF16 = 1u, kPlainBf16 = 2u;

const uint kGroupElements = 8u;   // elements of a weight row that are loaded together
const uint kNone = 0xffffffffu;

// ---- step header: the first 256 bytes of the scratch buffer, written by `embed`, read by every launch of the step -----
const uint kStepRun = 0u;       // 1: a token is read in this step, so the layers have work
const uint kStepToken = 1u;     // its id
const uint kStepParity = 2u;    // which of the two kept token-shift copies (and RWKV-4 states) is the old one
const uint kStepSlot = 3u;      // state slot
const uint kStepLogits = 4u;    // 1: the head has work
const uint kStepSample = 5u;    // 1: a token is sampled at the end
const uint kStepEntry = 6u;     // control entry
const uint kStepPrompt = 7u;    // 1: the token is the prompt's next, 0: it was produced before
const uint kStepWords = 64u;

// ---- control block: what changes from token to token -----------------------------------------------------------------
const uint kQueueLength = 256u;    // steps that may be submitted and unfinished
const uint kPromptLength = 2048u;  // prompt tokens a session may have waiting
const uint kProducedLength = 256u; // produced tokens the host may be behind
const uint kMaxStopTokens = 16u;
const uint kMaxLogitBias = 256u;

const uint kHaltNone = 0u, kHaltLimit = 1u, kHaltStopToken = 2u;

// What a wide step is to do for each of its runs, that is for each of up to kMostRuns sessions.
const uint kMostRuns = 128u, kMostRows = 512u;
const uint kWideQueueLength = 4u;      // wide steps that may be submitted and unfinished
const uint kTaskMore = 0x80000000u;    // more of the prompt follows in a later step: no logits, no sample

struct WideTask {
    uint runs;
    uint reserved[3];
    uint entries[kMostRuns];
    uint rows[kMostRuns];  // tokens of the prompt to read, with kTaskMore; 0: the pending token, if there is one
};

struct ControlHeader {
    uint step;                // decode steps finished; the next one serves entry queue[step % kQueueLength]
    uint wide_step;           // wide steps finished; the next one does tasks[wide_step % kWideQueueLength]
    uint reserved[2];
    uint queue[kQueueLength]; // written by the host before it submits, as are the tasks
    WideTask tasks[kWideQueueLength];
};

// One session. The device writes while steps of this entry are in flight, the host only between them; the prompt ring
// and stop_request are the exceptions: the host may append to the one and set the other at any time.
struct ControlEntry {
    uint slot;                 // state slot
    uint parity;
    uint prompt_read;          // tokens of the prompt ring read so far (counts up for ever)
    uint prompt_end;           // tokens the host has put there
    uint logits_every;         // 1: logits after every prompt token, else after the last one
    uint generating;           // 1: sample when the prompt is read
    uint pending;              // 1: next_token was produced and not read yet
    uint next_token;
    uint produced;             // tokens produced since the host last set it to 0
    uint limit;                // stop when `produced` is this
    uint halt;                 // kHalt...
    uint stop_request;         // the host wants no more steps of this entry to do anything
    float temperature;         // 0: greedy
    float top_p;
    float presence;
    float frequency;
    float penalty_decay;
    uint top_k;                // 0: all
    uint seed_low;
    uint seed_high;
    uint stop_count;
    float min_p;               // 0: all
    float typical_p;           // 1: all
    uint bias_count;
    uint stop_tokens[kMaxStopTokens];
    uint bias_tokens[kMaxLogitBias]; // different ones
    uint bias_values[kMaxLogitBias]; // bits of floats
    uint prompt[kPromptLength];
    uint tokens[kProducedLength];
};

// ---- embed: step header, and x = LN0(emb[token]); wide_embed: that for every row, a workgroup a row ------------------------
struct EmbedParams {
    uint width;     // C
    uint groups;    // weight groups of a row
    uint first_row; // of the part of the table that is bound
    uint rows;      // of that part
    uint x_at;      // scratch
    uint norm_at;   // ln0 weight [C]; its bias follows
};
const uint kEmbedWeights = 0u, kEmbedParams = 1u, kEmbedScratch = 2u, kEmbedControl = 3u;

// ---- mix_project: rows of several matrices times their token-shifted, normalised input --------------------------------
// One segment is a run of rows of one matrix: two uvec4 in the parameter buffer,
// {end_group, weights_at, rows, result} {mix_at, activation, plain, 0}. `end_group` counts workgroups of this launch, `result` is
// in floats of scratch. `plain` is 1 for a plain matrix in a launch whose variant is of another type: a block format, or 16 bits
// with float32 beside.
const uint kSegmentWords = 8u;
const uint kActivationNone = 0u, kActivationSigmoid = 1u, kActivationTanh = 2u, kActivationReluSquared = 3u, kActivationSilu = 4u;
struct MixProjectParams {
    uint width;         // C
    uint groups;        // weight groups of a row
    uint x_at;          // scratch
    uint norm_at;       // parameters: LayerNorm weight [C]; its bias follows
    uint segments_at;   // parameters: the segment table
    uint kept_at;       // state: the kept inputs of slot 0, two copies [2, C]
    uint slot_stride;   // state: from slot to slot
    uint writes_kept;   // 1: this launch stores the new copy
};
const uint kMixWeights = 0u, kMixParams = 1u, kMixScratch = 2u, kMixState = 3u;

// ---- head: logits = W LN_out(x) ---------------------------------------------------------------------------------------
struct HeadParams {
    uint width;
    uint groups;
    uint x_at;
    uint norm_at;
    uint rows;          // of the bound part
    uint first_row;     // its first row
    uint vocabulary;    // floats from slot to slot in the logits buffer
};
const uint kHeadWeights = 0u, kHeadParams = 1u, kHeadScratch = 2u, kHeadLogits = 3u;

// ---- project_add: x += gate * (W y) ------------------------------------------------------------------------------------
struct ProjectAddParams {
    uint groups;        // weight groups of a row
    uint rows;          // of the bound part
    uint result;        // floats: where the part's first row goes in scratch
    uint in_at;         // scratch: y
    uint gate;          // floats: scratch, one a row; kNone: no gate
};
const uint kProjectWeights = 0u, kProjectScratch = 1u;

// ---- sparse_value: x[t] += gate[t] * (W h[t]), of a matrix kept by input ------------------------------------------------
struct SparseValueParams {
    uint inputs;        // of the bound part
    uint outputs;
    uint in_at;         // scratch: h from the part's first input on
    uint in_stride;     // from row to row of the step, in vec4
    uint result;        // floats: x
    uint result_stride; // floats
    uint gate;          // floats: scratch, one an output; kNone: no gate
    uint gate_stride;
};
const uint kSparseWeights = 0u, kSparseScratch = 1u;
const uint kSpecLaneGroups = 3u; // groups of 8 outputs of a lane; times kSpecFewTokens 8 at most
const uint kSpecInputWords = 2u; // words with a bit for each input of the part
const uint kMostSparseInputs = 32768u; // of a part: their bits take 4 KiB of shared memory

// ---- wkv4_project_add: x += W (r * wkv), the WKV of RWKV-4 in the prologue ---------------------------------------------
struct Wkv4Params {
    uint width;         // C
    uint groups;
    uint rows;
    uint result;        // floats: as above
    uint r_at, k_at, v_at; // scratch; r after its sigmoid
    uint decay_at;      // parameters: -exp(time_decay) [C]; time_first [C] follows
    uint wkv_at;        // state: two copies of aa, bb, pp: [2, 3, C]
    uint slot_stride;
    uint writes_state;  // 1: this launch stores the new copy
};
const uint kWkv4Weights = 0u, kWkv4Params = 1u, kWkv4Scratch = 2u, kWkv4State = 3u;

// ---- wkv7: time mixing of RWKV-7 from the projections to the gated output, one head a workgroup ------------------------
struct Wkv7Params {
    uint first_layer;   // 1: v_first is written, else read
    uint r_at, k_at, v_at, v_first_at, y_at; // scratch [C]
    uint low_w_at, low_a_at, low_v_at, low_g_at; // scratch: low-rank vectors, activated
    uint up_w_at, up_a_at, up_v_at, up_g_at;     // weights: w2, a2, v2, g2 transposed, [C, rank]
    uint rank_w, rank_a, rank_v, rank_g;         // in groups; rank_v is 0 in layer 0
    uint vectors_at;    // parameters, each [C]: w0 a0 v0 k_k k_a r_k ln_x.weight ln_x.bias
    uint vector_stride; // between them
    uint wkv_at;        // state [H, N, N]
    uint slot_stride;
};
const uint kWkv7Weights = 0u, kWkv7Params = 1u, kWkv7Scratch = 2u, kWkv7State = 3u;

// ---- wkv5, wkv6: time mixing of RWKV-5 and -6 from the projections to the gated output, one head a workgroup -----------
struct Wkv6Params {
    uint r_at, k_at, v_at, y_at; // scratch [C]
    uint gate_at;       // scratch [C], after its silu; kNone: no gate (5.0)
    uint vectors_at;    // parameters, each [C]: decay, bonus, ln_x.weight, ln_x.bias
    uint vector_stride; // between them
    uint wkv_at;        // state [H, N, N], [value][key]
    uint slot_stride;
    uint low_w_at;      // wkv6: scratch, tanh(time_decay_w1 x_w)
    uint up_w_at;       // wkv6: weights, time_decay_w2 transposed [C, rank]
    uint rank_w;        // wkv6: in groups
};
const uint kWkv5Params = 0u, kWkv5Scratch = 1u, kWkv5State = 2u;
const uint kWkv6Weights = 0u, kWkv6Params = 1u, kWkv6Scratch = 2u, kWkv6State = 3u;

// ---- lerp6: the data-dependent token shift of RWKV-6, five mixed inputs -------------------------------------------------
struct Lerp6Params {
    uint width;
    uint groups;      // of a vector of the width
    uint x_at;        // scratch
    uint norm_at;     // parameters: ln1 weight; its bias follows
    uint mixes_at;    // parameters: time_maa of w k v r g, each [C]
    uint low_at;      // scratch: tanh(time_maa_w1 x_x), five vectors of `rank`
    uint low_stride;  // floats between them
    uint rank;        // weight groups of a row of time_maa_w2 transposed, [5, C, rank]
    uint mixed_at;    // scratch: five vectors [C]
    uint mixed_stride;// between them
    uint kept_at;     // state
    uint slot_stride;
};
const uint kLerp6Weights = 0u, kLerp6Params = 1u, kLerp6Scratch = 2u, kLerp6State = 3u;

// ---- project: rows of several matrices times vectors of scratch ---------------------------------------------------------
// Segments as in mix_project, with the place of the input in scratch instead of a mix.
struct ProjectParams {
    uint groups;
    uint segments_at; // parameters
};
const uint kProjectManyWeights = 0u, kProjectManyParams = 1u, kProjectManyScratch = 2u;

// ---- deep_embed: the gate of RWKV-7a between ffn.key and ffn.value ------------------------------------------------------
struct DeepEmbedParams {
    uint first_row;  // of the bound part of s_emb [V, R * R]
    uint rows;
    uint rank;       // R
    uint low_at;     // scratch: s1^T x [R]
    uint matrix_at;  // scratch: s_emb_x LN0(emb) [R, R]
    uint up_at;      // parameters: s2 [R, F], float32, rows padded
    uint up_stride;  // between its rows
    uint bias_at;    // parameters: s0 [F]
    uint h_at;       // scratch: relu^2 activations [F]
    uint width;      // F
};
const uint kDeepEmbedWeights = 0u, kDeepEmbedParams = 1u, kDeepEmbedScratch = 2u;

// ---- wide steps: up to T tokens at once, in runs: neighbouring rows (one row a token) of one session ----------------------
// Their scratch has a header of its own, written by wide_begin.
const uint kWideRows = 0u;      // rows of this step
const uint kWideRuns = 1u;
const uint kWideAnswers = 2u;   // rows whose logits are wanted: the last of some runs
const uint kWideRunsAt = 64u;   // the runs, kRunWords each:
const uint kRunEntry = 0u;      // control entry
const uint kRunSlot = 1u;       // state slot
const uint kRunParity = 2u;     // as kStepParity
const uint kRunFirst = 3u;      // its first row
const uint kRunRows = 4u;
const uint kRunPrompt = 5u;     // 1: the rows are the prompt's, 0: the token produced before
const uint kRunSample = 6u;     // 1: a token is sampled at the end
const uint kRunWords = 8u;
const uint kWideRowsAt = 64u + 8u * kMostRuns;                // of each row: its token, its run
const uint kWideAnswersAt = kWideRowsAt + 2u * kMostRows;     // of each answer: its row, its state slot
const uint kWideWords = kWideAnswersAt + 2u * kMostRuns;

// wide_begin: the header, from the control block. One workgroup of kMostRuns invocations.
struct WideBeginParams {
    uint most_rows; // T
};
const uint kWideBeginScratch = 0u, kWideBeginControl = 1u;

// wide_mix: mixed[m, t] = n + (previous - n) (mu_m + extra[m, t]), n = LN(x[t]). A workgroup a row, or an answer.
const uint kMaxMixes = 6u;
struct WideMixParams {
    uint width;
    uint groups;
    uint x_at;          // scratch [T, C]
    uint norm_at;
    uint kept_at;       // state: two copies [2, C]; kNone: no token shift, mixed is n
    uint slot_stride;
    uint mixed_at;      // scratch [M, T, C]
    uint mixed_stride;  // between mixes
    uint extra_at;      // scratch [M, T, C]; kNone: none
    uint extra_stride;
    uint mixes;         // M
    uint writes_kept;   // 1: this launch stores the new copy
    uint answers;       // 1: x of the answers' rows, in their order; nothing is shifted
    uint mix_at[kMaxMixes]; // parameters: mu_m [C]
};
const uint kWideMixParams = 0u, kWideMixScratch = 1u, kWideMixState = 2u;

// matmul: out[t, row] = act(W in[t]), or out[t, row] += gate[t, row] (W in[t]), for the segments of a launch. A segment is
// three uvec4 in a table: {end_tile, weights_at, rows, result} {input_at, activation, plain, groups}
// {result_stride, input_stride, gate, gate_stride}; result and gate and their strides are in floats, gate kNone: none.
const uint kWideSegmentWords = 12u;
const uint kActivationAdd = 16u; // added to what is there, which only one launch of a step may do at a place
const uint kSpecTileRows = 1u;    // rows of W a workgroup has
const uint kSpecTileTokens = 2u;
const uint kSpecThreadRows = 3u;  // quads of rows of an invocation
const uint kSpecThreadTokens = 4u;// quads of tokens of an invocation
const uint kTileGroups = 4u;      // weight groups of W and of the inputs that are in shared memory at a time
const uint kSpecByInput = 7u;     // 1: W is kept by input, and a segment's groups are its inputs
// matmul_coopmat: the same tiles; the part of a subgroup is made of matrices of the shape M x N x K that the device offers
const uint kSpecSubgroupRows = 3u;   // rows of a tile that a subgroup has
const uint kSpecSubgroupTokens = 4u;
const uint kSpecMatrixRows = 8u;     // M
const uint kSpecMatrixTokens = 9u;   // N
const uint kSpecMatrixDepth = 10u;   // K
// matmul_few: the same for few tokens, read as matvecs read: kSpecLanes, kSpecRows, kSpecGroupRows, and
const uint kSpecFewTokens = 4u;   // tokens of a workgroup
struct MatmulParams {
    uint segments_at; // table
    uint answers;     // 1: of the answers, whose results go to the rows of their state slots
};
const uint kMatmulWeights = 0u, kMatmulParams = 1u, kMatmulScratch = 2u, kMatmulOut = 3u;

// wide_wkv7: as wkv7 with the low-rank ups already multiplied, over all rows of the step, a workgroup a head.
struct WideWkv7Params {
    uint first_layer;
    uint r_at, k_at, v_at, v_first_at, y_at;          // scratch [T, C]
    uint up_w_at, up_a_at, up_v_at, up_g_at;          // scratch [T, C]
    uint stride;        // floats between rows
    uint vectors_at, vector_stride;
    uint wkv_at, slot_stride;
};
const uint kWideWkvParams = 0u, kWideWkvScratch = 1u, kWideWkvState = 2u;

// wide_wkv6: versions 5 and 6, likewise.
struct WideWkv6Params {
    uint r_at, k_at, v_at, y_at; // scratch [T, C]
    uint gate_at;       // scratch [T, C]; kNone: no gate
    uint up_w_at;       // scratch [T, C]: version 6's low-rank part of the decay; kNone: the decay is in the parameters
    uint stride;
    uint vectors_at, vector_stride;
    uint wkv_at, slot_stride;
};

// wide_wkv4: r * wkv for all rows.
struct WideWkv4Params {
    uint width;
    uint r_at, k_at, v_at, y_at; // scratch [T, C]
    uint stride;
    uint decay_at;      // parameters: -exp(time_decay) [C]; time_first [C] follows
    uint vector_stride;
    uint wkv_at;        // state: two copies of aa, bb, pp: [2, 3, C]
    uint slot_stride;
};

// wide_deep_embed: as deep_embed for all rows, a workgroup a row.
struct WideDeepEmbedParams {
    uint first_row, rows, rank;
    uint low_at, low_stride;       // scratch [T, R]; strides in vec4
    uint matrix_at, matrix_stride; // scratch [T, R * R]
    uint up_at, up_stride;
    uint bias_at;
    uint h_at, h_stride;           // scratch [T, F]
    uint width;
};

// ---- sample: the end of a step: choose a token, update the control block; of a wide step, a workgroup a run --------------
struct SampleParams {
    uint vocabulary;    // V
    uint history_stride;// floats from slot to slot in history and logits
    uint work_at;       // scratch [V]: logits after penalties and temperature
    uint work_stride;   // wide steps: between runs
};
const uint kSampleLogits = 0u, kSampleHistory = 1u, kSampleScratch = 2u, kSampleControl = 3u;

// ---- roofline: what the device does at best; of no step ----------------------------------------------------------------
struct RooflineReadParams {
    uint turns;   // each reads four vec4 an invocation
    uint sums_at; // first word of this launch's sums
};
const uint kRooflineReadData = 0u, kRooflineReadSums = 1u;

struct RooflineFmaParams {
    uint turns;   // each does 32 multiply-adds an invocation
    float factor, addend;
};
const uint kRooflineFmaSums = 0u;
const uint kRooflineFmaPerTurn = 32u, kRooflineFmaChains = 8u;

#ifdef __cplusplus
static_assert(sizeof(Wkv7Params) <= 128 && sizeof(Wkv4Params) <= 128 && sizeof(MixProjectParams) <= 128);
static_assert(sizeof(ControlHeader) % 16 == 0 && sizeof(ControlEntry) % 16 == 0);
} // namespace ff::shader
#endif

#endif
