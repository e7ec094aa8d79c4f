// The tavern: walls, hearth, window, table, and where its light comes from.
#pragma once

#include "canvas.h"

namespace tavern {

// What stands behind the company, and what before it. Both set their lights.
void draw_room(Canvas &canvas, float time, Light (&lights)[kLights]);
void draw_table(Canvas &canvas, float time, Light (&lights)[kLights]);

constexpr float kTableTop = -0.37F; // where the company's hands lie

} // namespace tavern
