#include "modem/src/pl_header.hpp"

#include <numbers>

namespace streamverse::modem {

namespace {

constexpr unsigned kSofSymbols = 26;
constexpr unsigned kPlsBits = 7;     // that the first rows tell; the eighth is the pilots'
constexpr uint8_t kExtended = 0x80;  // a PLS value of EN 302 307-2

}  // namespace

uint64_t PlsCode(uint8_t pls) {
    uint32_t rows = 0;
    for (unsigned bit = 0; bit < kPlsBits; ++bit) {
        if ((pls >> (7 - bit) & 1) != 0) {
            rows ^= kPlsRows[bit];
        }
    }
    uint64_t code = 0;
    for (unsigned bit = 32; bit-- > 0;) {
        const unsigned first = (rows >> bit) & 1;
        const unsigned second = first ^ (pls & 1u);
        code = (code << 2) | (first << 1) | second;
    }
    return code ^ kPlsScrambling;
}

void MakePlHeader(uint8_t pls, Point* symbols) {
    constexpr float kHalf = static_cast<float>(1 / std::numbers::sqrt2);
    const uint64_t code = PlsCode(pls);
    for (unsigned symbol = 0; symbol < kHeaderSymbols; ++symbol) {
        const bool isSof = symbol < kSofSymbols;
        const bool bit = isSof ? kSofBits[symbol] == '1' : ((code >> (89 - symbol)) & 1) != 0;
        const float sign = bit ? -kHalf : kHalf;
        const Point point = symbol % 2 == 0 ? Point{sign, sign} : Point{-sign, sign};
        symbols[symbol] = !isSof && (pls & kExtended) != 0 ? Point{-point.q, point.i} : point;
    }
}

}  // namespace streamverse::modem
