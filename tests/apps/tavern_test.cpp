// The graphics demo, on a screen that nobody sees.
#include "process.h"

#include <doctest/doctest.h>
#include <stb_image.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>

using namespace test;

namespace {

struct Row {
    std::string phase;
    double frame_us = 0, inference_us = 0, budget_us = 0;
    unsigned tokens = 0;
};

std::vector<Row> rows_of(const std::string &csv) {
    std::istringstream lines(csv);
    std::string line;
    std::getline(lines, line);
    CHECK(line == "frame,phase,frame_us,inference_us,budget_us,tokens");
    std::vector<Row> rows;
    while (std::getline(lines, line)) {
        std::istringstream cells(line);
        std::string cell;
        Row row;
        char comma = 0;
        std::getline(cells, cell, ',');
        CHECK(cell == std::to_string(rows.size()));
        std::getline(cells, row.phase, ',');
        cells >> row.frame_us >> comma >> row.inference_us >> comma >> row.budget_us >> comma >> row.tokens;
        CHECK_FALSE(cells.fail());
        rows.push_back(row);
    }
    return rows;
}

} // namespace

TEST_CASE("tavern: frames with and without inference, a log and a picture of them") {
    if (std::system("command -v xvfb-run >/dev/null 2>&1") != 0) {
        MESSAGE("skipped: there is no xvfb-run (Debian: xvfb)");
        return;
    }
    const Folder folder;
    const std::string picture = folder.path("picture.png"), log = folder.path("log.csv"), said = folder.path("said");
    const char *validate = std::getenv("FIREFINCH_TEST_VALIDATE");
    const std::string command = "xvfb-run -a -s '-screen 0 640x360x24' " FIREFINCH_TAVERN_PROGRAM
                                " --frames 32 --size 640x360 --budget-us 20000 --screenshot " +
                                picture + " --log " + log +
                                (validate != nullptr && std::string(validate) == "0" ? "" : " --validate") + " >" +
                                said + " 2>&1";
    const int status = std::system(command.c_str());
    INFO(read(said));
    REQUIRE(status == 0);

    const std::vector<Row> rows = rows_of(read(log));
    std::map<std::string, std::size_t> phases;
    double inference = 0;
    unsigned tokens = 0;
    for (const Row &row : rows) {
        ++phases[row.phase];
        CHECK(row.frame_us > 0);
        if (row.phase != "talking")
            CHECK(row.inference_us == 0);
        else
            CHECK(row.budget_us == 20000);
        inference += row.inference_us;
        tokens += row.tokens;
    }
    CHECK(phases["loading"] > 0);
    CHECK(phases["quiet"] == 8);
    CHECK(phases["talking"] == 24);
    CHECK(inference > 0);
    CHECK(tokens > 0);

    int width = 0, height = 0, channels = 0;
    const std::unique_ptr<unsigned char, decltype(&stbi_image_free)> pixels(
        stbi_load(picture.c_str(), &width, &height, &channels, 3), stbi_image_free);
    REQUIRE(pixels != nullptr);
    CHECK(width == 640);
    CHECK(height == 360);
    const auto mean_of = [&](int left, int top, int right, int bottom) {
        std::array<double, 3> sum{};
        for (int y = top; y < bottom; ++y)
            for (int x = left; x < right; ++x)
                for (std::size_t c = 0; c < 3; ++c)
                    sum[c] += pixels.get()[3 * static_cast<std::size_t>(y * width + x) + c];
        for (double &each : sum) each /= (right - left) * (bottom - top);
        return sum;
    };
    const auto fire = mean_of(50, 235, 110, 262), night = mean_of(495, 150, 575, 190);
    CHECK(fire[0] > 1.5 * fire[2]); // red
    CHECK(night[2] > night[0]);     // blue
    CHECK(fire[0] > 2 * night[0]);
}
