#include "modem/src/pl_scrambler.hpp"

#include <stdexcept>

namespace streamverse::modem {

namespace {

constexpr unsigned kStages = 18;
constexpr uint32_t kPeriod = (1u << kStages) - 1;
constexpr uint32_t kSecondBit = 131072;  // where the upper bit of a rotation is taken from

struct Register {
    uint32_t state;
    uint32_t taps;

    unsigned Step() {
        const unsigned bit = state & 1;
        state = (state >> 1) | (static_cast<uint32_t>(__builtin_parity(state & taps)) << (kStages - 1));
        return bit;
    }
};

std::vector<uint8_t> Whole(Register generator) {
    std::vector<uint8_t> sequence(kPeriod);
    for (uint8_t& bit : sequence) {
        bit = static_cast<uint8_t>(generator.Step());
    }
    return sequence;
}

}  // namespace

std::vector<uint8_t> MakeRotations(uint32_t goldIndex, unsigned symbols) {
    if (goldIndex > kGoldIndexMax) {
        throw std::invalid_argument("a Gold sequence has an index of at most 262142");
    }
    const std::vector<uint8_t> x = Whole({1, 1u | 1u << 7});
    const std::vector<uint8_t> y = Whole({kPeriod, 1u | 1u << 5 | 1u << 7 | 1u << 10});
    std::vector<uint8_t> rotations(symbols);
    for (uint32_t symbol = 0; symbol < symbols; ++symbol) {
        const uint32_t later = symbol + kSecondBit;
        const unsigned low = x[(symbol + goldIndex) % kPeriod] ^ y[symbol % kPeriod];
        const unsigned high = x[(later + goldIndex) % kPeriod] ^ y[later % kPeriod];
        rotations[symbol] = static_cast<uint8_t>(2 * high + low);
    }
    return rotations;
}

}  // namespace streamverse::modem
