#include "modem/receive/demapper.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace streamverse::modem::receive {

namespace {

constexpr unsigned kBitsMost = 8;
constexpr float kFar = std::numeric_limits<float>::max();

float Distance(const Point& point, Complex symbol) {
    const float i = point.i - symbol.real();
    const float q = point.q - symbol.imag();
    return i * i + q * q;
}

// Where in the FECFRAME a symbol's bits lie: the interleaver writes columns and reads rows (5.3.3).
struct Places {
    explicit Places(const Modcod& modcod)
        : bits(modcod.bitsPerSymbol), rows((modcod.code->nldpc + bits - 1) / bits), order(modcod.order) {}

    unsigned Of(unsigned symbol, unsigned bit) const {
        return order == nullptr ? symbol * bits + bit
                                : static_cast<unsigned>(order[bit] - '0') * rows + symbol;
    }

    unsigned bits;
    unsigned rows;
    const char* order;
};

}  // namespace

const Point& NearestPoint(const Modcod& modcod, Complex symbol) {
    unsigned nearest = 0;
    float least = kFar;
    for (unsigned label = 0; label < 1u << modcod.bitsPerSymbol; ++label) {
        const float distance = Distance(modcod.points[label], symbol);
        if (distance < least) {
            least = distance;
            nearest = label;
        }
    }
    return modcod.points[nearest];
}

std::vector<float> Demap(const Modcod& modcod, std::span<const Complex> symbols, float noise) {
    const Places places(modcod);
    const unsigned labels = 1u << places.bits;
    std::vector<float> beliefs(modcod.code->nldpc);
    const unsigned count = std::min<unsigned>(places.rows, static_cast<unsigned>(symbols.size()));
    for (unsigned symbol = 0; symbol < count; ++symbol) {
        std::array<float, kBitsMost> zero;
        std::array<float, kBitsMost> one;
        zero.fill(kFar);
        one.fill(kFar);
        for (unsigned label = 0; label < labels; ++label) {
            const float distance = Distance(modcod.points[label], symbols[symbol]);
            for (unsigned bit = 0; bit < places.bits; ++bit) {
                float& least = (label >> (places.bits - 1 - bit) & 1) != 0 ? one[bit] : zero[bit];
                least = std::min(least, distance);
            }
        }
        for (unsigned bit = 0; bit < places.bits; ++bit) {
            const unsigned place = places.Of(symbol, bit);
            if (place < beliefs.size()) {
                beliefs[place] = (one[bit] - zero[bit]) / noise;
            }
        }
    }
    return beliefs;
}

std::vector<Complex> MapAgain(const Modcod& modcod, std::span<const uint8_t> bits) {
    const Places places(modcod);
    std::vector<Complex> symbols(places.rows);
    for (unsigned symbol = 0; symbol < places.rows; ++symbol) {
        unsigned label = 0;
        for (unsigned bit = 0; bit < places.bits; ++bit) {
            const unsigned place = places.Of(symbol, bit);
            label = label << 1 | (place < bits.size() ? bits[place] : 0u);
        }
        symbols[symbol] = {modcod.points[label].i, modcod.points[label].q};
    }
    return symbols;
}

}  // namespace streamverse::modem::receive
