// many_npcs MODEL [CHARACTERS]: a village of characters, each with a memory of its own, of which the device holds a few
// at a time. They begin from a memory that they share, go on apart, and each is saved in a small file of its own.
#include <firefinch/firefinch.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::size_t kOnDevice = 16; // characters whose memory is there at once

std::string say(firefinch::Session &npc, const firefinch::Tokenizer &tokenizer, std::uint64_t seed) {
    ff_generate_options options = firefinch::generate_options();
    options.count = 12;
    options.sampling.seed = seed;
    std::string text;
    npc.generate(options, [&](std::uint32_t token) {
        text += tokenizer.decode(token);
        return true;
    });
    return text;
}

void run(const std::string &file, std::size_t characters) {
    const firefinch::Checkpoint checkpoint(file);
    const firefinch::Tokenizer tokenizer("auto", &checkpoint);
    const ff_session_bytes bytes = checkpoint.session_bytes();
    std::printf("a character: %.1f KB on the device, %.1f KB in a save game\n", 1e-3 * double(bytes.device_bytes),
                1e-3 * double(bytes.file_bytes));

    const firefinch::Engine engine;
    ff_model_options options = firefinch::model_options();
    options.max_sessions = static_cast<std::uint32_t>(characters + 1);
    options.state_memory_bytes = (kOnDevice + 3) * bytes.device_bytes; // and room for the library to work in
    const firefinch::Model model(engine, checkpoint, options);

    // What they all know is read once; each is a fork of it, and then reads who it is.
    firefinch::Session village(model);
    village.prefill(tokenizer.encode("The village lies between the river and the old forest.\n"));
    std::vector<firefinch::Session> npcs;
    for (std::size_t i = 0; i < characters; ++i) {
        npcs.push_back(village.fork());
        npcs.back().prefill(tokenizer.encode("Villager " + std::to_string(i) + ":"));
    }
    // Everybody says something. Who has no place on the device comes there, and whoever was silent longest leaves.
    std::size_t words = 0;
    for (std::size_t i = 0; i < characters; ++i) {
        if (i + 1 < characters) npcs[i + 1].prefetch(); // the next speaker is on the way meanwhile
        words += say(npcs[i], tokenizer, i).size();
    }
    const ff_model_statistics paged = model.statistics();
    std::printf("%zu characters said %zu bytes; %u have room on the device, %llu came back to it\n", characters, words,
                paged.resident_sessions, static_cast<unsigned long long>(paged.states_in));

    // Save game: the memories one after the other, whether or not the device holds them.
    std::vector<std::vector<unsigned char>> saved;
    for (firefinch::Session &npc : npcs) saved.push_back(firefinch::Snapshot(npc).encode());
    const std::string before = say(npcs[0], tokenizer, 7);
    npcs[0].restore(firefinch::Snapshot(model, saved[0].data(), saved[0].size()));
    if (say(npcs[0], tokenizer, 7) != before) throw std::runtime_error("the save game remembers something else");
    std::printf("%zu bytes saved a character, and villager 0 says again:%s\n", saved[0].size(), before.c_str());
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: many_npcs MODEL [CHARACTERS]\n");
        return 2;
    }
    try {
        run(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
