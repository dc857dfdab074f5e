#include "modem/receive/pl_signalling.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace streamverse::modem::receive {

namespace {

constexpr unsigned kSof = 26;
constexpr unsigned kPairs = 32;  // of PLSCODE bits that differ by the last bit of the value alone
constexpr uint8_t kExtended = 0x80;
constexpr float kHalf = static_cast<float>(1 / std::numbers::sqrt2);

Complex Times(Complex left, Complex right) {
    return {left.real() * right.real() - left.imag() * right.imag(),
            left.real() * right.imag() + left.imag() * right.real()};
}

Complex TimesConjugate(Complex left, Complex right) {
    return Times(left, std::conj(right));
}

// pi/2 BPSK: the diagonal that a symbol lies on.
Complex Diagonal(unsigned symbol) {
    return symbol % 2 == 0 ? Complex{kHalf, kHalf} : Complex{-kHalf, kHalf};
}

float SofSign(unsigned symbol) {
    return kSofBits[symbol] == '1' ? -1.0f : 1.0f;
}

float ScramblingSign(unsigned bit) {
    return ((kPlsScrambling >> (63 - bit)) & 1) != 0 ? -1.0f : 1.0f;
}

// First bits of the pairs, the first pair's most significant.
uint32_t PairBits(uint8_t pls) {
    uint32_t bits = 0;
    for (unsigned row = 0; row < 7; ++row) {
        bits ^= ((pls >> (7 - row)) & 1) != 0 ? kPlsRows[row] : 0;
    }
    return bits;
}

// Sums of 32 values with the signs of each Walsh function: all first-order Reed-Muller words at once.
void Hadamard(std::array<Complex, kPairs>& values) {
    for (unsigned distance = 1; distance < kPairs; distance *= 2) {
        for (unsigned index = 0; index < kPairs; ++index) {
            if ((index & distance) == 0) {
                const Complex sum = values[index] + values[index + distance];
                values[index + distance] = values[index] - values[index + distance];
                values[index] = sum;
            }
        }
    }
}

// Which Walsh function a value's pairs are, once the extended values' own row is taken off.
struct WalshWord {
    unsigned index;
    float sign;
};

WalshWord WalshOf(uint8_t pls) {
    const uint32_t bits = PairBits(pls & 0x7F);
    const auto at = [bits](unsigned pair) { return (bits >> (kPairs - 1 - pair)) & 1; };
    unsigned index = 0;
    for (unsigned bit = 0; bit < 5; ++bit) {
        index |= (at(1u << bit) ^ at(0)) << bit;
    }
    return {index, at(0) != 0 ? -1.0f : 1.0f};
}

std::array<WalshWord, 128> MakeWalshWords() {
    std::array<WalshWord, 128> words{};
    for (unsigned pls = 0; pls < words.size(); ++pls) {
        words[pls] = WalshOf(static_cast<uint8_t>(pls));
    }
    return words;
}

struct Best {
    uint8_t pls = 0;
    Complex sum{0, 0};
    float power = -1;
};

// `values` are the PLSCODE's symbols without diagonals and scrambling; `sof` is the sum of those before.
Best DecodeValues(const std::array<Complex, 64>& values, Complex sof) {
    static const std::array<WalshWord, 128> kWords = MakeWalshWords();
    Best best;
    for (unsigned kind = 0; kind < 4; ++kind) {
        const bool hasPilots = (kind & 1) != 0;
        const bool isExtended = (kind & 2) != 0;
        std::array<Complex, kPairs> sums;
        for (unsigned pair = 0; pair < kPairs; ++pair) {
            const Complex second = values[2 * pair + 1];
            const Complex sum = values[2 * pair] + (hasPilots ? -second : second);
            const bool turns = isExtended && ((kPlsRows[0] >> (kPairs - 1 - pair)) & 1) != 0;
            sums[pair] = turns ? -sum : sum;
        }
        Hadamard(sums);
        for (unsigned rest = 0; rest < 64; ++rest) {
            const unsigned pls = (isExtended ? kExtended : 0u) | rest << 1 | (hasPilots ? 1u : 0u);
            const WalshWord& word = kWords[pls & 0x7F];
            const Complex some = sums[word.index] * word.sign;
            // The extended values' codes lie a quarter turn on.
            const Complex sum = sof + (isExtended ? Complex{some.imag(), -some.real()} : some);
            if (std::norm(sum) > best.power) {
                best = {static_cast<uint8_t>(pls), sum, std::norm(sum)};
            }
        }
    }
    return best;
}

}  // namespace

