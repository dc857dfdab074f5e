#include "modem/src/symbol_mapper.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "modem/src/bits.hpp"

namespace streamverse::modem {

namespace {

// A byte's bits as eight bytes of 0 or 1, its first bit in the lowest address.
std::array<uint64_t, 256> MakeSpread() {
    std::array<uint64_t, 256> spread{};
    for (unsigned value = 0; value < 256; ++value) {
        std::array<uint8_t, 8> bits{};
        for (unsigned bit = 0; bit < 8; ++bit) {
            bits[bit] = (value >> (7 - bit)) & 1;
        }
        std::memcpy(&spread[value], bits.data(), sizeof spread[value]);
    }
    return spread;
}

const std::array<uint64_t, 256> kSpread = MakeSpread();

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

// Column k of the interleaver gives the label's bit k: 32 symbols at a time take 32 bits of each.
template <unsigned kBits>
void MapColumns(const uint8_t* bytes, const std::array<size_t, 8>& columns, unsigned symbols,
                uint8_t* labels) {
    constexpr unsigned kAtOnce = 32;
    for (unsigned symbol = 0; symbol < symbols; symbol += kAtOnce) {
        std::array<uint64_t, kAtOnce / 8> sums{};
        for (unsigned bit = 0; bit < kBits; ++bit) {
            const size_t from = columns[bit] + symbol;
            const uint64_t word = LoadWord(bytes + from / 8) << (from % 8);
            for (unsigned part = 0; part < sums.size(); ++part) {
                sums[part] |= kSpread[(word >> (56 - 8 * part)) & 0xFF] << (kBits - 1 - bit);
            }
        }
        std::memcpy(labels + symbol, sums.data(), sizeof sums);
    }
}

using ColumnMapper = void (*)(const uint8_t*, const std::array<size_t, 8>&, unsigned, uint8_t*);
constexpr std::array<ColumnMapper, 9> kColumnMappers = {nullptr,       nullptr,       nullptr,
                                                        MapColumns<3>, MapColumns<4>, MapColumns<5>,
                                                        MapColumns<6>, MapColumns<7>, MapColumns<8>};

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
    kColumnMappers[bits](bytes, columns, rows, labels);
    std::fill(labels + rows, labels + std::max(rows, SymbolCount(modcod)), kFillerLabel);
}

}  // namespace streamverse::modem
