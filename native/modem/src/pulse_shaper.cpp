#include "modem/src/pulse_shaper.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <stdexcept>

#include "modem/src/kernels.hpp"

namespace streamverse::modem {

namespace {

// The steeper the edge of the spectrum, the longer the pulse rings: what is cut off here is 60 dB below it.
unsigned SpanOf(double rollOff) {
    return rollOff < 0.15 ? 120 : rollOff < 0.2 ? 50 : 40;
}

}  // namespace

double RootRaisedCosine(double t, double rollOff) {
    constexpr double kPi = std::numbers::pi;
    const double edge = 4 * rollOff * t;
    if (std::abs(t) < 1e-9) {
        return 1 + rollOff * (4 / kPi - 1);
    }
    if (std::abs(std::abs(edge) - 1) < 1e-9) {
        const double angle = kPi / (4 * rollOff);
        return rollOff / std::numbers::sqrt2 *
               ((1 + 2 / kPi) * std::sin(angle) + (1 - 2 / kPi) * std::cos(angle));
    }
    return (std::sin(kPi * t * (1 - rollOff)) + edge * std::cos(kPi * t * (1 + rollOff))) /
           (kPi * t * (1 - edge * edge));
}

PulseShaper::PulseShaper(const Shape& shape)
    : phases_(shape.interpolate),
      decimate_(shape.decimate),
      taps_((shape.spanSymbols == 0 ? SpanOf(shape.rollOff) : shape.spanSymbols) + 1),
      padded_((taps_ + kDotPoints - 1) / kDotPoints * kDotPoints) {
    if (!(shape.rollOff > 0 && shape.rollOff <= 1) || phases_ < 1 || phases_ > kPhasesMax || decimate_ < 1 ||
        decimate_ > phases_ || taps_ > kSpanMax + 1 || taps_ % 2 == 0) {
        throw std::invalid_argument(
            "a pulse has a roll-off of 0 to 1, at least one sample a symbol, an even span");
    }
    std::vector<double> pulse(size_t{taps_} * phases_);
    double energy = 0;
    const double middle = taps_ / 2;
    for (unsigned phase = 0; phase < phases_; ++phase) {
        for (unsigned tap = 0; tap < taps_; ++tap) {
            // The oldest symbol of the history meets the pulse's end.
            const double t = middle - tap + static_cast<double>(phase) / phases_;
            const double value = RootRaisedCosine(t, shape.rollOff);
            pulse[size_t{phase} * taps_ + tap] = value;
            energy += value * value;
        }
    }
    coefficients_.assign(size_t{padded_} * phases_, 0);
    doubled_.assign(2 * coefficients_.size(), 0);
    const double gain = std::sqrt(phases_ / energy);
    for (unsigned phase = 0; phase < phases_; ++phase) {
        for (unsigned tap = 0; tap < taps_; ++tap) {
            const size_t at = size_t{phase} * padded_ + tap;
            coefficients_[at] = static_cast<float>(gain * pulse[size_t{phase} * taps_ + tap]);
            doubled_[2 * at] = doubled_[2 * at + 1] = coefficients_[at];
        }
    }
    history_.assign(taps_ - 1, Point{0, 0});
}

void PulseShaper::Append(std::span<const Point> symbols, std::vector<Point>& samples) {
    const size_t before = history_.size();
    history_.insert(history_.end(), symbols.begin(), symbols.end());
    const size_t complete = history_.size() - (taps_ - 1);
    // What the vectors read beyond the last symbol is multiplied by zero, or not kept.
    history_.resize(history_.size() + kShapeBlock + padded_, Point{0, 0});
    if (decimate_ == 1) {
        ShapeWhole(complete, samples);
    } else {
        ShapeFractions(complete, samples);
    }
    history_.resize(before + symbols.size());
    history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(complete));
}

void PulseShaper::ShapeWhole(size_t count, std::vector<Point>& samples) const {
    const size_t begin = samples.size();
    samples.resize(begin + count * phases_);
    Point* out = samples.data() + begin;
    Point block[2 * kShapeBlock];
    const Kernels& kernels = ActiveKernels();
    for (size_t symbol = 0; symbol < count; symbol += kShapeBlock) {
        const size_t kept = std::min<size_t>(kShapeBlock, count - symbol);
        for (unsigned phase = 0; phase < phases_; phase += 2) {
            const unsigned pair = std::min(2u, phases_ - phase);
            const float* first = coefficients_.data() + size_t{phase} * padded_;
            const bool fits = phases_ == 2 && kept == kShapeBlock;
            Point* to = out + symbol * phases_ + phase;
            kernels.shapeBlock(history_.data() + symbol, first, first + (pair - 1) * padded_, taps_,
                               fits ? to : block);
            for (size_t index = 0; !fits && index < kept; ++index) {
                std::copy_n(block + 2 * index, pair, to + index * phases_);
            }
        }
    }
}

void PulseShaper::ShapeFractions(size_t count, std::vector<Point>& samples) {
    const Kernels& kernels = ActiveKernels();
    const uint64_t end = uint64_t{count} * phases_;
    for (; time_ < end; time_ += decimate_) {
        const size_t symbol = time_ / phases_;
        const size_t phase = time_ % phases_;
        samples.push_back(
            kernels.dot(history_.data() + symbol, doubled_.data() + 2 * phase * padded_, padded_));
    }
    time_ -= end;
}

}  // namespace streamverse::modem
