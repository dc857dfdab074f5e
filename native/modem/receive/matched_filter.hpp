// Samples to symbols: the root-raised-cosine filter evaluated at any moment between samples.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem::receive {

// Immutable after construction.
class MatchedFilter {
 public:
    // 1 <= samplesPerSymbol <= kRatioMax, 0 < rollOff <= 1; throws std::invalid_argument otherwise.
    MatchedFilter(double samplesPerSymbol, double rollOff);

    // The filter's answer at `time`, in samples from the first; what lies outside of them is silence.
    Point At(std::span<const Point> samples, double time) const;

    // Samples that count before and after a moment.
    size_t reach() const { return reach_; }

    // What an error of timing of one symbol adds to the difference between a quarter symbol after a symbol's
    // middle and a quarter before it, for a small error.
    double timingSlope() const { return timingSlope_; }

    static constexpr double kRatioMax = 16;

 private:
    size_t reach_;
    size_t taps_;
    double timingSlope_;
    std::vector<float> coefficients_;  // a filter for each fraction of a sample
};

}  // namespace streamverse::modem::receive
