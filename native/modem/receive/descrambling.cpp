#include "modem/receive/descrambling.hpp"

#include <cstddef>

namespace streamverse::modem::receive {

namespace {

constexpr unsigned kStages = 18;
constexpr uint32_t kMask = (1u << kStages) - 1;

// Both registers shift towards bit 0.
uint32_t NextX(uint32_t x) {
    return (x >> 1) | (((x ^ (x >> 7)) & 1) << (kStages - 1));
}
uint32_t NextY(uint32_t y) {
    return (y >> 1) | (((y ^ (y >> 5) ^ (y >> 7) ^ (y >> 10)) & 1) << (kStages - 1));
}
// The bit that comes 2^17 steps later is a sum of stages (figure 16).
unsigned LaterX(uint32_t x) {
    return static_cast<unsigned>((x >> 4) ^ (x >> 6) ^ (x >> 15)) & 1;
}
unsigned LaterY(uint32_t y) {
    constexpr uint32_t kStagesOfY = 0b1111'1111'0110'0000;  // 5, 6, 8 to 15
    return static_cast<unsigned>(__builtin_parity(y & kStagesOfY));
}

}  // namespace

std::vector<uint8_t> GoldTurns(uint32_t index, unsigned symbols) {
    uint32_t x = 1;
    for (uint32_t step = 0; step < index; ++step) {
        x = NextX(x);
    }
    uint32_t y = kMask;
    std::vector<uint8_t> turns(symbols);
    for (uint8_t& turn : turns) {
        const unsigned low = (x ^ y) & 1;
        const unsigned high = LaterX(x) ^ LaterY(y);
        turn = static_cast<uint8_t>(2 * high + low);
        x = NextX(x);
        y = NextY(y);
    }
    return turns;
}

void DescrambleBits(std::span<uint8_t> bytes, unsigned bits) {
    uint32_t state = 0b000'0000'1010'1001;  // 100101010000000, the first stage least significant
    for (unsigned bit = 0; bit < bits; ++bit) {
        const uint32_t next = ((state >> 13) ^ (state >> 14)) & 1;
        state = (state << 1) | next;
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ (next << (7 - bit % 8)));
    }
}

}  // namespace streamverse::modem::receive
