#include "modem/src/bb_scrambler.hpp"

#include <array>
#include <cstddef>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

namespace {

using Sequence = std::array<uint8_t, kFecBitsMax / 8>;

constexpr unsigned kInitial = 0b100'1010'1000'0000;  // stage 1 is the most significant

Sequence MakeSequence() {
    Sequence sequence{};
    unsigned state = kInitial;
    for (size_t bit = 0; bit < kFecBitsMax; ++bit) {
        const unsigned next = (state ^ (state >> 1)) & 1;  // stages 15 and 14
        state = (state >> 1) | (next << 14);
        sequence[bit / 8] = static_cast<uint8_t>(sequence[bit / 8] | (next << (7 - bit % 8)));
    }
    return sequence;
}

}  // namespace

void ScrambleBbFrame(uint8_t* bytes, unsigned bits) {
    static const Sequence kSequence = MakeSequence();
    const size_t whole = bits / 8;
    for (size_t index = 0; index < whole; ++index) {
        bytes[index] ^= kSequence[index];
    }
    if (bits % 8 != 0) {
        bytes[whole] = static_cast<uint8_t>(bytes[whole] ^ (kSequence[whole] & (0xFF00 >> (bits % 8))));
    }
}

}  // namespace streamverse::modem
