#include "modem/src/bch_encoder.hpp"

#include "bit/bits.hpp"
#include "modem/src/kernels.hpp"

namespace streamverse::modem {

using bit::BitWriter;

namespace {

void ShiftOne(uint64_t (&words)[4]) {
    words[0] = (words[0] << 1) | (words[1] >> 63);
    words[1] = (words[1] << 1) | (words[2] >> 63);
    words[2] <<= 1;
}

}  // namespace

BchEncoder::BchEncoder(const Code& code)
    : kbch_(code.kbch), degree_(code.bch.degree), tables_(new std::array<std::array<Remainder, 256>, 8>) {
    const auto& polynomial = code.bch.words;
    for (unsigned value = 0; value < 256; ++value) {
        Remainder remainder{{static_cast<uint64_t>(value) << 56, 0, 0, 0}};
        // The last byte of a word leaves what eight steps make of it, the one before it what sixteen do.
        for (unsigned table = 8; table-- > 0;) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                const bool carries = (remainder.words[0] >> 63) != 0;
                ShiftOne(remainder.words);
                for (unsigned word = 0; carries && word < 3; ++word) {
                    remainder.words[word] ^= polynomial[word];
                }
            }
            (*tables_)[table][value] = remainder;
        }
    }
}

BchEncoder::Remainder BchEncoder::Divide(const uint8_t* bytes) const {
    Remainder remainder{};
    ActiveKernels().divide((*tables_)[0][0].words, bytes, kbch_, remainder.words);
    return remainder;
}

void BchEncoder::Encode(uint8_t* bytes) const {
    const Remainder parity = Divide(bytes);
    const unsigned begun = kbch_ % 8;
    uint8_t* first = bytes + kbch_ / 8;
    BitWriter writer(first);
    if (begun != 0) {
        writer.Put(static_cast<uint64_t>(*first & (0xFF00 >> begun)) << 56, begun);
    }
    unsigned left = degree_;
    for (unsigned word = 0; left > 0; ++word) {
        const unsigned count = left < 64 ? left : 64;
        writer.Put(parity.words[word], count);
        left -= count;
    }
    writer.Finish();
}

}  // namespace streamverse::modem
