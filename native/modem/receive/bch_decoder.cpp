#include "modem/receive/bch_decoder.hpp"

#include <algorithm>

namespace streamverse::modem::receive {

BchDecoder::BchDecoder(const Code& code) : t_(code.t) {
    const unsigned degree = code.bch.degree / code.t;
    order_ = (1u << degree) - 1;
    powers_.resize(2 * order_);
    logarithms_.resize(order_ + 1);
    uint32_t value = 1;
    for (uint32_t power = 0; power < order_; ++power) {
        powers_[power] = powers_[power + order_] = static_cast<uint16_t>(value);
        logarithms_[value] = static_cast<uint16_t>(power);
        value <<= 1;
        value ^= (value >> degree & 1) != 0 ? code.fieldPolynomial : 0;
    }
}

uint16_t BchDecoder::Multiply(uint16_t left, uint16_t right) const {
    return left == 0 || right == 0 ? uint16_t{0} : powers_[uint32_t{logarithms_[left]} + logarithms_[right]];
}

uint16_t BchDecoder::Divide(uint16_t left, uint16_t right) const {
    return left == 0 ? uint16_t{0} : powers_[uint32_t{logarithms_[left]} + order_ - logarithms_[right]];
}

// Of alpha^1 to alpha^2t; those of even powers are squares.
std::vector<uint16_t> BchDecoder::Syndromes(std::span<const uint8_t> bits) const {
    std::vector<uint16_t> syndromes(2 * t_);
    for (unsigned power = 1; power <= 2 * t_; ++power) {
        uint16_t& syndrome = syndromes[power - 1];
        if (power % 2 == 0) {
            syndrome = Multiply(syndromes[power / 2 - 1], syndromes[power / 2 - 1]);
            continue;
        }
        for (const uint8_t bit : bits) {
            const uint16_t next =
                syndrome == 0 ? uint16_t{0} : powers_[uint32_t{logarithms_[syndrome]} + power];
            syndrome = next ^ bit;
        }
    }
    return syndromes;
}

// Berlekamp-Massey: the shortest register that makes the syndromes.
std::vector<uint16_t> BchDecoder::Locator(std::span<const uint16_t> syndromes) const {
    std::vector<uint16_t> locator{1};
    std::vector<uint16_t> before{1};
    uint16_t beforeGap = 1;
    size_t length = 0;
    size_t shift = 1;
    for (size_t index = 0; index < syndromes.size(); ++index) {
        uint16_t gap = syndromes[index];
        for (size_t term = 1; term <= length && term < locator.size(); ++term) {
            gap ^= Multiply(locator[term], syndromes[index - term]);
        }
        if (gap == 0) {
            ++shift;
            continue;
        }
        const std::vector<uint16_t> kept = locator;
        const uint16_t factor = Divide(gap, beforeGap);
        locator.resize(std::max(locator.size(), before.size() + shift));
        for (size_t term = 0; term < before.size(); ++term) {
            locator[term + shift] ^= Multiply(factor, before[term]);
        }
        if (2 * length <= index) {
            length = index + 1 - length;
            before = kept;
            beforeGap = gap;
            shift = 1;
        } else {
            ++shift;
        }
    }
    while (locator.size() > 1 && locator.back() == 0) {
        locator.pop_back();
    }
    return locator;
}

std::optional<unsigned> BchDecoder::Correct(std::span<uint8_t> bits) const {
    const std::vector<uint16_t> syndromes = Syndromes(bits);
    if (std::ranges::all_of(syndromes, [](uint16_t syndrome) { return syndrome == 0; })) {
        return 0;
    }
    const std::vector<uint16_t> locator = Locator(syndromes);
    const size_t errors = locator.size() - 1;
    if (errors > t_) {
        return std::nullopt;
    }
    std::vector<size_t> wrong;
    for (size_t index = 0; index < bits.size() && wrong.size() < errors; ++index) {
        // The bit is the coefficient of x^(n - 1 - index); a root is the inverse of where an error is.
        const uint32_t inverse = order_ - static_cast<uint32_t>(bits.size() - 1 - index) % order_;
        uint16_t sum = 0;
        for (size_t term = errors + 1; term-- > 0;) {
            sum = static_cast<uint16_t>(Multiply(sum, powers_[inverse % order_]) ^ locator[term]);
        }
        if (sum == 0) {
            wrong.push_back(index);
        }
    }
    if (wrong.size() != errors) {
        return std::nullopt;
    }
    for (const size_t index : wrong) {
        bits[index] ^= 1;
    }
    return static_cast<unsigned>(errors);
}

}  // namespace streamverse::modem::receive
