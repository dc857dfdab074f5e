// Compiled several times, each with its own MODEM_KERNELS for a name. Nothing here may be shared with the
// rest of the program, which must run on older processors: hence no function of a header that is not always
// inlined.
#include "modem/src/kernels.hpp"

#include "bit/bits.hpp"

namespace streamverse::modem {

using bit::LoadBits;
using bit::LoadWord;

namespace {

// As wide as a register of the processor that this is compiled for.
#if defined(__AVX512F__)
constexpr unsigned kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr unsigned kVectorBytes = 32;
#else
constexpr unsigned kVectorBytes = 16;
#endif

// The compiler's own vectors; `Unaligned` is the same anywhere in memory.
using Vector = float __attribute__((vector_size(kVectorBytes)));
using Unaligned = float __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
constexpr unsigned kFloats = kVectorBytes / sizeof(float);

using Remainder = uint64_t __attribute__((vector_size(32), may_alias));

void Divide(const uint64_t* tables, const uint8_t* bytes, uint32_t bits, uint64_t* remainder) {
    const auto* table = reinterpret_cast<const Remainder*>(tables);
    uint64_t first = 0;
    uint64_t second = 0;
    uint64_t third = 0;
    const auto step = [&](uint64_t word) __attribute__((always_inline)) {
        word ^= first;
        Remainder sum = table[word >> 56];
        for (unsigned byte = 1; byte < 8; ++byte) {
            sum ^= table[byte * 256 + ((word >> (56 - 8 * byte)) & 0xFF)];
        }
        first = second ^ sum[0];
        second = third ^ sum[1];
        third = sum[2];
    };
    // Zeros in front of a message change nothing: so it begins with its odd bits.
    uint32_t bit = bits % 64;
    if (bit != 0) {
        step(LoadWord(bytes) >> (64 - bit));
    }
    for (; bit < bits; bit += 64) {
        step(LoadBits(bytes, bit));
    }
    remainder[0] = first;
    remainder[1] = second;
    remainder[2] = third;
}

void AddRotations(const uint64_t* doubled, const Rotation* rotations, size_t count, uint64_t* columns) {
    for (size_t index = 0; index < count; ++index) {
        const uint64_t* words = doubled + rotations[index].from / 64;
        const unsigned shift = rotations[index].from % 64;
        uint64_t* column = columns + size_t{rotations[index].column} * kColumnWords;
        for (unsigned word = 0; word < kGroupWords; ++word) {
            column[word] ^= (words[word] << shift) | ((words[word + 1] >> 1) >> (63 - shift));
        }
    }
}

// A byte's bits as eight bytes of 0 or 1, its first bit in the lowest address.
struct Spread {
    uint64_t values[256] = {};
    constexpr Spread() {
        for (unsigned value = 0; value < 256; ++value) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                values[value] |= static_cast<uint64_t>((value >> (7 - bit)) & 1) << (8 * bit);
            }
        }
    }
};
constexpr Spread kSpread;

template <unsigned kBits>
void MapColumnsOf(const uint8_t* bytes, const size_t* columns, unsigned symbols, uint8_t* labels) {
    for (unsigned symbol = 0; symbol < symbols; symbol += kMapBlock) {
        uint64_t sums[kMapBlock / 8] = {};
        for (unsigned bit = 0; bit < kBits; ++bit) {
            const size_t from = columns[bit] + symbol;
            const uint64_t word = LoadWord(bytes + from / 8) << (from % 8);
            for (unsigned part = 0; part < kMapBlock / 8; ++part) {
                sums[part] |= kSpread.values[(word >> (56 - 8 * part)) & 0xFF] << (kBits - 1 - bit);
            }
        }
        __builtin_memcpy(labels + symbol, sums, sizeof sums);
    }
}

void MapColumns(const uint8_t* bytes, const size_t* columns, unsigned bits, unsigned symbols,
                uint8_t* labels) {
    switch (bits) {
        case 3:
            return MapColumnsOf<3>(bytes, columns, symbols, labels);
        case 4:
            return MapColumnsOf<4>(bytes, columns, symbols, labels);
        case 5:
            return MapColumnsOf<5>(bytes, columns, symbols, labels);
        case 6:
            return MapColumnsOf<6>(bytes, columns, symbols, labels);
        case 7:
            return MapColumnsOf<7>(bytes, columns, symbols, labels);
        default:
            return MapColumnsOf<8>(bytes, columns, symbols, labels);
    }
}

void PlacePoints(const uint8_t* labels, const uint8_t* rotations, unsigned bits, const Point* points,
                 size_t count, Point* symbols) {
    for (size_t symbol = 0; symbol < count; ++symbol) {
        symbols[symbol] = points[(unsigned{rotations[symbol]} << bits) | labels[symbol]];
    }
}

