// Bits packed most significant first, at any bit offset: columns of an interleaver and BCH words begin
// between bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

// So that none is emitted on its own by a file that is compiled for another processor.
#define BIT_INLINE __attribute__((always_inline)) inline

namespace streamverse::bit {

// What is loaded 64 bits at a time may be read this far beyond its last bit.
inline constexpr size_t kSlackBytes = 16;

// Packed bits with the slack behind them.
class BitBuffer {
 public:
    explicit BitBuffer(size_t bits = 0) : bytes_((bits + 7) / 8 + kSlackBytes) {}

    uint8_t* data() { return bytes_.data(); }
    const uint8_t* data() const { return bytes_.data(); }
    size_t size() const { return bytes_.size() - kSlackBytes; }

 private:
    std::vector<uint8_t> bytes_;
};

BIT_INLINE uint64_t LoadWord(const uint8_t* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return __builtin_bswap64(word);
}

BIT_INLINE void StoreWord(uint8_t* bytes, uint64_t word) {
    word = __builtin_bswap64(word);
    std::memcpy(bytes, &word, sizeof word);
}

// 64 bits from any bit on; reads nine bytes.
BIT_INLINE uint64_t LoadBits(const uint8_t* bytes, size_t bit) {
    const uint8_t* first = bytes + bit / 8;
    const unsigned shift = bit % 8;
    return (LoadWord(first) << shift) | (static_cast<uint64_t>(first[8]) >> (8 - shift));
}

// Appends words of up to 64 bits.
class BitWriter {
 public:
    explicit BitWriter(uint8_t* bytes) : next_(bytes) {}

    // The `count` (1..64) most significant bits of `word`; what is below them must be zero.
    void Put(uint64_t word, unsigned count) {
        pending_ |= word >> used_;
        if (used_ + count >= 64) {
            StoreWord(next_, pending_);
            next_ += 8;
            const unsigned taken = 64 - used_;
            pending_ = taken == 64 ? 0 : word << taken;
            used_ = count - taken;
        } else {
            used_ += count;
        }
    }

    // Writes what is left, filled with zeros up to the byte.
    void Finish() {
        for (; used_ > 0; used_ -= used_ < 8 ? used_ : 8) {
            *next_++ = static_cast<uint8_t>(pending_ >> 56);
            pending_ <<= 8;
        }
    }

 private:
    uint8_t* next_;
    uint64_t pending_ = 0;
    unsigned used_ = 0;
};

}  // namespace streamverse::bit