std::array<Complex, kHeaderSymbols> HeaderSymbols(uint8_t pls) {
    std::array<Complex, kHeaderSymbols> symbols;
    const uint32_t bits = PairBits(pls);
    for (unsigned symbol = 0; symbol < kHeaderSymbols; ++symbol) {
        if (symbol < kSof) {
            symbols[symbol] = Diagonal(symbol) * SofSign(symbol);
            continue;
        }
        const unsigned bit = symbol - kSof;
        const unsigned value = ((bits >> (kPairs - 1 - bit / 2)) & 1) ^ (bit % 2 & pls & 1u);
        const Complex point = Diagonal(symbol) * (value != 0 ? -ScramblingSign(bit) : ScramblingSign(bit));
        symbols[symbol] = (pls & kExtended) != 0 ? Complex{-point.imag(), point.real()} : point;
    }
    return symbols;
}

HeaderMatch MatchHeader(std::span<const Complex> symbols, float frequency, float step, int steps) {
    std::array<Complex, kHeaderSymbols> plain;
    float energy = 0;
    for (unsigned symbol = 0; symbol < kHeaderSymbols; ++symbol) {
        const float sign = symbol < kSof ? SofSign(symbol) : ScramblingSign(symbol - kSof);
        plain[symbol] = TimesConjugate(symbols[symbol], Diagonal(symbol)) * sign;
        energy += std::norm(symbols[symbol]);
    }
    HeaderMatch match;
    if (!(energy > 0) || !std::isfinite(energy)) {
        return match;
    }
    float power = -1;
    for (int index = -steps; index <= steps; ++index) {
        const float tried = frequency + static_cast<float>(index) * step;
        const Complex turn = std::polar(1.0f, -tried);
        Complex phase{1, 0};
        Complex sof{0, 0};
        std::array<Complex, 64> values;
        for (unsigned symbol = 0; symbol < kHeaderSymbols; ++symbol) {
            const Complex value = Times(plain[symbol], phase);
            if (symbol < kSof) {
                sof += value;
            } else {
                values[symbol - kSof] = value;
            }
            phase = Times(phase, turn);
        }
        const Best best = DecodeValues(values, sof);
        if (best.power > power) {
            power = best.power;
            match = {best.pls, std::sqrt(power / (kHeaderSymbols * energy)), tried, best.sum};
        }
    }
    return match;
}

std::vector<HeaderCandidate> FindHeaders(std::span<const Complex> symbols, size_t most) {
    std::vector<HeaderCandidate> candidates;
    if (symbols.size() < kHeaderSymbols) {
        return candidates;
    }
    std::vector<Complex> steps(symbols.size() - 1);
    for (size_t symbol = 0; symbol < steps.size(); ++symbol) {
        steps[symbol] = TimesConjugate(symbols[symbol + 1], symbols[symbol]);
    }
    // A step between diagonals is a quarter turn forth from an even symbol, and back from an odd one.
    std::array<float, kSof - 1> sofSigns;
    for (unsigned symbol = 0; symbol < sofSigns.size(); ++symbol) {
        sofSigns[symbol] = SofSign(symbol) * SofSign(symbol + 1) * (symbol % 2 == 0 ? 1.0f : -1.0f);
    }
    std::array<float, kPairs> pairSigns;
    for (unsigned pair = 0; pair < kPairs; ++pair) {
        pairSigns[pair] = ScramblingSign(2 * pair) * ScramblingSign(2 * pair + 1);
    }
    for (size_t first = 0; first + kHeaderSymbols <= symbols.size(); ++first) {
        Complex sof{0, 0};
        Complex code{0, 0};
        for (unsigned symbol = 0; symbol < sofSigns.size(); ++symbol) {
            sof += steps[first + symbol] * sofSigns[symbol];
        }
        for (unsigned pair = 0; pair < kPairs; ++pair) {
            code += steps[first + kSof + 2 * pair] * pairSigns[pair];
        }
        const Complex sum = std::norm(sof + code) > std::norm(sof - code) ? sof + code : sof - code;
        candidates.push_back({first, std::arg(Complex{sum.imag(), -sum.real()}), std::norm(sum)});
    }
    const auto stronger = [](const HeaderCandidate& left, const HeaderCandidate& right) {
        return left.strength > right.strength;
    };
    if (candidates.size() > most) {
        std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(most),
                         candidates.end(), stronger);
        candidates.resize(most);
    }
    return candidates;
}

}  // namespace streamverse::modem::receive
