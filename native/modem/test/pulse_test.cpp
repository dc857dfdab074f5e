// What a matched filter makes of the shaped samples: the symbols, with little of their neighbours.
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>

#include "modem/src/pulse_shaper.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::modem;

constexpr size_t kSymbols = 4000;

std::vector<Point> RandomSymbols(uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<Point> symbols(kSymbols);
    for (Point& symbol : symbols) {
        const float half = static_cast<float>(std::sqrt(0.5));
        symbol = {(random() & 1) != 0 ? half : -half, (random() & 1) != 0 ? half : -half};
    }
    return symbols;
}

double Power(const std::vector<Point>& samples) {
    double power = 0;
    for (const Point& sample : samples) {
        power += static_cast<double>(sample.i) * sample.i + static_cast<double>(sample.q) * sample.q;
    }
    return power / static_cast<double>(samples.size());
}

// Correlates with the pulse at the middle of each symbol; the ratio of what was sent to what is wrong, in dB.
double ModulationErrorRatio(const std::vector<Point>& symbols, const std::vector<Point>& samples,
                            const Shape& shape, unsigned spanSymbols) {
    const double perSymbol = static_cast<double>(shape.interpolate) / shape.decimate;
    const double half = spanSymbols / 2.0;
    double error = 0;
    size_t counted = 0;
    for (size_t symbol = spanSymbols; symbol + 2 * spanSymbols < symbols.size(); ++symbol) {
        const double middle = (static_cast<double>(symbol) + half) * perSymbol;
        double i = 0;
        double q = 0;
        double energy = 0;
        for (auto at = static_cast<size_t>(std::ceil(middle - half * perSymbol));
             static_cast<double>(at) <= middle + half * perSymbol; ++at) {
            const double pulse =
                RootRaisedCosine((static_cast<double>(at) - middle) / perSymbol, shape.rollOff);
            i += pulse * samples[at].i;
            q += pulse * samples[at].q;
            energy += pulse * pulse;
        }
        const double gain = std::sqrt(perSymbol * energy);
        error += std::pow(i / gain - symbols[symbol].i, 2) + std::pow(q / gain - symbols[symbol].q, 2);
        ++counted;
    }
    return -10 * std::log10(error / static_cast<double>(counted));
}

void CheckShape(const Shape& shape, double ratioLeast) {
    const auto symbols = RandomSymbols(shape.interpolate);
    PulseShaper shaper(shape);
    std::vector<Point> samples;
    // In uneven portions: where one ends must not be heard.
    for (size_t begin = 0, size = 1; begin < symbols.size(); begin += size, size = size * 3 % 701 + 1) {
        const size_t count = std::min(size, symbols.size() - begin);
        shaper.Append({symbols.data() + begin, count}, samples);
        size = count;
    }
    const double perSymbol = static_cast<double>(shape.interpolate) / shape.decimate;
    CHECK(std::abs(static_cast<double>(samples.size()) - kSymbols * perSymbol) < perSymbol + 1);
    CHECK(std::abs(Power(samples) - 1) < 0.05);
    const double ratio = ModulationErrorRatio(symbols, samples, shape, shaper.spanSymbols());
    std::printf("roll-off %.2f, %u/%u: MER %.1f dB\n", shape.rollOff, shape.interpolate, shape.decimate,
                ratio);
    CHECK(ratio > ratioLeast);
}

void CheckRefusals() {
    for (const Shape& shape : {Shape{0, 2}, Shape{1.5, 2}, Shape{0.2, 1, 2}, Shape{0.2, 5000},
                               Shape{0.2, 2, 1, 51}, Shape{0.2, 0}, Shape{0.2, 2, 0}}) {
        CHECK_THROWS(PulseShaper(shape), std::invalid_argument);
    }
}

}  // namespace

int main() {
    constexpr double kRatioLeast = 40;
    for (const double rollOff : {0.35, 0.25, 0.20, 0.15}) {
        CheckShape({rollOff, 2}, kRatioLeast);
    }
    for (const double rollOff : {0.10, 0.05}) {
        CheckShape({rollOff, 4}, kRatioLeast);
    }
    CheckShape({0.2, 3}, kRatioLeast);
    CheckShape({0.2, 5, 2}, kRatioLeast);
    CheckShape({0.05, 3072, 1375}, kRatioLeast);
    CheckRefusals();
}
