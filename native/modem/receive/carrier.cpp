#include "modem/receive/carrier.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace streamverse::modem::receive {

Complex Carrier::Correct(Complex symbol, double position) const {
    double phase = blockPhases.front();
    const auto next = std::ranges::lower_bound(blockMiddles, position);
    if (next == blockMiddles.end()) {
        phase = blockPhases.back();
    } else if (next != blockMiddles.begin()) {
        const auto index = static_cast<size_t>(next - blockMiddles.begin());
        const double share =
            (position - blockMiddles[index - 1]) / (blockMiddles[index] - blockMiddles[index - 1]);
        phase = blockPhases[index - 1] + share * (blockPhases[index] - blockPhases[index - 1]);
    }
    const double angle = std::remainder(phase + frequency * position, 2 * std::numbers::pi);
    const Complex turn = std::polar(1 / amplitude, static_cast<float>(-angle));
    return {symbol.real() * turn.real() - symbol.imag() * turn.imag(),
            symbol.real() * turn.imag() + symbol.imag() * turn.real()};
}

Carrier MeasureCarrier(std::span<const Complex> symbols, std::span<const KnownBlock> blocks,
                       float frequency) {
    Carrier carrier;
    carrier.frequency = frequency;
    double sum = 0;
    size_t count = 0;
    for (const KnownBlock& block : blocks) {
        std::complex<double> answer{0, 0};
        for (size_t index = 0; index < block.sent.size(); ++index) {
            const auto position = static_cast<double>(block.first + index);
            answer += std::complex<double>(symbols[block.first + index]) *
                      std::conj(std::complex<double>(block.sent[index])) *
                      std::polar(1.0, -frequency * position);
        }
        const double before = carrier.blockPhases.empty() ? std::arg(answer) : carrier.blockPhases.back();
        carrier.blockMiddles.push_back(static_cast<double>(block.first) +
                                       (static_cast<double>(block.sent.size()) - 1) / 2);
        carrier.blockPhases.push_back(before +
                                      std::remainder(std::arg(answer) - before, 2 * std::numbers::pi));
        sum += std::abs(answer);
        count += block.sent.size();
    }
    carrier.amplitude = static_cast<float>(std::max(sum / static_cast<double>(count), 1e-9));
    double noise = 0;
    for (const KnownBlock& block : blocks) {
        for (size_t index = 0; index < block.sent.size(); ++index) {
            const size_t at = block.first + index;
            noise += std::norm(carrier.Correct(symbols[at], static_cast<double>(at)) - block.sent[index]);
        }
    }
    constexpr double kNoiseLeast = 1e-4;
    carrier.noise = static_cast<float>(std::max(noise / static_cast<double>(count), kNoiseLeast));
    return carrier;
}

}  // namespace streamverse::modem::receive
