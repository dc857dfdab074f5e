#include "modem/receive/matched_filter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace streamverse::modem::receive {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr unsigned kFractions = 512;

// At `t` symbols from its middle (EN 302 307-1, 5.6).
double RootPulse(double t, double rollOff) {
    if (std::abs(t) < 1e-8) {
        return 1 - rollOff + 4 * rollOff / kPi;
    }
    const double edge = 4 * rollOff * t;
    if (std::abs(1 - edge * edge) < 1e-8) {
        const double angle = kPi / (4 * rollOff);
        return rollOff * std::sqrt(0.5) * ((1 + 2 / kPi) * std::sin(angle) + (1 - 2 / kPi) * std::cos(angle));
    }
    return (std::sin(kPi * t * (1 - rollOff)) + edge * std::cos(kPi * t * (1 + rollOff))) /
           (kPi * t * (1 - edge * edge));
}

// What transmitter and receiver make of a symbol together.
double WholePulse(double t, double rollOff) {
    const double edge = 2 * rollOff * t;
    const double sinc = std::abs(t) < 1e-8 ? 1 : std::sin(kPi * t) / (kPi * t);
    if (std::abs(1 - edge * edge) < 1e-8) {
        return kPi / 4 * sinc;
    }
    return sinc * std::cos(kPi * rollOff * t) / (1 - edge * edge);
}

double ReachSymbols(double rollOff) {
    return rollOff < 0.15 ? 60 : 25;
}

}  // namespace

MatchedFilter::MatchedFilter(double samplesPerSymbol, double rollOff) {
    if (!(samplesPerSymbol >= 1 && samplesPerSymbol <= kRatioMax && rollOff > 0 && rollOff <= 1)) {
        throw std::invalid_argument("a receiver takes 1 to 16 samples per symbol and a roll-off of 0 to 1");
    }
    reach_ = static_cast<size_t>(std::ceil(ReachSymbols(rollOff) * samplesPerSymbol));
    taps_ = 2 * reach_;
    coefficients_.resize(taps_ * kFractions);
    for (unsigned fraction = 0; fraction < kFractions; ++fraction) {
        for (size_t tap = 0; tap < taps_; ++tap) {
            // The middle lies `fraction` behind the sample before it, which is tap reach_ - 1.
            const double samples = static_cast<double>(tap) - static_cast<double>(reach_ - 1) -
                                   static_cast<double>(fraction) / kFractions;
            coefficients_[fraction * taps_ + tap] =
                static_cast<float>(RootPulse(samples / samplesPerSymbol, rollOff) / samplesPerSymbol);
        }
    }
    constexpr double kStep = 1e-4;
    timingSlope_ = (WholePulse(0.25 + kStep, rollOff) - WholePulse(0.25 - kStep, rollOff)) / (2 * kStep) * 2;
}

Point MatchedFilter::At(std::span<const Point> samples, double time) const {
    const double whole = std::floor(time);
    const auto fraction = static_cast<size_t>((time - whole) * kFractions);
    const float* coefficients = coefficients_.data() + std::min<size_t>(fraction, kFractions - 1) * taps_;
    const auto first = static_cast<std::ptrdiff_t>(whole) - static_cast<std::ptrdiff_t>(reach_ - 1);
    const auto size = static_cast<std::ptrdiff_t>(samples.size());
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, -first);
    const std::ptrdiff_t end = std::min(static_cast<std::ptrdiff_t>(taps_), size - first);
    Point sum{0, 0};
    for (std::ptrdiff_t tap = begin; tap < end; ++tap) {
        const Point& sample = samples[static_cast<size_t>(first + tap)];
        sum.i += coefficients[tap] * sample.i;
        sum.q += coefficients[tap] * sample.q;
    }
    return sum;
}

}  // namespace streamverse::modem::receive
