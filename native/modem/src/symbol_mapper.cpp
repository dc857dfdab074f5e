#include "modem/src/symbol_mapper.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "modem/src/kernels.hpp"

namespace streamverse::modem {

namespace {

// Pairs of bits, as QPSK has them: a byte's four labels.
std::array<uint32_t, 256> MakePairs() {
    std::array<uint32_t, 256> pairs{};
    for (unsigned value = 0; value < 256; ++value) {
        std::array<uint8_t, 4> labels{};
        for (unsigned pair = 0; pair < 4; ++pair) {
            labels[pair] = (value >> (6 - 2 * pair)) & 3;
        }
        std::memcpy(&pairs[value], labels.data(), sizeof pairs[value]);
    }
    return pairs;
}

const std::array<uint32_t, 256> kPairs = MakePairs();

void MapPairs(const uint8_t* bytes, unsigned symbols, uint8_t* labels) {
    for (unsigned symbol = 0; symbol < symbols; symbol += 4) {
        std::memcpy(labels + symbol, &kPairs[bytes[symbol / 4]], 4);
    }
}

}  // namespace

void MapToLabels(const Modcod& modcod, const uint8_t* bytes, uint8_t* labels) {
    const unsigned bits = modcod.bitsPerSymbol;
    if (modcod.order == nullptr) {
        MapPairs(bytes, SymbolCount(modcod), labels);
        return;
    }
    const unsigned rows = (modcod.code->nldpc + bits - 1) / bits;
    std::array<size_t, 8> columns{};
    for (unsigned bit = 0; bit < bits; ++bit) {
        columns[bit] = size_t{static_cast<unsigned>(modcod.order[bit] - '0')} * rows;
    }
    ActiveKernels().mapColumns(bytes, columns.data(), bits, rows, labels);
    std::fill(labels + rows, labels + std::max(rows, SymbolCount(modcod)), kFillerLabel);
}

}  // namespace streamverse::modem
