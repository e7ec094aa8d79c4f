#version 450
// The beginning of a wide step, one workgroup: which rows each of its sessions has, an invocation a run. The host may append
// to prompts and ask to stop while this runs, and all of the step must act on one answer.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x = kMostRuns) in;
layout(push_constant) uniform Params { WideBeginParams p; };
layout(set = 0, binding = kWideBeginScratch) writeonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideBeginControl) volatile readonly buffer Control { ControlHeader control; ControlEntry entries[]; };

// Of each run, then of the runs up to it. One more than is used: see lib/sample.glsl, bin_count.
shared uint rows_of[kMostRuns + 1u], answers_of[kMostRuns + 1u];

void main() {
    uint run = gl_LocalInvocationID.x, task = control.wide_step % kWideQueueLength;
    uint runs = min(control.tasks[task].runs, kMostRuns);
    uint entry = 0u, rows = 0u, answer = 0u, sampled = 0u;
    bool prompt = false;
    if (run < runs) {
        entry = control.tasks[task].entries[run];
        uint asked = control.tasks[task].rows[run], prompt_rows = asked & ~kTaskMore;
        bool stopped = entries[entry].stop_request != 0u;
        bool more = entries[entry].generating != 0u && entries[entry].halt == kHaltNone &&
                    entries[entry].produced < entries[entry].limit;
        bool last = (asked & kTaskMore) == 0u && !stopped;
        prompt = prompt_rows != 0u;
        if (!stopped) rows = prompt ? prompt_rows : uint(entries[entry].pending != 0u);
        answer = uint(rows != 0u && last);
        sampled = uint(more && last);
    }
    rows_of[run] = rows;
    answers_of[run] = answer;
    barrier();
    if (run == 0u) {
        for (uint i = 1u; i < kMostRuns; ++i) {
            rows_of[i] += rows_of[i - 1u];
            answers_of[i] += answers_of[i - 1u];
        }
        header[kWideRows] = min(rows_of[kMostRuns - 1u], p.most_rows);
        header[kWideRuns] = runs;
        header[kWideAnswers] = answers_of[kMostRuns - 1u];
    }
    barrier();
    if (run >= runs) return;
    uint first = rows_of[run] - rows, at = kWideRunsAt + run * kRunWords;
    header[at + kRunEntry] = entry;
    header[at + kRunSlot] = entries[entry].slot;
    header[at + kRunParity] = entries[entry].parity;
    header[at + kRunFirst] = first;
    header[at + kRunRows] = rows;
    header[at + kRunPrompt] = uint(prompt);
    header[at + kRunSample] = sampled;
    for (uint t = 0u; t < rows && first + t < p.most_rows; ++t) header[kWideRowsAt + 2u * (first + t) + 1u] = run;
    if (answer != 0u) {
        uint answer_at = kWideAnswersAt + 2u * (answers_of[run] - 1u);
        header[answer_at] = first + rows - 1u;
        header[answer_at + 1u] = entries[entry].slot;
    }
}
