// Loads of neighbouring lanes from neighbouring places, chosen by kUniformLanes. 0: each lane loads from its own place `at`, and
// the hardware joins them. A compiler for processors makes as many single loads of that, addresses and bounds and all, but one of
// a load from the same place for all lanes: there kUniformLanes is the number of lanes of a subgroup, `at` is the place of the
// first lane, every lane loads what all of them want, and keeps its own (llvmpipe of Mesa 26.2: in a third of the time).
//
// A kernel that makes such loads says with UNIFORM_LANE which number a lane has. `group`, in what loads by it, is then the first
// lane's, a multiple of kUniformLanes, and no lane is without a group.
#ifdef UNIFORM_LANE
layout(constant_id = kSpecUniformLanes) const uint kUniformLanes = 0u;
#else
const uint kUniformLanes = 0u;
#define UNIFORM_LANE 0u
#endif

// llvmpipe runs the body of a loop once more when its last lane has left, and what lies behind a return with no lane at all; loads from
// one place for all lanes are made there too. What is bound is checked, but what is read by address must be there.
#ifdef ADDRESS
#define AT_MOST(place, last) min(place, last)
#else
#define AT_MOST(place, last) (place)
#endif

// TYPE name(at, step): of every lane the place at + lane * step of `ARRAY`.
#define LANE_LOAD(name, TYPE, BOOLS, ARRAY)                                                                                  \
    TYPE name(uint at, uint step) {                                                                                          \
        TYPE found = ARRAY[at];                                                                                              \
        for (uint i = 1u; i < kUniformLanes; ++i) found = mix(found, ARRAY[at + i * step], BOOLS(UNIFORM_LANE == i));        \
        return found;                                                                                                        \
    }
// TYPE name(at, lanes): `lanes` neighbours have the same place, the next ones the next.
#define LANES_LOAD(name, TYPE, BOOLS, ARRAY)                                                                                 \
    TYPE name(uint at, uint lanes) {                                                                                         \
        TYPE found = ARRAY[at];                                                                                              \
        for (uint i = lanes; i < kUniformLanes; i += lanes)                                                                  \
            found = mix(found, ARRAY[at + i / lanes], BOOLS(UNIFORM_LANE >= i));                                             \
        return found;                                                                                                        \
    }
// The lane's own group.
uint own(uint group) { return kUniformLanes == 0u ? group : group + UNIFORM_LANE; }