// Keeps a value in its register: reading it from memory twice costs more than the arithmetic.
__attribute__((always_inline)) inline void Hold(Vector& value) {
#if defined(__x86_64__)
    asm("" : "+x"(value));
#elif defined(__aarch64__)
    asm("" : "+w"(value));
#endif
}

// A point of each in turn.
__attribute__((always_inline)) inline void StoreTurns(const Vector& first, const Vector& second,
                                                      Point* points) {
    using Pairs = double __attribute__((vector_size(kVectorBytes)));
    using UnalignedPairs = double __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
    const auto a = reinterpret_cast<Pairs>(first);
    const auto b = reinterpret_cast<Pairs>(second);
    auto* to = reinterpret_cast<UnalignedPairs*>(points);
#if defined(__AVX512F__)
    to[0] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    to[1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(__AVX2__)
    to[0] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    to[1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
    to[0] = __builtin_shufflevector(a, b, 0, 2);
    to[1] = __builtin_shufflevector(a, b, 1, 3);
#endif
}

void ShapeBlock(const Point* history, const float* first, const float* second, unsigned taps,
                Point* samples) {
    constexpr unsigned kVectors = 2 * kShapeBlock / kFloats;
    Vector a[kVectors];
    Vector b[kVectors];
    // Unrolled, sums stay in registers; else they would go by the stack before and after.
#pragma GCC unroll 16
    for (unsigned part = 0; part < kVectors; ++part) {
        a[part] = b[part] = Vector{};
    }
    for (unsigned tap = 0; tap < taps; ++tap) {
        const auto* points = reinterpret_cast<const Unaligned*>(history + tap);
#pragma GCC unroll 16
        for (unsigned part = 0; part < kVectors; ++part) {
            Vector some = points[part];
            Hold(some);
            a[part] += some * first[tap];
            b[part] += some * second[tap];
        }
    }
#pragma GCC unroll 16
    for (unsigned part = 0; part < kVectors; ++part) {
        StoreTurns(a[part], b[part], samples + part * kFloats);
    }
}

Point Dot(const Point* history, const float* doubled, unsigned points) {
    constexpr unsigned kVectors = 2 * kDotPoints / kFloats;
    Vector sums[kVectors] = {};
    for (unsigned point = 0; point < points; point += kDotPoints) {
        const auto* left = reinterpret_cast<const Unaligned*>(history + point);
        const auto* right = reinterpret_cast<const Unaligned*>(doubled + 2 * point);
        for (unsigned part = 0; part < kVectors; ++part) {
            sums[part] += left[part] * right[part];
        }
    }
    Point total{0, 0};
    for (const Vector& sum : sums) {
        for (unsigned part = 0; part < kFloats; part += 2) {
            total.i += sum[part];
            total.q += sum[part + 1];
        }
    }
    return total;
}

using Words = int32_t __attribute__((vector_size(kVectorBytes)));
using Halves = int16_t __attribute__((vector_size(kVectorBytes / 2)));

constexpr float kIntegerMax = 32767;
// A float of this size has no bits for fractions: its last ones are the rounded number.
constexpr float kRounding = 12582912;

// What is no number becomes the least.
__attribute__((always_inline)) inline Halves RoundToIntegers(Vector values) {
    values = values > -kIntegerMax ? values : Vector{} - kIntegerMax;
    values = values < kIntegerMax ? values : Vector{} + kIntegerMax;
    return __builtin_convertvector(reinterpret_cast<Words>(values + kRounding), Halves);
}

void ToIntegers(const float* values, size_t count, float scale, uint8_t* bytes) {
    size_t index = 0;
    for (; index + kFloats <= count; index += kFloats) {
        const Halves rounded = RoundToIntegers(*reinterpret_cast<const Unaligned*>(values + index) * scale);
        __builtin_memcpy(bytes + index * sizeof(int16_t), &rounded, sizeof rounded);
    }
    Vector rest{};
    __builtin_memcpy(&rest, values + index, (count - index) * sizeof(float));
    const Halves rounded = RoundToIntegers(rest * scale);
    __builtin_memcpy(bytes + index * sizeof(int16_t), &rounded, (count - index) * sizeof(int16_t));
}

#define MODEM_TEXT_OF(name) #name
#define MODEM_TEXT(name) MODEM_TEXT_OF(name)

}  // namespace

extern const Kernels MODEM_KERNELS;
const Kernels MODEM_KERNELS = {
    MODEM_TEXT(MODEM_KERNELS), Divide, AddRotations, MapColumns, PlacePoints, ShapeBlock, Dot, ToIntegers};

}  // namespace streamverse::modem
