// The three who sit at the table.
#pragma once

#include "canvas.h"

namespace tavern {

constexpr int kFigures = 3;

// What a figure is doing now.
struct Pose {
    float time = 0;
    float mouth = 0; // 0 closed to 1 open
    float look = 0;  // -1 left to 1 right
    float eager = 0; // 0 listening to 1 speaking: leans forward, lifts the mug
};

void draw_falstaff(Canvas &canvas, const Pose &pose);
void draw_hostess(Canvas &canvas, const Pose &pose);
void draw_prince(Canvas &canvas, const Pose &pose);

} // namespace tavern
