// The inner loops of the transmit chain, compiled once for each kind of processor (targets.cmake) and chosen
// when the first is asked for. What differs is the compiler's flags alone: kernels.cpp is plain C++ on
// vectors of the compiler's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

// Points that ShapeBlock makes of each of two phases.
inline constexpr unsigned kShapeBlock = 16;
// Points of a filter come in portions of so many.
inline constexpr unsigned kDotPoints = 8;
// Symbols that MapColumns makes at least.
inline constexpr unsigned kMapBlock = 32;
// 64-bit words of a column of parity accumulators: 360 bits, and a cache line whole.
inline constexpr unsigned kColumnWords = 8;
inline constexpr unsigned kGroupWords = 6;

struct Rotation {
    uint16_t column;
    uint16_t from;  // bit of the doubled group with which the column's first bit is summed
};

struct Kernels {
    const char* name;
    // BCH: the remainder of `bits` bits; 8 tables of 256 remainders of 4 words, of which 3 count.
    void (*divide)(const uint64_t* tables, const uint8_t* bytes, uint32_t bits, uint64_t* remainder);
    // LDPC: sums slices of 360 bits of the doubled group into columns.
    void (*addRotations)(const uint64_t* doubled, const Rotation* rotations, size_t count, uint64_t* columns);
    // Labels of `symbols` symbols, rounded up to kMapBlock; columns[k] is the bit at which the label's bit k
    // begins.
    void (*mapColumns)(const uint8_t* bytes, const size_t* columns, unsigned bits, unsigned symbols,
                       uint8_t* labels);
    // points[rotation << bits | label] for each.
    void (*placePoints)(const uint8_t* labels, const uint8_t* rotations, unsigned bits, const Point* points,
                        size_t count, Point* symbols);
    // Two filters over the same history: kShapeBlock points of each, in turn.
    void (*shapeBlock)(const Point* history, const float* first, const float* second, unsigned taps,
                       Point* samples);
    // One point of a filter whose coefficients stand twice each; a multiple of kDotPoints.
    Point (*dot)(const Point* history, const float* doubled, unsigned points);
    // Rounded and limited to 16 bits, little-endian where the machine is.
    void (*toIntegers)(const float* values, size_t count, float scale, uint8_t* bytes);
};

// Of the processor that this runs on.
const Kernels& ActiveKernels();

}  // namespace streamverse::modem
