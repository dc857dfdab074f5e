// CRC-32/MPEG-2 by folding, 128 bytes at a time; compiled for processors with carry-less products of two
// lanes at once (targets.cmake), so that no function of a header may be emitted here that is not always
// inlined.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace streamverse::link {

namespace {

constexpr uint64_t kPolynomial = 0x104C11DB7;

// x^n mod P.
constexpr uint64_t Power(unsigned n) {
    uint64_t remainder = 1;
    for (unsigned step = 0; step < n; ++step) {
        remainder <<= 1;
        remainder ^= (remainder >> 32 & 1) != 0 ? kPolynomial : 0;
    }
    return remainder;
}

// By how many bits a lane is moved: its upper half by 64 more.
template <unsigned bits>
struct Distance {
    static constexpr uint64_t kUpper = Power(bits + 64);
    static constexpr uint64_t kLower = Power(bits);
};

template <unsigned bits>
[[gnu::always_inline]] inline __m256i Fold(__m256i lanes, __m256i onto) {
    using By = Distance<bits>;
    const __m256i powers =
        _mm256_set_epi64x(static_cast<long long>(By::kUpper), static_cast<long long>(By::kLower),
                          static_cast<long long>(By::kUpper), static_cast<long long>(By::kLower));
    const __m256i upper = _mm256_clmulepi64_epi128(lanes, powers, 0x11);
    const __m256i lower = _mm256_clmulepi64_epi128(lanes, powers, 0x00);
    return _mm256_xor_si256(_mm256_xor_si256(upper, lower), onto);
}

[[gnu::always_inline]] inline __m128i FoldOne(__m128i lane, __m128i onto) {
    using By = Distance<128>;
    const __m128i powers =
        _mm_set_epi64x(static_cast<long long>(By::kUpper), static_cast<long long>(By::kLower));
    const __m128i upper = _mm_clmulepi64_si128(lane, powers, 0x11);
    const __m128i lower = _mm_clmulepi64_si128(lane, powers, 0x00);
    return _mm_xor_si128(_mm_xor_si128(upper, lower), onto);
}

// The first byte of each lane is its highest.
[[gnu::always_inline]] inline __m128i ReverseOne(__m128i lane) {
    return _mm_shuffle_epi8(lane, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

[[gnu::always_inline]] inline __m128i LoadOne(const uint8_t* bytes) {
    return ReverseOne(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

[[gnu::always_inline]] inline __m256i Load(const uint8_t* bytes) {
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    return _mm256_shuffle_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)), order);
}

}  // namespace

size_t FoldCrc32(const uint8_t* bytes, size_t size, uint32_t before, uint8_t* folded);

// At least 128 bytes: folds all whole lanes into one, of sixteen bytes, that has the same remainder; answers
// how many bytes it took.
size_t FoldCrc32(const uint8_t* bytes, size_t size, uint32_t before, uint8_t* folded) {
    const uint8_t* at = bytes;
    const uint8_t* const end = bytes + size;
    const __m256i first = _mm256_set_epi64x(0, 0, static_cast<long long>(uint64_t{before} << 32), 0);
    __m256i a = _mm256_xor_si256(Load(at), first);
    __m256i b = Load(at + 32);
    __m256i c = Load(at + 64);
    __m256i d = Load(at + 96);
    for (at += 128; end - at >= 128; at += 128) {
        a = Fold<1024>(a, Load(at));
        b = Fold<1024>(b, Load(at + 32));
        c = Fold<1024>(c, Load(at + 64));
        d = Fold<1024>(d, Load(at + 96));
    }
    d = Fold<256>(Fold<256>(Fold<256>(a, b), c), d);
    __m128i lane = FoldOne(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
    for (; end - at >= 16; at += 16) {
        lane = FoldOne(lane, LoadOne(at));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(folded), ReverseOne(lane));
    return static_cast<size_t>(at - bytes);
}

}  // namespace streamverse::link
