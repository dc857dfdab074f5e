// The scrambling of a PLFRAME (EN 302 307-1, 5.5.4): a quarter turn or more of each symbol behind the header.
#pragma once

#include <cstdint>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

inline constexpr uint32_t kGoldIndexMax = (1u << 18) - 2;  // the sequence's period is 2^18 - 1

// Quarter turns (0..3) of the first `symbols` symbols behind the header, for one Gold sequence.
// Throws std::invalid_argument when the index is beyond kGoldIndexMax.
std::vector<uint8_t> MakeRotations(uint32_t goldIndex, unsigned symbols);

// By so many quarter turns.
inline Point Rotate(Point point, unsigned turns) {
    switch (turns & 3) {
        case 1:
            return {-point.q, point.i};
        case 2:
            return {-point.i, -point.q};
        case 3:
            return {point.q, -point.i};
        default:
            return point;
    }
}

}  // namespace streamverse::modem
