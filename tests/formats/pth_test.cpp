#include "tests/formats/builders/pickle_builder.h"
#include "tests/formats/builders/pth_builder.h"

#include <algorithm>
#include <thread>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;
using namespace ff::loader::test::pickled;

namespace {

// One tensor "t" over a storage of 0, 1, 2, ... 11.
Bytes strided(std::int64_t offset, const std::vector<std::int64_t> &shape, const std::vector<std::int64_t> &strides,
              const ZipOptions &options = {}) {
    const Bytes storage = bytes_of(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    return pth_file(pickle(dict({{text("t"), tensor("FloatStorage", "0", 12, offset, shape, strides)}})), {storage},
                    options);
}

bool is_view(const Bytes &file) {
    return opened(file)->read(0)->is_view();
}

} // namespace

TEST_CASE("pth: names, types, shapes, values, in file order") {
    const Bytes halves = words({0x3C00, 0xC000, 0x3800}); // 1, -2, 0.5
    const Bytes brains = words({0x3F80, 0xC000});         // 1, -2
    const std::vector<NamedTensor> tensors = {f32_tensor("z", {2, 2}, {1, 2, 3, 4}),
                                              {{"a", DType::f16, {3}}, halves},
                                              {{"m", DType::bf16, {1, 1, 2}}, brains},
                                              f32_tensor("scalar", {}, {7}),
                                              f32_tensor("empty", {0, 4}, {})};
    for (const ZipOptions &options :
         {ZipOptions{}, {.sizes_follow = true, .padding = 13}, {.zip64 = true}, {.deflate = true}}) {
        const Bytes file = pth_file(tensors, options);
        const auto source = opened(file);
        CHECK(source->container() == "pth");
        REQUIRE(source->tensors().size() == 5);
        CHECK(source->tensors()[0].name == "z");
        CHECK(source->tensors()[1].dtype == DType::f16);
        CHECK(source->tensors()[2].shape == std::vector<std::uint64_t>{1, 1, 2});
        CHECK(values_of(*source, "z") == std::vector<float>{1, 2, 3, 4});
        CHECK(values_of(*source, "a") == std::vector<float>{1, -2, 0.5});
        CHECK(values_of(*source, "m") == std::vector<float>{1, -2});
        CHECK(values_of(*source, "scalar") == std::vector<float>{7});
        CHECK(values_of(*source, "empty").empty());
        CHECK(source->metadata().empty());
    }
}

TEST_CASE("pth: views of a storage") {
    const auto values = [](const Bytes &file) { return values_of(*opened(file), "t"); };
    for (const bool deflate : {false, true}) {
        CAPTURE(deflate);
        const ZipOptions options{.deflate = deflate};
        CHECK(values(strided(0, {3, 4}, {4, 1}, options)) == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
        CHECK(values(strided(0, {4, 3}, {1, 4}, options)) == std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
        CHECK(values(strided(5, {2, 2}, {2, 1}, options)) == std::vector<float>{5, 6, 7, 8});
        CHECK(values(strided(1, {3}, {4}, options)) == std::vector<float>{1, 5, 9});
        CHECK(values(strided(0, {2, 1, 3}, {3, 77, 1}, options)) == std::vector<float>{0, 1, 2, 3, 4, 5});
        CHECK(values(strided(11, {}, {}, options)) == std::vector<float>{11});
        CHECK(values(strided(2, {3, 2}, {1, 1}, options)) == std::vector<float>{2, 3, 3, 4, 4, 5});
        CHECK(values(strided(0, {2, 3}, {0, 1}, options)) == std::vector<float>{0, 1, 2, 0, 1, 2});
        CHECK(values(strided(12, {0}, {1}, options)).empty());
    }
}

TEST_CASE("pth: stored and contiguous means no copy") {
    CHECK(is_view(strided(0, {3, 4}, {4, 1})));
    CHECK(is_view(strided(5, {2, 2}, {2, 1})));
    CHECK(is_view(strided(0, {2, 1, 3}, {3, 77, 1})));
    CHECK_FALSE(is_view(strided(0, {4, 3}, {1, 4})));
    CHECK_FALSE(is_view(strided(0, {3, 4}, {4, 1}, {.deflate = true})));
    const Bytes file = strided(5, {2, 2}, {2, 1});
    const auto source = opened(file);
    const auto bytes = source->read(0)->bytes();
    CHECK(bytes.data() > file.data());
    CHECK(bytes.data() + bytes.size() < file.data() + file.size());
}

TEST_CASE("pth: several tensors of one storage") {
    const Bytes file = pth_file(pickle(dict({{text("a"), tensor("FloatStorage", "0", 4, 0, {2}, {1})},
                                             {text("b"), tensor("FloatStorage", "0", 4, 2, {2}, {1})}})),
                                {small_storage()});
    const auto source = opened(file);
    CHECK(values_of(*source, "a") == std::vector<float>{1, 2});
    CHECK(values_of(*source, "b") == std::vector<float>{3, 4});
}

TEST_CASE("pth: any root, byteorder optional, an OrderedDict, a wrapper") {
    const std::string t = tensor("FloatStorage", "0", 4, 0, {4}, {1});
    const std::string items = "(" + text("t") + t + "u";
    const Bytes plain = small_pickle();
    const Bytes ordered = pickle(ordered_dict() + items + dict({{text("_metadata"), ordered_dict()}}) + "b");
    const Bytes wrapped = pickle(dict({{text("epoch"), integer(3)},
                                       {text("loss"), "G" + std::string(8, '\0')},
                                       {text("state_dict"), ordered_dict() + items},
                                       {text("args"), list({text("a")})}}));
    const Bytes model = pickle(dict({{text("model"), dict({{text("t"), t}})}}));
    for (const Bytes *content : {&plain, &ordered, &wrapped, &model})
        for (const std::string root : {"", "archive/", "rwkv-7 \xc3\xa9/", "a/b/"}) {
            const Bytes file = ZipBuilder()
                                   .add(root + "data.pkl", *content, {.deflate = true})
                                   .add(root + "data/0", small_storage())
                                   .finish();
            CHECK(values_of(*opened(file), "t") == std::vector<float>{1, 2, 3, 4});
        }
}

TEST_CASE("pth: read from several threads") {
    std::vector<NamedTensor> tensors;
    for (int i = 0; i < 8; ++i)
        tensors.push_back(f32_tensor("t" + std::to_string(i), {1000}, std::vector<float>(1000, static_cast<float>(i))));
    const Bytes file = pth_file(tensors, {.deflate = true});
    const auto source = opened(file);
    std::vector<int> right(4, 0);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < right.size(); ++thread)
        threads.emplace_back([&, thread] {
            for (int repeat = 0; repeat < 20; ++repeat)
                for (std::size_t i = 0; i < tensors.size(); ++i) {
                    const auto read = source->read(i);
                    if (read.ok() && std::ranges::equal(read->bytes(), tensors[i].bytes)) ++right[thread];
                }
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(right == std::vector<int>(4, 160));
}
