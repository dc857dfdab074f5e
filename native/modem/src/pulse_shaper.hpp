// Root-raised-cosine shaping (EN 302 307-1, 5.6; roll-offs of EN 302 307-2 too) at L/M samples per symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

struct Shape {
    double rollOff;            // 0.05 to 0.35 in the standard; 0 < rollOff <= 1 here
    unsigned interpolate;      // L: samples per symbol are L / M >= 1
    unsigned decimate = 1;     // M
    unsigned spanSymbols = 0;  // of the filter, even; 0: as many as the roll-off needs
};

inline constexpr unsigned kPhasesMax = 4096;  // L
inline constexpr unsigned kSpanMax = 512;     // symbols

// The root-raised-cosine pulse at `t` symbols from its middle, of unit energy.
double RootRaisedCosine(double t, double rollOff);

// Symbols in, samples out, across calls: one stream. The samples' mean power is the symbols'. One thread.
class PulseShaper {
 public:
    // Throws std::invalid_argument for a shape beyond the limits.
    explicit PulseShaper(const Shape& shape);

    // Appends the samples that these symbols complete: those of a symbol come out spanSymbols / 2 symbols
    // later.
    void Append(std::span<const Point> symbols, std::vector<Point>& samples);

    unsigned spanSymbols() const { return taps_ - 1; }

 private:
    unsigned phases_;                  // L
    unsigned decimate_;                // M
    unsigned taps_;                    // of one phase
    unsigned padded_;                  // of one phase in memory, zeros behind
    uint64_t time_ = 0;                // of the next sample within history, in 1/L symbols
    std::vector<float> coefficients_;  // phase after phase, in the order in which they meet the history
    std::vector<float> doubled_;       // each twice, for the real and the imaginary part
    std::vector<Point> history_;

    void ShapeWhole(size_t count, std::vector<Point>& samples) const;
    void ShapeFractions(size_t count, std::vector<Point>& samples);
};

}  // namespace streamverse::modem
