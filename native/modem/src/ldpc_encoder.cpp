#include "modem/src/ldpc_encoder.hpp"

#include <algorithm>
#include <array>

#include "bit/bits.hpp"

namespace streamverse::modem {

using bit::BitWriter;
using bit::LoadWord;

namespace {

constexpr unsigned kGroupBytes = kGroupBits / 8;
constexpr unsigned kDoubledWords = 13;  // 720 bits, and what a rotation reads beyond

using Doubled = std::array<uint64_t, kDoubledWords>;

// The group twice, one behind the other: each of its rotations is a slice.
Doubled Double(const uint8_t* group) {
    std::array<uint8_t, kDoubledWords * 8> bytes{};
    std::copy_n(group, kGroupBytes, bytes.begin());
    std::copy_n(group, kGroupBytes, bytes.begin() + kGroupBytes);
    Doubled doubled;
    for (unsigned word = 0; word < kDoubledWords; ++word) {
        doubled[word] = LoadWord(bytes.data() + word * 8);
    }
    return doubled;
}

// Bit i becomes the sum of bits 0..i.
uint64_t PrefixSum(uint64_t word) {
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        word ^= word >> shift;
    }
    return word;
}

// Eight bytes as a matrix of bits, the first byte its first row.
uint64_t Transpose(uint64_t rows) {
    uint64_t change = (rows ^ (rows >> 7)) & 0x00AA00AA00AA00AA;
    rows ^= change ^ (change << 7);
    change = (rows ^ (rows >> 14)) & 0x0000CCCC0000CCCC;
    rows ^= change ^ (change << 14);
    change = (rows ^ (rows >> 28)) & 0x00000000F0F0F0F0;
    return rows ^ change ^ (change << 28);
}

}  // namespace

LdpcEncoder::LdpcEncoder(const Code& code) : code_(code), columns_(size_t{code.q} * kColumnWords) {
    const unsigned rows = code.nbch / kGroupBits;
    rotations_.reserve(code.rowEnds[rows - 1]);
    for (unsigned address = 0; address < code.rowEnds[rows - 1]; ++address) {
        const unsigned parity = code.addresses[address];
        rotations_.push_back(
            {static_cast<uint16_t>(parity % code.q), static_cast<uint16_t>(kGroupBits - parity / code.q)});
    }
}

void LdpcEncoder::Encode(uint8_t* bytes) {
    std::ranges::fill(columns_, 0);
    Accumulate(bytes);
    Sum();
    Write(bytes + code_.nbch / 8);
}

void LdpcEncoder::Accumulate(const uint8_t* bytes) {
    const Kernels& kernels = ActiveKernels();
    unsigned next = 0;
    for (unsigned row = 0; row < code_.nbch / kGroupBits; ++row) {
        const Doubled doubled = Double(bytes + size_t{row} * kGroupBytes);
        const unsigned end = code_.rowEnds[row];
        kernels.addRotations(doubled.data(), rotations_.data() + next, end - next, columns_.data());
        next = end;
    }
}

// p[j] += p[j - 1], first within the q accumulators that follow one another, then from run to run.
void LdpcEncoder::Sum() {
    uint64_t* column = columns_.data();
    for (unsigned index = 1; index < code_.q; ++index, column += kColumnWords) {
        for (unsigned word = 0; word < kGroupWords; ++word) {
            column[kColumnWords + word] ^= column[word];
        }
    }
    std::array<uint64_t, kGroupWords> before;
    uint64_t carry = 0;
    for (unsigned word = 0; word < kGroupWords; ++word) {
        const uint64_t upTo = PrefixSum(column[word]) ^ (0 - carry);
        before[word] = (upTo >> 1) | (carry << 63);
        carry = upTo & 1;
    }
    column = columns_.data();
    for (unsigned index = 0; index < code_.q; ++index, column += kColumnWords) {
        for (unsigned word = 0; word < kGroupWords; ++word) {
            column[word] ^= before[word];
        }
    }
}

// In the order of the accumulators: bit c of all columns, then bit c + 1 of all.
void LdpcEncoder::Write(uint8_t* parity) const {
    // Of eight accumulators' runs at a time: for each of them its bits of all columns.
    constexpr unsigned kRunWords = 3;  // 135 columns at most, and more
    BitWriter writer(parity);
    for (unsigned first = 0; first < kGroupBits; first += 8) {
        uint64_t runs[8][kRunWords] = {};
        const unsigned shift = 56 - first % 64;
        for (unsigned index = 0; index < code_.q; index += 8) {
            uint64_t rows = 0;
            const unsigned count = std::min(8u, code_.q - index);
            for (unsigned row = 0; row < count; ++row) {
                const uint64_t word = columns_[size_t{index + row} * kColumnWords + first / 64];
                rows |= ((word >> shift) & 0xFF) << (56 - 8 * row);
            }
            const uint64_t turned = Transpose(rows);
            for (unsigned run = 0; run < 8; ++run) {
                runs[run][index / 64] |= ((turned >> (56 - 8 * run)) & 0xFF) << (56 - index % 64);
            }
        }
        for (const auto& run : runs) {
            unsigned left = code_.q;
            for (unsigned word = 0; left > 0; ++word) {
                const unsigned count = std::min(64u, left);
                writer.Put(run[word], count);
                left -= count;
            }
        }
    }
    writer.Finish();
}

}  // namespace streamverse::modem
