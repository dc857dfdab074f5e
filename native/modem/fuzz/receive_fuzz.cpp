// Any samples, from two bytes that choose the rate, the roll-off and how they are cut.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "modem/receive/receiver.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace streamverse::modem;
    constexpr size_t kChoiceBytes = 2;
    constexpr size_t kSamplesMax = 40'000;
    if (size < kChoiceBytes) {
        return 0;
    }
    receive::Receiver receiver({1 + (data[0] & 7) * 0.25, 0.05 * (1 + (data[0] >> 4) % 7), 0});
    const size_t portion = 1 + size_t{data[1]} * 64;
    std::vector<Point> samples(std::min((size - kChoiceBytes) / sizeof(Point), kSamplesMax));
    if (!samples.empty()) {
        std::memcpy(samples.data(), data + kChoiceBytes, samples.size() * sizeof(Point));
    }
    std::vector<receive::ReceivedFrame> frames;
    for (size_t at = 0; at < samples.size(); at += portion) {
        receiver.Append(std::span<const Point>(samples).subspan(at, std::min(portion, samples.size() - at)),
                        frames);
    }
    receiver.Finish(frames);
    return 0;
}
