// CRC-8 by folding, sixteen bytes at a time; compiled for processors with carry-less products
// (targets.cmake), so that no function of a header may be emitted here that is not always inlined.
#include <cstddef>
#include <cstdint>

#include "bit/bits.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace streamverse::link {

namespace {

using bit::LoadWord;

struct Product {
    uint64_t high;
    uint64_t low;
};

#if defined(__x86_64__)
BIT_INLINE Product Multiply(uint64_t a, uint64_t b) {
    const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(a)),
                                                 _mm_cvtsi64_si128(static_cast<long long>(b)), 0);
    return {static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(product, product))),
            static_cast<uint64_t>(_mm_cvtsi128_si64(product))};
}
#elif defined(__aarch64__)
BIT_INLINE Product Multiply(uint64_t a, uint64_t b) {
    const uint64x2_t product = vreinterpretq_u64_p128(vmull_p64(a, b));
    return {vgetq_lane_u64(product, 1), vgetq_lane_u64(product, 0)};
}
#else
BIT_INLINE Product Multiply(uint64_t a, uint64_t b) {
    Product product{0, 0};
    for (unsigned bit = 0; bit < 64; ++bit) {
        if ((b >> bit & 1) != 0) {
            product.low ^= a << bit;
            product.high ^= bit == 0 ? 0 : a >> (64 - bit);
        }
    }
    return product;
}
#endif

constexpr unsigned kPolynomial = 0x1D5;

// x^n mod P.
constexpr uint64_t Power(unsigned n) {
    unsigned remainder = 1;
    for (unsigned step = 0; step < n; ++step) {
        remainder <<= 1;
        remainder ^= (remainder & 0x100) != 0 ? kPolynomial : 0;
    }
    return remainder;
}

// The quotient of x^72 by P without its leading x^64 (Barrett).
constexpr uint64_t Quotient() {
    uint64_t quotient = 0;
    unsigned remainder = 1;
    for (unsigned step = 0; step < 72; ++step) {
        remainder <<= 1;
        const bool carries = (remainder & 0x100) != 0;
        remainder ^= carries ? kPolynomial : 0;
        quotient = (quotient << 1) | (carries ? 1u : 0u);
    }
    return quotient;
}

constexpr uint64_t kFold64 = Power(64);
constexpr uint64_t kFold128 = Power(128);
constexpr uint64_t kFold192 = Power(192);
constexpr uint64_t kQuotient = Quotient();

}  // namespace

uint8_t Crc8ByProducts(const uint8_t* bytes, size_t size);

uint8_t Crc8ByProducts(const uint8_t* bytes, size_t size) {
    // Zeros in front change nothing: so the odd bytes come first.
    uint64_t high = 0;
    uint64_t low = 0;
    for (; size % 16 != 0; --size) {
        high = (high << 8) | (low >> 56);
        low = (low << 8) | *bytes++;
    }
    for (; size > 0; size -= 16, bytes += 16) {
        const Product first = Multiply(high, kFold192);
        const Product second = Multiply(low, kFold128);
        high = first.high ^ second.high ^ LoadWord(bytes);
        low = first.low ^ second.low ^ LoadWord(bytes + 8);
    }
    // 128 bits to 71, to 64, to 8.
    const Product folded = Multiply(high, kFold64);
    const uint64_t left = folded.low ^ low ^ Multiply(folded.high, kFold64).low;
    const uint64_t quotient = left ^ Multiply(left, kQuotient).high;
    return static_cast<uint8_t>(Multiply(quotient, kPolynomial).low);
}

}  // namespace streamverse::link
